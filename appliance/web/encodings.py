"""Files that lie compressed beside themselves: which of them a visitor takes, judged as NGINX judges it."""

import re

FORMS = ((b"br", b".br"), (b"zstd", b".zst"), (b"gzip", b".gz"))  # the first that is taken and there is sent
_WEIGHT = re.compile(rb"1(?:\.0*)?|0\.(?=[0-9]*[1-9])[0-9]{1,3}")


def takes(coding: bytes, accepted: bytes) -> bool:
    """Whether an Accept-Encoding names this coding, and with any weight but none. A `*` names none."""
    for part in accepted.lower().split(b","):
        name, semicolon, rest = part.strip(b" ").partition(b";")
        if name.rstrip(b" ") == coding:
            return not semicolon or _weighs(rest.strip(b" "))
    return False


def _weighs(parameter: bytes) -> bool:
    name, equals, value = parameter.partition(b"=")
    return name.strip(b" ") == b"q" and bool(equals) and _WEIGHT.fullmatch(value.strip(b" ")) is not None
