"""What signing in by OAuth 2 takes, whoever the provider is: an address to go to, and asking for what came of it."""

import base64
import hashlib
import ipaddress
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from appliance import __version__
from appliance.errors import RemoteFailed
from appliance.machine import http

TIMEOUT = 10.0
MOST = 1 << 20  # bytes of an answer
LONGEST = 255  # characters of what names somebody there


@dataclass(frozen=True)
class Client:
    """What the provider knows this appliance as."""

    issuer: str
    id: str
    secret: str = field(repr=False)


@dataclass(frozen=True)
class Flow:
    """One sign-in on its way: what ties its end to its beginning."""

    back: str  # the address of ours that the provider sends people to
    state: str
    nonce: str
    verifier: str = field(repr=False)
    fresh: bool = False  # somebody has to show there again who they are


@dataclass(frozen=True)
class Who:
    """Whom the provider says that somebody is."""

    subject: str  # stays the same there, whatever else changes
    email: str
    verified: bool


class NotBelieved(RemoteFailed):
    """What the provider answered can't be trusted."""

    status = 403
    code = "not_believed"
    title = "The provider's answer was not believed"


def authorization(endpoint: str, client: Client, flow: Flow, scope: str, **more: str) -> str:
    """Where the browser goes, with the hash of a secret that only whoever began can show in the end."""
    asked = {
        "response_type": "code",
        "client_id": client.id,
        "redirect_uri": flow.back,
        "scope": scope,
        "state": flow.state,
        "code_challenge": _challenge(flow.verifier),
        "code_challenge_method": "S256",
        **more,
    }
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked, quote_via=quote)}"


def fetch(
    url: str, *, form: Mapping[str, str] | None = None, token: str = "", basic: Client | None = None
) -> tuple[int, Any]:
    """The status, and the JSON of the answer. Nothing is followed."""
    refuse_in_the_clear(url)
    headers = {
        "Host": urlsplit(url).netloc,
        "Accept": "application/json",
        "User-Agent": f"homeport/{__version__}",
    }
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if basic:
        pair = f"{quote(basic.id, safe='')}:{quote(basic.secret, safe='')}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    body = b""
    if form is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        body = urlencode(form).encode()
    with http.asked("GET" if form is None else "POST", url, headers, body, timeout=TIMEOUT) as answer:
        read = answer.read(MOST + 1)
    return answer.status, _json(url, answer.status, read)


def token_of(url: str, status: int, answer: Any) -> Mapping[str, Any]:
    """What a code was exchanged for. GitHub says no with 200, others with 400."""
    if not isinstance(answer, dict) or status != 200 or "error" in answer:
        said = str(answer.get("error", "")) if isinstance(answer, dict) else ""
        raise NotBelieved(
            f"{_host(url)} did not take the code that it had sent.",
            permanent=True,
            todo=("Begin again. If it stays like this, check the client's id and secret in Settings, Sign-in.",),
            said=said[:200] if said.isprintable() else "",
        )
    return answer


def subject_of(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST or not value.isprintable():
        raise NotBelieved("The provider did not say who this is.", permanent=True)
    return value


def refuse_in_the_clear(url: str) -> None:
    """Secrets and keys go over TLS, but on this very host."""
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme != "http" or not _is_here(parts.hostname or ""):
        raise NotBelieved(
            f"{url[:200]!r} is no address that begins with https://.", permanent=True, code="in_the_clear"
        )


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def _json(url: str, status: int, read: bytes) -> Any:
    try:
        if len(read) > MOST:
            raise ValueError("too long")
        return json.loads(read)
    except ValueError as why:
        raise NotBelieved(f"{_host(url)} answered {status} with something else than JSON.", permanent=False) from why


def _host(url: str) -> str:
    return urlsplit(url).netloc


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
