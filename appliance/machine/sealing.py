"""Secrets at rest: encrypted with a key that is kept elsewhere."""

import base64


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
