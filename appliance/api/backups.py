"""Backups: taken, listed, downloaded, deleted."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from appliance.api.answers import answer, nothing, page_asked, page_of
from appliance.backups import create, delete, find
from appliance.backups.download import open_for
from appliance.model.backups import Backup
from appliance.store import backups
from appliance.web.routes import actor_of, ctx_of, doc


@doc("Backups, newest first", returns=Backup, listing=True)
async def listed(request: Request) -> Response:
    cursor, limit = page_asked(request)
    page = backups.newest(ctx_of(request).db.read(), cursor=cursor, limit=limit)
    return page_of(page.items, page.next)


@doc("Take a backup", returns=Backup, status=202)
async def created(request: Request) -> Response:
    """It is taken by a job; ask for it to see how far it is."""
    made = await run_in_threadpool(create.create_backup, ctx_of(request), actor_of(request))
    return answer(made, 202, {"Location": f"/api/v1/backups/{made.id}"})


@doc("Show a backup", returns=Backup)
def shown(request: Request) -> Response:
    return answer(find.find_backup(ctx_of(request), request.path_params["backup"]))


@doc("Download a backup", binary="application/x-tar")
def downloaded(request: Request) -> Response:
    """From the folder or bucket that it is kept in."""
    ctx = ctx_of(request)
    opened = open_for(ctx, actor_of(request), request.path_params["backup"])
    headers = {
        "Content-Length": str(opened.size),
        "Content-Disposition": f'attachment; filename="{opened.name}"',
        "Digest": f"sha-256={opened.sha256}",
        "Cache-Control": "no-store",
    }
    return StreamingResponse(opened.chunks, media_type="application/x-tar", headers=headers)


@doc("Delete a backup", status=204)
def deleted(request: Request) -> Response:
    delete.delete_backup(ctx_of(request), actor_of(request), request.path_params["backup"])
    return nothing()
