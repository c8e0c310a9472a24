"""Secrets at rest: encrypted with a key that is kept elsewhere, or with a passphrase that a person keeps."""

import base64
import hashlib
import hmac
import json
import os

from appliance.errors import BadBackup

COST = 1 << 16  # of scrypt: with blocks of 8 it takes 64 MiB and about a fifth of a second
DEAREST = 1 << 20
MASTER_BYTES = 32
NONCE = 12
MARK = "hp1"  # what every sealed text begins with


class Master:
    """The key that is kept outside the database. What it wraps are other keys, one for each secret."""

    def __init__(self, secret: bytes) -> None:
        self.secret = secret
        self.id = self.key("which key this is").hex()[:32]

    def key(self, purpose: str) -> bytes:
        """A key of its own for each use."""
        return hmac.new(self.secret, purpose.encode(), hashlib.sha256).digest()


def new_master() -> Master:
    return Master(os.urandom(MASTER_BYTES))


def seal(master: Master, place: str, text: str) -> str:
    """Encrypted with a new key, and that with the master key. It opens in this place alone. Nothing stays nothing."""
    if not text:
        return ""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    key, nonce = os.urandom(32), os.urandom(NONCE)
    content = nonce + AESGCM(key).encrypt(nonce, text.encode(), _bound("content", place))
    return _written(master, _wrapped(master, place, key), content)


def unseal(master: Master, place: str, sealed: str) -> str | None:
    """None where it was sealed by another key, for another place, or was changed."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        wrapped, content = _read(sealed)
        key = _unwrapped(master, place, wrapped)
        return AESGCM(key).decrypt(content[:NONCE], content[NONCE:], _bound("content", place)).decode()
    except (InvalidTag, ValueError):
        return None


def wrap_anew(old: Master, new: Master, place: str, sealed: str) -> str | None:
    """The same, for another master key: what is inside is not opened. None where the old one doesn't fit."""
    from cryptography.exceptions import InvalidTag

    try:
        wrapped, content = _read(sealed)
        return _written(new, _wrapped(new, place, _unwrapped(old, place, wrapped)), content)
    except (InvalidTag, ValueError):
        return None


def sealed_by(sealed: str) -> str | None:
    """Which master key it takes; None where it is not of this form."""
    mark, _, rest = sealed.partition(".")
    return rest.partition(".")[0] if mark == MARK else None


def unseal_first_form(key: bytes, sealed: str) -> str | None:
    """As secrets were sealed before each had a key of its own."""
    from cryptography.fernet import Fernet, InvalidToken

    try:
        return Fernet(base64.urlsafe_b64encode(key)).decrypt(sealed.encode()).decode()
    except InvalidToken:
        return None


def _wrapped(master: Master, place: str, key: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(NONCE)
    return nonce + AESGCM(master.key("wrapping")).encrypt(nonce, key, _bound("key", place))


def _unwrapped(master: Master, place: str, wrapped: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(master.key("wrapping")).decrypt(wrapped[:NONCE], wrapped[NONCE:], _bound("key", place))


def _bound(what: str, place: str) -> bytes:
    return f"homeport\0{what}\0{place}".encode()


def _written(master: Master, wrapped: bytes, content: bytes) -> str:
    return ".".join((MARK, master.id, *(base64.urlsafe_b64encode(part).decode() for part in (wrapped, content))))


def _read(sealed: str) -> tuple[bytes, bytes]:
    mark, _, wrapped, content = sealed.split(".")
    if mark != MARK:
        raise ValueError("another form")
    return base64.urlsafe_b64decode(wrapped), base64.urlsafe_b64decode(content)


def lock_up(passphrase: str, content: bytes, *, bound_to: bytes) -> bytes:
    """Encrypt with a passphrase: scrypt and AES-256-GCM. It opens only together with what it is bound to."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    salt, nonce = os.urandom(16), os.urandom(12)
    locked = AESGCM(_stretched(passphrase, salt, COST)).encrypt(nonce, content, bound_to)
    how: dict[str, str | int] = {"kdf": "scrypt", "n": COST, "r": 8, "p": 1, "cipher": "aes-256-gcm"}
    parts = {"salt": salt, "nonce": nonce, "locked": locked}
    return json.dumps(how | {name: base64.b64encode(part).decode() for name, part in parts.items()}).encode()


def unlock(passphrase: str, text: bytes, *, bound_to: bytes) -> bytes:
    """BadBackup when the passphrase is another."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        found = json.loads(text)
        salt, nonce, locked = (base64.b64decode(found[name]) for name in ("salt", "nonce", "locked"))
        cost = int(found["n"])
        if not 1 < cost <= DEAREST or cost & (cost - 1) or (found["kdf"], found["cipher"]) != ("scrypt", "aes-256-gcm"):
            raise ValueError("unknown kind")
    except (ValueError, KeyError, TypeError) as why:
        raise BadBackup("The keys in the backup are locked in a way that this Homeport does not know.") from why
    try:
        return AESGCM(_stretched(passphrase, salt, cost)).decrypt(nonce, locked, bound_to)
    except InvalidTag:
        raise BadBackup(
            "The passphrase does not open the keys in this backup.", code="wrong_passphrase", todo=("Try another.",)
        ) from None


def _stretched(passphrase: str, salt: bytes, cost: int) -> bytes:
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    return Scrypt(salt=salt, length=32, n=cost, r=8, p=1).derive(passphrase.encode())
