"""Server-sent events."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Event:
    name: str
    id: str
    data: str


def parse_events(chunks: Iterable[bytes]) -> Iterator[Event]:
    """Server-sent events. Only line feeds end a line: a log may hold any other separator as text."""
    fields: dict[str, list[str]] = {}
    for line in _lines(chunks):
        if line:
            name, _, value = line.partition(":")
            fields.setdefault(name, []).append(value.removeprefix(" "))
            continue
        if "data" in fields or "event" in fields:
            name, last = fields.get("event", ["message"])[-1], fields.get("id", [""])[-1]
            yield Event(name, last, "\n".join(fields.get("data", [])))
        fields = {}


def _lines(chunks: Iterable[bytes]) -> Iterator[str]:
    left = b""
    for chunk in chunks:
        *whole, left = (left + chunk).split(b"\n")
        for line in whole:
            yield line.removesuffix(b"\r").decode("utf-8", "replace")
