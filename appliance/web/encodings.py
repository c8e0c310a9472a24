"""Files that lie compressed beside themselves: which of them a visitor takes, judged as NGINX judges it."""

import re

FORMS = ((b"br", b".br"), (b"zstd", b".zst"), (b"gzip", b".gz"))  # the first that is taken and there is sent
_WEIGHED = re.compile(rb" *q=(?:1(?:\.0{0,3})?|0\.(?=[0-9]*[1-9])[0-9]{1,3})(?: .*)?")


def takes(coding: bytes, accepted: bytes) -> bool:
    """Whether an Accept-Encoding names this coding, and with any weight but none. A `*` names none."""
    for part in accepted.lower().split(b","):
        name, semicolon, rest = part.strip(b" ").partition(b";")
        if name.rstrip(b" ") == coding:
            return not semicolon or _WEIGHED.fullmatch(rest) is not None
    return False
