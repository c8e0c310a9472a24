"""What a browser says of a passkey, believed when it is whole, meant for us, and signed."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from appliance.errors import BadRequest

PRESENT, VERIFIED, ATTACHED = 0x01, 0x04, 0x40  # flags: somebody was there; was recognised; a key is enclosed
ALGORITHMS = (-8, -7, -257)  # Ed25519, ECDSA with P-256, RSA
WEAKEST_RSA = 2048
MOST = 4096  # bytes of any one part
PARTS = {
    "webauthn.create": ("clientDataJSON", "authenticatorData", "publicKey"),
    "webauthn.get": ("clientDataJSON", "authenticatorData", "signature"),
}


@dataclass(frozen=True)
class Party:
    """Whom passkeys are made for: a host name, and the one origin that may ask for them."""

    id: str
    origin: str


@dataclass(frozen=True)
class Made:
    credential: str
    public_key: bytes  # SubjectPublicKeyInfo, DER
    counter: int


@dataclass(frozen=True)
class Answered:
    """Whose passkey it claims to be, and what is left to check against its key."""

    credential: str
    challenge: bytes
    counter: int
    verified: bool
    user: bytes | None
    signature: bytes
    signed: bytes


def made(party: Party, credential: Mapping[str, Any]) -> tuple[Made, bytes]:
    """A new one, and the challenge that it answers. No maker vouches for it: we ask for none."""
    parts, challenge = _parts(party, credential, "webauthn.create")
    data = parts["authenticatorData"]
    if not data[32] & ATTACHED or len(data) < 55:
        raise _wrong("it holds no key")
    length = int.from_bytes(data[53:55], "big")
    name = _bytes(credential.get("rawId"), "rawId")
    if not 1 <= length <= 1023 or data[55 : 55 + length] != name:
        raise _wrong("its name is not the one inside")
    _load(parts["publicKey"])
    return Made(text_of(name), parts["publicKey"], int.from_bytes(data[33:37], "big")), challenge


def answered(party: Party, credential: Mapping[str, Any]) -> Answered:
    """Everything but the signature, for which its key has to be found first."""
    parts, challenge = _parts(party, credential, "webauthn.get")
    data, user = parts["authenticatorData"], credential["response"].get("userHandle")
    return Answered(
        credential=text_of(_bytes(credential.get("rawId"), "rawId")),
        challenge=challenge,
        counter=int.from_bytes(data[33:37], "big"),
        verified=bool(data[32] & VERIFIED),
        user=_bytes(user, "userHandle") if user else None,
        signature=parts["signature"],
        signed=data + hashlib.sha256(parts["clientDataJSON"]).digest(),
    )


def signed_by(public_key: bytes, answer: Answered) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding
    from cryptography.hazmat.primitives.hashes import SHA256

    key = _load(public_key)
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(answer.signature, answer.signed, ec.ECDSA(SHA256()))
        elif isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(answer.signature, answer.signed)
        else:
            key.verify(answer.signature, answer.signed, padding.PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


def text_of(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _parts(party: Party, credential: Mapping[str, Any], kind: str) -> tuple[dict[str, bytes], bytes]:
    """The parts of an answer of this kind, once who it is for and where it was asked for are right."""
    response = credential.get("response")
    if not isinstance(response, Mapping) or credential.get("type") != "public-key":
        raise _wrong("it is of another form")
    parts = {name: _bytes(response.get(name), name) for name in PARTS[kind]}
    said, data = _said(parts["clientDataJSON"]), parts["authenticatorData"]
    if said.get("type") != kind:
        raise _wrong("it was made for something else")
    if said.get("origin") != party.origin or said.get("crossOrigin") not in (None, False):
        raise _wrong(f"it was made at another address than {party.origin}")
    if len(data) < 37 or not hmac.compare_digest(data[:32], hashlib.sha256(party.id.encode()).digest()):
        raise _wrong(f"it is for another host than {party.id}")
    if not data[32] & PRESENT:
        raise _wrong("nobody was there")
    return parts, _bytes(said.get("challenge"), "challenge")


def _said(data: bytes) -> dict[str, Any]:
    try:
        said = json.loads(data)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise _wrong("what the browser says of it can't be read")
    return said


def _bytes(value: object, name: str) -> bytes:
    try:
        if not isinstance(value, str) or not value or len(value) > MOST:
            raise ValueError
        return base64.b64decode(value + "=" * (-len(value) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise _wrong(f"its {name} can't be read") from None


def _load(public_key: bytes) -> Any:
    """A key of a kind that we asked for."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        key = load_der_public_key(public_key)
    except (ValueError, UnsupportedAlgorithm):
        raise _wrong("its key can't be read") from None
    if (
        isinstance(key, ed25519.Ed25519PublicKey)
        or (isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1))
        or (isinstance(key, rsa.RSAPublicKey) and key.key_size >= WEAKEST_RSA)
    ):
        return key
    raise _wrong("its key is of a kind that Homeport does not take")


def _wrong(why: str) -> BadRequest:
    return BadRequest(f"The passkey was not taken: {why}.", code="bad_passkey", todo=("Try again.",))
