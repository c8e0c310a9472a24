"""Which form of our files is in place: after an upgrade they are written anew, and no file looks edited for that."""

import hashlib
from functools import cache
from importlib import resources
from pathlib import Path

from appliance import __version__
from appliance.machine import files
from appliance.settings import Settings


def is_new(settings: Settings) -> bool:
    """Whether what is in place was made by another form of this program."""
    try:
        return _file(settings).read_text("utf-8") != _ours()
    except FileNotFoundError:
        return True


def note(settings: Settings) -> None:
    """Everything in place is of this form now."""
    if is_new(settings):
        files.write_whole(_file(settings), _ours())


def begin(settings: Settings) -> None:
    """The first file of all was made."""
    if not _file(settings).exists():
        note(settings)


@cache
def _ours() -> str:
    known = hashlib.sha256(__version__.encode())
    for part in sorted(resources.files("appliance.nginx").iterdir(), key=lambda one: one.name):
        if part.name.endswith((".py", ".conf")):
            known.update(part.read_bytes())
    return known.hexdigest()


def _file(settings: Settings) -> Path:
    return settings.data / "nginx.version"
