"""Bundles: what was uploaded, kept and downloadable."""

from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse

from appliance.access.missing import no_bundle
from appliance.api.answers import answer
from appliance.deploy import paths
from appliance.deploy.delta import zip_of_made
from appliance.deploy.reach import as_seen
from appliance.errors import NotFound
from appliance.model.bundles import Bundle
from appliance.store import bundles
from appliance.web.routes import actor_of, ctx_of, doc


@doc("Show a bundle", returns=Bundle)
async def shown(request: Request) -> Response:
    return answer(as_seen(ctx_of(request), actor_of(request), _find(request)))


@doc("Download a bundle, the same bytes", binary="application/zip")
async def downloaded(request: Request) -> Response:
    """The same bytes every time; of what was deployed file by file, put together as they are sent."""
    ctx = ctx_of(request)
    bundle = as_seen(ctx, actor_of(request), _find(request))
    name = bundle.filename if bundle.filename.endswith(".zip") else f"{bundle.sha256[:12]}.zip"
    headers = {"Digest": f"sha-256={bundle.sha256}", "Cache-Control": "private, immutable, max-age=31536000"}
    path = paths.bundle_file(ctx, bundle.sha256)
    if path.exists():
        return FileResponse(path, media_type="application/zip", filename=name, headers=headers)
    if not bundle.made:
        raise NotFound(f"The file of bundle {bundle.sha256[:7]} is missing in the data folder.", code="no_file")
    pieces = zip_of_made(ctx, bundle)
    headers |= {"Content-Length": str(bundle.size), "Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(pieces, media_type="application/zip", headers=headers)


def _find(request: Request) -> Bundle:
    sha256 = request.path_params["sha256"]
    found = bundles.find(ctx_of(request).db.read(), sha256)
    if found is None:
        raise no_bundle()
    return found
