"""Restore a backup on the first page of a new host."""

from functools import partial

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response

from appliance.access import setup
from appliance.backups.first_run import restore_here
from appliance.errors import BadBackup, BadBundle, Conflict, Invalid, OutOfRoom
from appliance.events import Restored
from appliance.machine import files
from appliance.ui.access import show_set_up
from appliance.ui.forms import do
from appliance.web.page import Form, go, render
from appliance.web.routes import ctx_of
from appliance.web.upload import receive

FIELDS = ("backup", "passphrase", "without_keys")


async def restore(request: Request) -> Response:
    """Whoever has the set-up link may; the link is looked at before anything is taken in."""
    ctx, token = ctx_of(request), request.query_params.get("token", "")
    if not setup.needed(ctx):
        return go("/login")
    setup.minutes_left(ctx, token)
    try:
        async with receive(request, ctx, name="backup", most=files.free_bytes(ctx.data)) as upload:
            given = upload.fields
            keyless = given.get("without_keys") == "true"
            passphrase = given.get("passphrase", "")
            act = partial(restore_here, ctx, token, upload.received.path, passphrase=passphrase, without_keys=keyless)
            done = await do(act)
    except (BadBackup, BadBundle, Conflict, Invalid, OutOfRoom) as why:
        form = Form({"token": token}, _errors(why), FIELDS)
        return await do(partial(show_set_up, request, Form({"token": token}), None, why.status, restoring=form))
    response = render(request, "access/restored.html", done=done)
    response.background = BackgroundTask(ctx.bus.publish, Restored())
    return response


def _errors(why: BadBackup | BadBundle | Conflict | Invalid | OutOfRoom) -> dict[str, str]:
    if isinstance(why, Invalid):
        return dict(why.errors)
    about = "passphrase" if why.code in ("no_passphrase", "wrong_passphrase") else "backup"
    return {about: " ".join((why.detail, *why.todo))}
