"""What stands before a site: a page while it is being worked on, or a question for its password."""

import base64
import binascii
import hashlib
from collections import OrderedDict

from appliance.access import passwords
from appliance.model.rules import Guard

MOST_REMEMBERED = 1000
_good: OrderedDict[bytes, None] = OrderedDict()  # what was checked lately and was right, so that no file waits for it


def lets_in(guard: Guard, authorization: bytes) -> bool:
    """Whether this is the name and the password."""
    if not guard.password:
        return True
    mark = hashlib.sha256(b"\0".join((guard.user.encode(), guard.password.encode(), authorization))).digest()
    if mark in _good:
        return True
    if not _matches(guard, authorization):
        return False
    _good[mark] = None
    while len(_good) > MOST_REMEMBERED:
        _good.popitem(last=False)
    return True


def _matches(guard: Guard, authorization: bytes) -> bool:
    scheme, _, given = authorization.partition(b" ")
    if scheme.lower() != b"basic":
        return False
    try:
        user, colon, password = base64.b64decode(given.strip(b" ")).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return False
    return bool(colon) and user == guard.user and passwords.matches(password, guard.password)
