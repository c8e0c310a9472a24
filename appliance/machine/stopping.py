"""Someone's wish to stop, heard wherever this thread waits: for a process, for an answer."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from appliance.errors import Cancelled


@dataclass
class _Wish:
    asked: Callable[[], bool]
    heard: bool = False


_WISH: ContextVar[_Wish | None] = ContextVar("wish", default=None)


@contextmanager
def when(asked: Callable[[], bool]) -> Iterator[None]:
    """What waits in this block stops once `asked` says so."""
    token = _WISH.set(_Wish(asked))
    try:
        yield
    finally:
        _WISH.reset(token)


def may_come() -> bool:
    wish = _WISH.get()
    return wish is not None and not wish.heard


def check() -> None:
    """Cancelled, where it was asked. Only once: whatever takes things back after that goes to its end."""
    wish = _WISH.get()
    if wish is not None and not wish.heard and wish.asked():
        wish.heard = True
        raise Cancelled("It was asked to stop.")
