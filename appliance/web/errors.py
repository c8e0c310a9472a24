"""Errors at the edge: one shape for programs, one page for people."""

import json
import logging
from contextlib import suppress
from http import HTTPStatus
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Scope

from appliance.access import refused
from appliance.access.confirmed import CODE as CONFIRM
from appliance.errors import BadBundle, BadRequest, HalfWay, HomeportError, Invalid, Lacking, NotFound
from appliance.store.db import NotNow
from appliance.web.headers import with_safe_headers
from appliance.web.routes import methods_at

logger = logging.getLogger("homeport.web")


def problem(error: HomeportError, request_id: str, **more: object) -> dict[str, object]:
    """RFC 9457."""
    body: dict[str, object] = {
        "type": f"urn:homeport:{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "errors": error.errors if isinstance(error, Invalid) else {},
    }
    if error.todo:
        body["todo"] = list(error.todo)
    if error.said:
        body["said"] = error.said
    if isinstance(error, BadBundle) and error.entry is not None:
        body["entry"] = error.entry
    if isinstance(error, Lacking):
        body["missing"], body["more"] = error.missing, error.more
    if isinstance(error, HalfWay):
        body["ticket"], body["ways"] = error.ticket, error.ways
    return {**body, "request_id": request_id, **more}


def problem_response(error: HomeportError, request_id: str, **more: object) -> Response:
    text = json.dumps(problem(error, request_id, **more), ensure_ascii=False)
    return Response(
        text.encode("utf-8", "replace"), error.status, media_type="application/problem+json", headers=error.headers
    )


def respond(scope: Scope, error: HomeportError) -> Response:
    """A page for a browser, a problem for anything else."""
    if error.said or error.status >= 500:  # somebody else's words may be in it
        redact = scope["state"]["ctx"].redact
        error.detail, error.said = redact(error.detail), redact(error.said)
    if not wants_page(scope):
        return problem_response(error, scope["state"]["request_id"])
    if error.status == 401 and error.code == "not_signed_in":
        return _to_sign_in(scope)
    if error.code == "second_factor_needed":
        return RedirectResponse("/account", 303)
    if error.code == CONFIRM and scope["method"] == "GET":
        return RedirectResponse(f"/confirm?to={quote(_here(scope))}", 303)
    from appliance.web.page import error_page

    return error_page(Request(scope), error)


async def on_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HomeportError)  # noqa: S101 - registered for this class
    if error.code == CONFIRM and request.method == "POST" and wants_page(request.scope):
        from appliance.web.confirming import ask

        return await ask(request, error)
    if error.refused and request.method not in ("GET", "HEAD", "OPTIONS"):
        await run_in_threadpool(_put_on_record, request, error)
    return respond(request.scope, error)


def _put_on_record(request: Request, error: HomeportError) -> None:
    state, names = request.scope["state"], request.path_params
    asked = f"{request.method} {request.url.path}"
    place = names.get("project"), names.get("environment")
    with suppress(NotNow):
        refused.turned_away(state["ctx"], state["actor"], asked, permission=error.refused, place=place)


async def on_http(request: Request, error: Exception) -> Response:
    """What the router itself refuses."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class
    if error.status_code == 404:
        return respond(request.scope, NotFound("There is nothing at this address."))
    if error.status_code == 405:
        error.headers = {"Allow": ", ".join(methods_at(request.app.routes, request.scope["path"]))}
    return respond(request.scope, _Refused(error))


async def on_gone(request: Request, error: Exception) -> Response:
    """The visitor left in the middle of sending; nobody reads this."""
    return respond(request.scope, BadRequest("The request ended before it was whole.", code="cut_off"))


async def on_fault(request: Request, error: Exception) -> Response:
    """A fault of ours: the trace goes to the log, the visitor gets words and a number to quote."""
    logger.error("request %s failed", request.scope["state"]["request_id"], exc_info=error)
    response = respond(request.scope, HomeportError("Homeport met an error of its own. Nothing was changed half way."))
    response.headers["Connection"] = "close"  # the server hangs up on a fault
    response.raw_headers = with_safe_headers(response.raw_headers, request.scope["state"]["request_id"])
    return response


class _Refused(HomeportError):
    """The router's own refusal, such as a method that an address does not take."""

    def __init__(self, error: HTTPException) -> None:
        phrase = HTTPStatus(error.status_code).phrase
        super().__init__(f"{phrase}.", code=f"http_{error.status_code}", headers=error.headers)
        self.status, self.title = error.status_code, phrase


def wants_page(scope: Scope) -> bool:
    path: str = scope["path"]
    if path.startswith(("/api/", "/healthz", "/metrics")):
        return False
    headers = Headers(scope=scope)
    return "authorization" not in headers and "text/html" in headers.get("accept", "")


def _to_sign_in(scope: Scope) -> Response:
    where = f"/login?back={quote(_here(scope))}"
    headers: dict[str, str] = {}
    if Headers(scope=scope).get("hx-request"):
        headers["HX-Redirect"] = where
    return RedirectResponse(where, 303, headers=headers)


def _here(scope: Scope) -> str:
    query: bytes = scope["query_string"]
    path: str = scope["path"]
    return path + (f"?{query.decode('latin-1')}" if query else "")
