"""Which other sites' pages may use the API: by a key that they send, never by anybody's cookie."""

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Scope

from appliance.settings import Settings
from appliance.web.headers import Header

API = "/api/"
METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
SENT = (
    "Authorization, Content-Type, Content-Encoding, Content-Disposition, Idempotency-Key, If-None-Match, "
    "Last-Event-ID, Tus-Resumable, Upload-Concat, Upload-Checksum, Upload-Defer-Length, Upload-Length, "
    "Upload-Metadata, Upload-Offset"
)
SHOWN = (
    "Location, Retry-After, RateLimit, RateLimit-Policy, X-Request-Id, "
    "Tus-Resumable, Upload-Expires, Upload-Length, Upload-Offset"
)
KEPT = "600"  # seconds for which a browser need not ask again


def allowed(scope: Scope, headers: Headers, settings: Settings) -> str:
    """The origin of the page that asks, where it may."""
    if not settings.cors_origins or not scope["path"].startswith(API):
        return ""
    origin = headers.get("origin", "")
    return origin if origin in settings.cors_origins.split() else ""


def shares(origin: str) -> list[Header]:
    """The page may read the answer. Another origin would have got another one, which caches have to know."""
    told = [(b"access-control-allow-origin", origin.encode()), (b"access-control-expose-headers", SHOWN.encode())]
    return [*(told if origin else ()), (b"vary", b"Origin")]


def preflight(scope: Scope, headers: Headers) -> Response | None:
    """What a browser asks before it sends the request itself."""
    if scope["method"] != "OPTIONS" or "access-control-request-method" not in headers:
        return None
    answers = {"Access-Control-Allow-Methods": METHODS, "Access-Control-Allow-Headers": SENT}
    return Response(status_code=204, headers={**answers, "Access-Control-Max-Age": KEPT})
