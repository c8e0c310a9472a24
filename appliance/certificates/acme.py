"""Asking an ACME server (RFC 8555) for a certificate. Every request is signed; what it says is read as JSON once."""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtensionOID

from appliance import __version__
from appliance.certificates import refusals
from appliance.errors import RemoteFailed
from appliance.machine import http

TIMEOUT = 30.0
MOST = 1 << 20  # bytes of an answer
NONCES = 10  # how often a nonce may be refused in a row; servers refuse some on purpose
READY, DONE = frozenset({"ready", "processing", "valid"}), frozenset({"valid"})


@dataclass(frozen=True)
class Bound:
    """An account elsewhere that the one here is bound to, where the server asks for one."""

    id: str
    key: str = field(repr=False)  # base64url, as the server's owner hands it out


@dataclass(frozen=True)
class Challenge:
    kind: str
    url: str
    token: str
    status: str


@dataclass(frozen=True)
class Authorization:
    """Whether the server has seen that a name is ours, and how it could."""

    name: str
    status: str
    challenges: tuple[Challenge, ...]
    error: Mapping[str, Any] = field(default_factory=dict)

    def by(self, kind: str) -> Challenge:
        found = next((one for one in self.challenges if one.kind == kind), None)
        if found is None:
            ways = ", ".join(one.kind for one in self.challenges) or "nothing"
            raise RemoteFailed(
                f"The certificate authority does not take {kind} for {self.name}, only {ways}.",
                permanent=True,
                code="acme_challenge",
                todo=("Choose another way to show that the name is yours, in Settings, Certificates.",),
            )
        return found


@dataclass(frozen=True)
class Order:
    url: str
    status: str
    authorizations: tuple[str, ...]
    finalize: str
    certificate: str
    error: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        try:
            found = json.loads(self.body)
        except ValueError:
            found = None
        return found if isinstance(found, dict) else {}


class Client:
    """One account at one server. Nothing is kept here that the next process would miss."""

    def __init__(self, directory: str, key: ec.EllipticCurvePrivateKey, account: str = "") -> None:
        self.account = account
        self._url = directory
        self._key = key
        self._nonces: list[str] = []
        self._known: dict[str, Any] = {}

    def register(self, email: str, bound: Bound | None = None) -> str:
        """Make the account, or find the one that this key has; gives its address."""
        if self.wants_binding and bound is None:
            raise refusals.of({"type": "externalAccountRequired"}, 403, self._url)
        wanted: dict[str, Any] = {"termsOfServiceAgreed": True, "contact": [f"mailto:{email}"] if email else []}
        if bound:
            wanted["externalAccountBinding"] = self._binding(bound)
        reply = self._post(self._place("newAccount"), wanted, named=False)
        self.account = reply.headers.get("location", "")
        if not self.account:
            raise refusals.strange(self._url, "it made an account without an address")
        return self.account

    def order(self, hosts: Sequence[str], replaces: str = "") -> Order:
        wanted: dict[str, Any] = {"identifiers": [{"type": "dns", "value": host} for host in hosts]}
        if replaces and self.tells_when:
            wanted["replaces"] = replaces
        reply = self._post(self._place("newOrder"), wanted)
        return self._order(reply.headers.get("location", ""), reply.json)

    def see(self, url: str) -> Order:
        """How far an order is."""
        return self._order(url, self._post(url, None).json)

    def authorization(self, url: str) -> Authorization:
        raw = self._post(url, None).json
        listed = [one for one in raw.get("challenges", ()) if isinstance(one, dict)]
        star = "*." if raw.get("wildcard") else ""
        return Authorization(
            star + str(raw.get("identifier", {}).get("value", "")),
            str(raw.get("status", "")),
            tuple(
                Challenge(*(str(one.get(name, "")) for name in ("type", "url", "token", "status"))) for one in listed
            ),
            next((one["error"] for one in listed if isinstance(one.get("error"), dict)), {}),
        )

    def ready(self, challenge: Challenge) -> None:
        """Have the server look."""
        self._post(challenge.url, {})

    def finalize(self, order: Order, key: ec.EllipticCurvePrivateKey, hosts: Sequence[str]) -> Order:
        names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
        asked = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).add_extension(names, critical=False)
        csr = asked.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)
        return self._order(order.url, self._post(order.finalize, {"csr": _b64(csr)}).json)

    def download(self, order: Order) -> str:
        """The chain as PEM."""
        return self._post(order.certificate, None).body.decode("ascii", "replace")

    @property
    def wants_binding(self) -> bool:
        """Whether an account has to be made elsewhere first."""
        return bool(self._directory.get("meta", {}).get("externalAccountRequired"))

    @property
    def tells_when(self) -> bool:
        """Whether the server says when to renew."""
        return "renewalInfo" in self._directory

    def window(self, leaf: x509.Certificate) -> tuple[datetime, datetime] | None:
        """From when to when the server would like this one renewed."""
        known = known_as(leaf)
        if not self.tells_when or not known:
            return None
        raw = self._get(f"{self._place('renewalInfo').rstrip('/')}/{known}").json
        try:
            begins, ends = (datetime.fromisoformat(raw["suggestedWindow"][name]) for name in ("start", "end"))
        except (KeyError, TypeError, ValueError):
            return None
        return (begins, ends) if begins.tzinfo and ends.tzinfo and begins <= ends else None

    def spoken(self, token: str) -> str:
        """What has to be found under a token."""
        return f"{token}.{_b64(hashlib.sha256(_canonical(self._jwk)).digest())}"

    def record(self, token: str) -> str:
        """The same, as it stands in DNS."""
        return _b64(hashlib.sha256(self.spoken(token).encode()).digest())

    @property
    def _directory(self) -> dict[str, Any]:
        if not self._known:
            self._known = self._get(self._url).json
            if "newOrder" not in self._known:
                raise refusals.strange(self._url, "what answers there is no ACME directory")
        return self._known

    def _place(self, name: str) -> str:
        return str(self._directory.get(name, ""))

    @property
    def _jwk(self) -> dict[str, str]:
        numbers = self._key.public_key().public_numbers()
        return {"crv": "P-256", "kty": "EC", "x": _b64(numbers.x.to_bytes(32)), "y": _b64(numbers.y.to_bytes(32))}

    def _binding(self, bound: Bound) -> dict[str, str]:
        """The public key here, signed with the key that was handed out there."""
        try:
            secret = base64.urlsafe_b64decode(bound.key + "=" * (-len(bound.key) % 4))
        except ValueError:
            secret = b""
        if not secret:
            raise RemoteFailed(
                "The key for the external account is not base64url.",
                permanent=True,
                code="acme_binding",
                todo=("Copy it again from the certificate authority into Settings, Certificates.",),
            )
        header = {"alg": "HS256", "kid": bound.id, "url": self._place("newAccount")}
        protected, payload = _b64(_canonical(header)), _b64(_canonical(self._jwk))
        mac = hmac.HMAC(secret, hashes.SHA256())
        mac.update(f"{protected}.{payload}".encode())
        return {"protected": protected, "payload": payload, "signature": _b64(mac.finalize())}

    def _order(self, url: str, raw: Mapping[str, Any]) -> Order:
        if not url or "status" not in raw:
            raise refusals.strange(self._url, "its answer is no order")
        error = raw.get("error")
        return Order(
            url,
            str(raw["status"]),
            tuple(str(one) for one in raw.get("authorizations", ())),
            str(raw.get("finalize", "")),
            str(raw.get("certificate", "")),
            error if isinstance(error, dict) else {},
        )

    def _post(self, url: str, payload: Mapping[str, Any] | None, *, named: bool = True) -> _Reply:
        """A nonce that is refused brings a new one along."""
        for _ in range(NONCES):
            reply = self._send("POST", url, self._signed(url, payload, named=named))
            problem = reply.json if reply.status >= 400 else {}
            if not str(problem.get("type", "")).endswith(":badNonce"):
                return self._good(reply, url)
        raise refusals.strange(self._url, f"it refused {NONCES} nonces of its own in a row")

    def _get(self, url: str) -> _Reply:
        return self._good(self._send("GET", url), url)

    def _good(self, reply: _Reply, url: str) -> _Reply:
        if reply.status >= 400:
            raise refusals.of(reply.json, reply.status, url, pause(reply.headers))
        return reply

    def _signed(self, url: str, payload: Mapping[str, Any] | None, *, named: bool) -> bytes:
        who: dict[str, Any] = {"kid": self.account} if named else {"jwk": self._jwk}
        protected = _b64(json.dumps({"alg": "ES256", "nonce": self._nonce(), "url": url, **who}).encode())
        content = "" if payload is None else _b64(json.dumps(payload).encode())
        r, s = decode_dss_signature(self._key.sign(f"{protected}.{content}".encode(), ec.ECDSA(hashes.SHA256())))
        signature = _b64(r.to_bytes(32) + s.to_bytes(32))
        return json.dumps({"protected": protected, "payload": content, "signature": signature}).encode()

    def _nonce(self) -> str:
        if not self._nonces:
            self._send("HEAD", self._place("newNonce"))
        if not self._nonces:
            raise refusals.strange(self._url, "it gave no nonce")
        return self._nonces.pop()

    def _send(self, method: str, url: str, body: bytes = b"") -> _Reply:
        headers = {"Host": urlsplit(url).netloc, "User-Agent": f"homeport/{__version__}"}
        if body:
            headers["Content-Type"] = "application/jose+json"
        with http.asked(method, url, headers, body, timeout=TIMEOUT) as answer:
            found = {name.lower(): value for name, value in answer.getheaders()}
            reply = _Reply(answer.status, found, answer.read(MOST))
        if nonce := found.get("replay-nonce"):
            self._nonces.append(nonce)
        return reply


def known_as(leaf: x509.Certificate) -> str:
    """What a certificate is called where renewal is spoken of: by the key of its issuer, and its number."""
    try:
        found = leaf.extensions.get_extension_for_oid(ExtensionOID.AUTHORITY_KEY_IDENTIFIER).value
    except x509.ExtensionNotFound:
        return ""
    if not isinstance(found, x509.AuthorityKeyIdentifier) or not found.key_identifier:
        return ""
    number = leaf.serial_number
    return f"{_b64(found.key_identifier)}.{_b64(number.to_bytes(number.bit_length() // 8 + 1))}"


def pause(headers: Mapping[str, str]) -> float:
    """Seconds that an answer asks to wait."""
    text = headers.get("retry-after", "").strip()
    if text.isdigit():
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return 0.0


def _canonical(found: Mapping[str, str]) -> bytes:
    return json.dumps(dict(found), sort_keys=True, separators=(",", ":")).encode()


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
