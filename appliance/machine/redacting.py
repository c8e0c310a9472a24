"""Secrets taken out of text, in whatever spelling they come."""

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

INSTEAD = "(secret)"
SHORTEST = 8  # characters; what is shorter would be found everywhere


class Redactor:
    """Knows each secret, and how it looks in a URL, in JSON, in a page, in base64 and in hexadecimal."""

    def __init__(self, secrets: Iterable[str]) -> None:
        once = {form for secret in secrets if len(secret) >= SHORTEST for form in spellings(secret)}
        forms = once.union(*map(_quoted, once))
        self.longest = max(map(len, forms), default=0)
        found = "|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True))
        self._pattern = re.compile(found) if found else None

    def __call__(self, text: str) -> str:
        return self._pattern.sub(INSTEAD, text) if self._pattern else text


def spellings(secret: str) -> Iterator[str]:
    """Every form in which it could come back."""
    yield secret
    for escaped in (quote(secret), quote(secret, safe=""), quote_plus(secret)):
        yield escaped
        yield re.sub("%..", lambda code: code[0].lower(), escaped)
    for quoted in (json.dumps(secret), json.dumps(secret, ensure_ascii=False), json.dumps(json.dumps(secret)[1:-1])):
        yield quoted[1:-1]
        yield quoted[1:-1].replace("/", "\\/")
    yield repr(secret)[1:-1]
    yield html.escape(secret)
    yield html.escape(secret).replace("&#x27;", "&#39;").replace("&quot;", "&#34;")
    yield from _encoded(secret.encode())


def _quoted(text: str) -> set[str]:
    """As a program shows it that got it in another form: in a trace, in JSON."""
    doubled = text.replace("\\", "\\\\")
    return {doubled, doubled.replace("'", "\\'"), doubled.replace('"', '\\"')}


def _encoded(raw: bytes) -> Iterator[str]:
    """Base64 also where it stands in the middle of something, as in `user:secret`: only what is of it alone counts."""
    for before in range(3):
        whole = base64.b64encode(bytes(before) + raw).decode().rstrip("=")
        first = (0, 2, 3)[before]
        inner = whole[first:] if (before + len(raw)) % 3 == 0 else whole[first:-1]
        yield inner
        yield inner.translate(str.maketrans("+/", "-_"))
    yield raw.hex()
    yield raw.hex().upper()
