"""Asking who is there before something dangerous, and going on with it afterwards."""

import json
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from appliance.errors import HomeportError
from appliance.store import factors
from appliance.web.page import Form, local, render
from appliance.web.routes import actor_of, ctx_of

SECRET = ("password", "token", "secret", "passphrase", "code", "credential")


async def ask(request: Request, why: HomeportError) -> Response:
    """In place of what was asked for by a form. What was typed waits, but for secrets, which are typed again."""
    form = await request.form(max_files=0, max_fields=50)
    typed = {name: value for name, value in form.items() if isinstance(value, str) and not _is_secret(name)}
    return show(request, request.url.path, json.dumps(typed), code=why.status)


def show(request: Request, to: str, typed: str = "", form: Form | None = None, code: int = 200) -> Response:
    found = factors.of_person(ctx_of(request).db.read(), actor_of(request).person_id)
    return render(
        request,
        "account/confirm.html",
        code,
        form=form or Form(fields=("password", "code")),
        to=local(to),
        typed=typed,
        factors=found,
        action="/confirm",
        back=local(request.headers.get("referer", "").removeprefix(str(request.base_url).rstrip("/")), "/account"),
    )


def read_again(text: str) -> Mapping[str, str]:
    """What was typed; only ever shown to whoever sends it."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {str(name): value for name, value in found.items() if isinstance(value, str) and not _is_secret(str(name))}


def _is_secret(name: str) -> bool:
    return any(word in name for word in SECRET)
