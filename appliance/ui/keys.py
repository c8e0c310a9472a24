"""One's own keys: made, shown once, revoked."""

from datetime import timedelta
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from appliance.access.keys import FreshKey, create_key, revoke_key
from appliance.context import Context
from appliance.errors import NotFound
from appliance.machine import clock
from appliance.model.keys import Key, NewKey
from appliance.store import keys
from appliance.ui.forms import Wrong, again, do, typed
from appliance.web.page import Form, go, render
from appliance.web.routes import actor_of, ctx_of

FIELDS = ("name", "days")
SOON = timedelta(days=14)


def index(request: Request) -> Response:
    return _show(request, Form(fields=FIELDS))


async def create(request: Request) -> Response:
    """Answers with the page itself: the key is shown this once, and a reload asks before it makes another."""
    ctx, actor, raw = ctx_of(request), actor_of(request), await typed(request)
    try:
        new = NewKey.parse(_with_moment(ctx, raw))
        fresh = await do(partial(create_key, ctx, actor, new))
    except Wrong as why:
        return _show(request, again(raw, why, fields=FIELDS, about="name"), code=why.status)
    return _show(request, Form(fields=FIELDS), fresh, 201)


def revoke_form(request: Request) -> Response:
    key = _find(request)
    action = f"/settings/keys/{key.id}/revoke"
    return render(request, "settings/revoke.html", key=key, action=action, back="/settings/keys")


async def revoke(request: Request) -> Response:
    ctx, actor = ctx_of(request), actor_of(request)
    await do(partial(revoke_key, ctx, actor, request.path_params["key"]))
    return go("/settings/keys", done="key-revoked")


def _show(request: Request, form: Form, fresh: FreshKey | None = None, code: int = 200) -> Response:
    ctx = ctx_of(request)
    mine = keys.of_person(ctx.db.read(), actor_of(request).person_id)
    soon = clock.text(ctx.now() + SOON)
    ending = {key.id for key in mine if key.expires_at and key.expires_at < soon}
    return render(request, "settings/keys.html", code, keys=mine, form=form, fresh=fresh, ending=ending)


def _with_moment(ctx: Context, raw: dict[str, str]) -> dict[str, object]:
    """The form offers a number of days; a key has a moment."""
    days, rest = raw.get("days", ""), {name: value for name, value in raw.items() if name != "days"}
    if days.isascii() and days.isdigit() and len(days) < 5:
        return {**rest, "expires_at": clock.text(ctx.now() + timedelta(days=int(days)))}
    return {**rest, "expires_at": days or None}


def _find(request: Request) -> Key:
    key = keys.find(ctx_of(request).db.read(), request.path_params["key"])
    if key is None or key.person_id != actor_of(request).person_id:
        raise NotFound("There is no such key; it may have been revoked already.")
    return key
