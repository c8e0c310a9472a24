"""Bundles: what was uploaded, kept and downloadable."""

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from appliance.api.answers import answer
from appliance.deploy import paths
from appliance.errors import NotFound
from appliance.model.bundles import Bundle
from appliance.store import bundles
from appliance.web.routes import ctx_of, doc


@doc("Show a bundle", returns=Bundle)
async def shown(request: Request) -> Response:
    return answer(_find(request))


@doc("Download a bundle, the same bytes", binary="application/zip")
async def downloaded(request: Request) -> Response:
    """The same bytes that were uploaded."""
    bundle = _find(request)
    path = paths.bundle_file(ctx_of(request), bundle.sha256)
    if not path.exists():
        raise NotFound(f"The file of bundle {bundle.sha256[:7]} is missing in the data folder.", code="no_file")
    name = bundle.filename if bundle.filename.endswith(".zip") else f"{bundle.sha256[:12]}.zip"
    headers = {"Digest": f"sha-256={bundle.sha256}", "Cache-Control": "private, immutable, max-age=31536000"}
    return FileResponse(path, media_type="application/zip", filename=name, headers=headers)


def _find(request: Request) -> Bundle:
    sha256 = request.path_params["sha256"]
    found = bundles.find(ctx_of(request).db.read(), sha256)
    if found is None:
        raise NotFound("There is no such bundle here.", code="no_bundle")
    return found
