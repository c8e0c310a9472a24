"""Settings as a file: YAML of one plain shape, each line with its meaning, read without any of YAML's surprises."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from appliance.errors import Invalid, TooLarge
from appliance.model.fields import HALF

VERSION = "1"
MOST = 64 << 10
HEAD = """\
# Settings of Homeport, all but the secrets. `homeport settings import FILE` takes it back, as Settings, File does,
# and shows first what it would change. A line behind a # is not saved: what the host says counts, else that default.
"""
FIELD = "file"  # what errors are about
Value = str | int | bool


@dataclass(frozen=True)
class Line:
    """One setting as the file has it."""

    name: str
    about: str
    value: Value
    saved: bool


@dataclass(frozen=True)
class SettingChange:
    name: str
    text: Annotated[str, "What it is for"]
    was: Annotated[str | None, "What is saved now; null where nothing is"]
    now: Annotated[str | None, "What would be saved; null where nothing would"]

    @property
    def words(self) -> str:
        if self.now is None:
            return f"{self.name} is forgotten: {_shown(self.was)} is not saved any more."
        if self.was is None:
            return f"{self.name} is saved as {_shown(self.now)}."
        return f"{self.name} changes from {_shown(self.was)} to {_shown(self.now)}."


@dataclass(frozen=True)
class SettingsPlan:
    """What a file changes, or would."""

    changes: tuple[SettingChange, ...]
    diff: Annotated[str, "The same as a unified diff of files"]
    applied: bool


def write(lines: Iterable[Line], secrets: Iterable[str]) -> str:
    """The same settings are the same bytes."""
    said = [HEAD, f"# Not in it: {', '.join(sorted(secrets))}.\n", f"version: {VERSION}\n", "settings:\n"]
    for line in sorted(lines, key=lambda one: one.name):
        said.append(f"  # {line.about}\n  {'' if line.saved else '# '}{line.name}: {_scalar(line.value)}\n")
    return "".join(said)


def read(text: str) -> dict[str, str]:
    """What it says to save, by name. Every value is text: which setting it fits is not for here."""
    from yaml import YAMLError

    if len(text.encode("utf-8", "replace")) > MOST:
        raise TooLarge(f"This file is larger than {MOST >> 10} KiB: it is no file of settings.")
    try:
        whole = _document(_events(text))
    except YAMLError as why:
        mark, problem = getattr(why, "problem_mark", None), getattr(why, "problem", None)
        raise _wrong(
            mark.line + 1 if mark else 0, f"it is not YAML: {problem or 'a character that can’t be in it'}"
        ) from why
    if unknown := [name for name in whole if name not in ("version", "settings")]:
        raise Invalid({FIELD: f"The file has {unknown[0][:60]!r} beside `version` and `settings`"})
    if whole.get("version") != VERSION:
        raise Invalid({FIELD: f"The file has to say `version: {VERSION}`: this Homeport knows no other form of it"})
    found = whole.get("settings") or {}
    if isinstance(found, str):
        raise Invalid({FIELD: "`settings` has to be names with values"})
    return {name: value for name, value in found.items() if isinstance(value, str)}


def _scalar(value: Value) -> str:
    """A plain word as it is; anything else in quotes, with what can't be seen spelled out."""
    if isinstance(value, (bool, int)):
        return str(value).lower()
    plain = value and value.isascii() and all(part.isalnum() for part in value.replace(".", "a").replace("-", "a"))
    return value if plain and not value.startswith("-") and not _means_more(value) else _quoted(value)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(one if one.isprintable() else f"\\U{ord(one):08x}" for one in escaped) + '"'


def _means_more(word: str) -> bool:
    """What a reader of YAML could take for a number, a date, or yes and no."""
    return word[0] in ".0123456789" or word.lower() in ("true", "false", "yes", "no", "on", "off", "null", "y", "n")


def _events(text: str) -> Iterator[Any]:
    """Without names for pieces, types and references, which this needs none of."""
    from yaml import BaseLoader, parse

    for event in parse(text, Loader=BaseLoader):
        if getattr(event, "anchor", None):
            raise _wrong(event.start_mark.line + 1, "it has an anchor or a reference, which is not taken here")
        if getattr(event, "tag", None):
            raise _wrong(event.start_mark.line + 1, "it names a type, which is not taken here")
        yield event


def _document(events: Iterator[Any]) -> dict[str, Any]:
    from yaml import DocumentEndEvent, DocumentStartEvent, MappingStartEvent, StreamEndEvent, StreamStartEvent

    found: dict[str, Any] = {}
    documents = 0
    for event in events:
        if isinstance(event, MappingStartEvent):
            found = _mapping(events, 1)
        elif isinstance(event, DocumentStartEvent):
            documents += 1
        elif not isinstance(event, (DocumentEndEvent, StreamStartEvent, StreamEndEvent)):
            raise _wrong(event.start_mark.line + 1, "a name with a value has to stand here")
        if documents > 1:
            raise _wrong(event.start_mark.line + 1, "a second document begins")
    return found


def _mapping(events: Iterator[Any], deeper: int) -> dict[str, Any]:
    from yaml import MappingEndEvent, MappingStartEvent, ScalarEvent

    found: dict[str, Any] = {}
    for event in events:
        line = event.start_mark.line + 1
        if isinstance(event, MappingEndEvent):
            break
        if not isinstance(event, ScalarEvent):
            raise _wrong(line, "a name has to stand here")
        if event.value in found:
            raise _wrong(line, f"{event.value[:60]!r} is there twice")
        value = next(events)
        if isinstance(value, ScalarEvent):
            if HALF.search(event.value + value.value):
                raise _wrong(line, "it has half a character in it")
            found[event.value] = value.value
        elif isinstance(value, MappingStartEvent) and deeper:
            found[event.value] = _mapping(events, deeper - 1)
        else:
            raise _wrong(line, f"{event.value[:60]!r} needs one value, not several")
    return found


def _wrong(line: int, what: str) -> Invalid:
    return Invalid({FIELD: f"The file can’t be read{f' at line {line}' if line else ''}: {what}"})


def _shown(value: str | None) -> str:
    return f"“{value}”" if value else "nothing"
