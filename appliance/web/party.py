"""Whom passkeys are made for: this appliance, by the address that it knows as its own."""

from urllib.parse import urlsplit

from starlette.requests import Request

from appliance.machine.webauthn import Party
from appliance.web.routes import ctx_of

USUAL = {"http": 80, "https": 443}


def party_of(request: Request) -> Party:
    """The address that was set; without one, the name that the visitor came by."""
    scheme = "https" if request.state.secure else "http"
    said = f"{scheme}://{request.headers.get('host', '')}"
    url = urlsplit(ctx_of(request).settings.url or said)
    host = (url.hostname or "").rstrip(".")
    port = f":{url.port}" if url.port and url.port != USUAL.get(url.scheme) else ""
    return Party(host, f"{url.scheme}://{host}{port}")
