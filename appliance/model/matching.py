"""What a source of `_redirects` and `_headers` matches, as regular expressions that Python and PCRE read alike.

They are for bytes, made of plain ASCII without quotes, and match from the first byte to the last. Their groups are what
`names` says, in that order.
"""

import re

NAME = r":[A-Za-z][A-Za-z0-9_]*"
QUERY_VALUE = "[A-Za-z0-9_~%+-][A-Za-z0-9._~%+-]*"  # of a parameter that is taken over into a target
_PIECE = re.compile(rf"\*|{NAME}|.", re.DOTALL)
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_/-")
_UNRESERVED = frozenset("._~")
SPLAT = "splat"


def takes(source: str) -> bool:
    """Whether there is anything in a source that matches more than itself."""
    return any(len(piece) > 1 or piece == "*" for piece in _PIECE.findall(source))


def names(source: str) -> tuple[str, ...]:
    """What the groups of its expressions are called in the target."""
    pieces = _PIECE.findall(source)
    return tuple(SPLAT if one == "*" else one[1:] for one in pieces if one == "*" or len(one) > 1)


def as_served(source: str) -> str:
    """Matches the path as it is served: decoded, without empty and dot parts. A slash at the end is as good as none."""
    return rf"(?s)^{_made(source, _served, name='([^/]+)', inner='(.+)', last='(.*)')}(?!.)"


def as_sent(source: str, *, whole: bool = False) -> str:
    r"""Matches the path as it was sent, up to its query. `whole`: nothing empty may be taken by a `*` at the end.

    What is taken never begins with a slash and has no backslash, so that no target becomes another host by it.
    """
    inner = r"((?!/)[^?\\]+)"
    last = inner if whole else r"((?!/)[^?\\]*)"
    made = _made(source, _sent, name=r"([^/?\\]+)", inner=inner, last=last)
    return rf"(?s)^{made}(?![^?])"


def language(asked: tuple[str, ...]) -> str:
    """Matches an Accept-Language that names one of these first."""
    return rf"(?i)^ *(?:{'|'.join(asked)})(?:[-,;\s]|(?!.))"


def _made(source: str, literal: dict[str, str], *, name: str, inner: str, last: str) -> str:
    tail = ""
    if source.endswith("/*"):
        source, tail = source[:-2], f"(?:/{last})?" if last.endswith("*)") else f"/{last}"
    elif source != "/":
        source, tail = source.rstrip("/"), "/?"
    made = []
    for piece in _PIECE.findall(source):
        if piece == "*":
            made.append(inner)
        elif len(piece) > 1:
            made.append(name)
        else:
            made += [literal.get(chr(byte)) or _hex(byte) for byte in piece.encode()]
    return "".join(made) + tail


def _hex(byte: int) -> str:
    return rf"\x{byte:02x}"


def _percent(byte: int) -> str:
    digits = "".join(one if one.isdigit() else f"[{one}{one.lower()}]" for one in f"{byte:02X}")
    return f"%{digits}"


_served = {one: one for one in _PLAIN} | {one: rf"\{one}" for one in "."}
_sent = (
    {chr(byte): rf"(?:{_percent(byte)}|{_hex(byte)})" for byte in range(33, 127)}
    | {chr(byte): _percent(byte) for byte in (*range(33), *b"?#\\", *range(127, 256))}
    | {one: one if one in _PLAIN else _hex(ord(one)) for one in _PLAIN | _UNRESERVED}
)
