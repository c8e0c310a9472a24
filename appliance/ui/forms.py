"""What came from a form, and showing it again as it was typed."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from appliance.errors import BadRequest, Conflict, HomeportError, Invalid
from appliance.web.page import Form

T = TypeVar("T")
Wrong = (Invalid, Conflict, BadRequest)  # what can be corrected in the form


async def typed(request: Request) -> dict[str, str]:
    """The fields of a small form; files have no place in it."""
    form = await request.form(max_files=0, max_fields=50)
    return {name: value for name, value in form.items() if isinstance(value, str)}


async def do(act: Callable[[], T]) -> T:
    """Run an operation beside the event loop."""
    return await run_in_threadpool(act)


def again(raw: Mapping[str, str], why: HomeportError, *, fields: tuple[str, ...], about: str) -> Form:
    """The form as it was typed, with what is wrong; `about` is the field that a conflict is about."""
    shown = {name: value for name, value in raw.items() if "password" not in name and "token" not in name}
    if isinstance(why, Invalid):
        return Form(shown, why.errors, fields)
    return Form(shown, {about: " ".join((why.detail, *why.todo))}, fields)
