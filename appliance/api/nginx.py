"""NGINX's whole configuration, and what was edited by hand in Homeport's part of it."""

from dataclasses import dataclass
from typing import Annotated

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from appliance.api.answers import answer, seconds_asked
from appliance.api.shapes import UrlShape, of_url
from appliance.api.waiting import url_settled
from appliance.context import Context
from appliance.model.domains import Domain
from appliance.model.edits import SeenEdit, Tested
from appliance.projects import edits
from appliance.store import domains, nginx_edits
from appliance.web.routes import actor_of, ctx_of, doc

WAIT = {"wait": "Seconds to wait until the URL is active or failed"}


@dataclass(frozen=True)
class EditShape:
    host: str
    what: Annotated[str, "`changed`, `missing` or `taken` (something else is where a link was)"]
    detail: str
    diff: Annotated[str, "From what Homeport wrote to what is there, as a unified diff"]
    seen_at: str
    kept_at: Annotated[str | None, "When someone decided to keep the file as it is"]
    kept_by: str | None


@dataclass(frozen=True)
class NginxShape:
    tested: Annotated[Tested | None, "What NGINX said of its whole configuration when it was asked last"]
    edits: list[EditShape]
    deployments: Annotated[Domain | None, "The domain under which each deployment has an address, where one is set"]


@doc("Edits by hand, and what NGINX says of its whole configuration", returns=NginxShape)
async def shown(request: Request) -> Response:
    return answer(_of(ctx_of(request)))


@doc("Look for edits now, and have NGINX test its whole configuration", returns=NginxShape)
async def looked(request: Request) -> Response:
    ctx = ctx_of(request)
    await run_in_threadpool(edits.look, ctx)
    return answer(_of(ctx))


@doc("Write a URL's file and links anew, over an edit", returns=UrlShape, status=202, query=WAIT)
async def restored(request: Request) -> Response:
    ctx, seconds = ctx_of(request), seconds_asked(request)
    url = await run_in_threadpool(edits.restore, ctx, actor_of(request), request.path_params["host"])
    if seconds:
        url = await url_settled(ctx, url.host, seconds)
    return answer(of_url(url), 202)


@doc("Keep a URL's file as it was edited", returns=EditShape)
async def adopted(request: Request) -> Response:
    seen = await run_in_threadpool(edits.adopt, ctx_of(request), actor_of(request), request.path_params["host"])
    return answer(_of_edit(seen))


def _of(ctx: Context) -> NginxShape:
    db = ctx.db.read()
    return NginxShape(edits.tested(ctx), [_of_edit(seen) for seen in nginx_edits.everyone(db)], domains.find(db))


def _of_edit(seen: SeenEdit) -> EditShape:
    edit = seen.edit
    return EditShape(edit.host, edit.what, edit.detail, edit.diff, seen.seen_at, seen.kept_at, seen.kept_by)
