"""Asking who is there before something dangerous, and going on with it afterwards."""

import json
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from appliance.errors import HomeportError
from appliance.store import factors, identities
from appliance.web.page import Form, local, render
from appliance.web.routes import actor_of, ctx_of

SECRET = ("password", "token", "secret", "passphrase", "code", "credential")


async def ask(request: Request, why: HomeportError) -> Response:
    """In place of what was asked for by a form. What was typed waits, but for secrets, which are typed again."""
    form = await request.form(max_files=0, max_fields=50)
    typed = {name: value for name, value in form.items() if isinstance(value, str)}
    kept = {name: value for name, value in typed.items() if not _is_secret(name)}
    secrets = any(value for name, value in typed.items() if _is_secret(name))
    return show(request, request.url.path, json.dumps({"typed": kept, "secrets": secrets}), code=why.status)


def show(request: Request, to: str, typed: str = "", form: Form | None = None, code: int = 200) -> Response:
    db, person = ctx_of(request).db.read(), actor_of(request).person_id
    found = factors.of_person(db, person)
    return render(
        request,
        "account/confirm.html",
        code,
        form=form or Form(fields=("password", "code")),
        to=local(to),
        typed=typed,
        factors=found,
        ways=identities.of_person(db, person),
        action="/confirm",
        back=local(request.headers.get("referer", "").removeprefix(str(request.base_url).rstrip("/")), "/account"),
    )


def read_again(text: str) -> tuple[Mapping[str, str], bool]:
    """What was typed, and whether there was something secret besides; only ever shown to whoever sends it."""
    try:
        found = json.loads(text)
        typed = found["typed"].items()
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError):
        return {}, False
    kept = {str(name): value for name, value in typed if isinstance(value, str) and not _is_secret(str(name))}
    return kept, bool(found.get("secrets"))


def _is_secret(name: str) -> bool:
    return any(word in name for word in SECRET)
