"""Secrets at rest: encrypted with a key that is kept elsewhere, or with a passphrase that a person keeps."""

import base64
import json
import os

from appliance.errors import BadBackup

COST = 1 << 16  # of scrypt: with blocks of 8 it takes 64 MiB and about a fifth of a second
DEAREST = 1 << 20


def seal(key: bytes, text: str) -> str:
    from cryptography.fernet import Fernet

    return Fernet(base64.urlsafe_b64encode(key)).encrypt(text.encode()).decode() if text else ""


def unseal(key: bytes, sealed: str) -> str:
    """Empty when it was sealed with another key: then it has to be entered again."""
    if not sealed:
        return ""
    from cryptography.fernet import Fernet, InvalidToken

    try:
        return Fernet(base64.urlsafe_b64encode(key)).decrypt(sealed.encode()).decode()
    except InvalidToken:
        return ""


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
