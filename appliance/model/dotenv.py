"""The text of a `.env` file: read all of it or nothing, and written so that it reads back the same."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from appliance.errors import Invalid
from appliance.model.variables import value_of, variable_name

MOST_WRONG = 20  # lines that are complained about at once
_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,=^-]*")
_HEAD = re.compile(r"[ \t]*(?:export[ \t]+)?(?P<name>[^=\s#'\"]+)[ \t]*=[ \t]*")
_AFTER = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\n|\Z)")
_DOUBLE = re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)"', re.DOTALL)
_SINGLE = re.compile(r"'([^']*)'")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_WITHHELD = "# {0} is a secret: its value is not in this file.\n{0}=\n"
_SAID = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "$": "$", "`": "`"}
_SPELLED = str.maketrans({"\\": "\\\\", '"': '\\"', "$": "\\$", "`": "\\`", "\n": "\\n", "\r": "\\r"})


class _NoEnd(ValueError):
    """A quote goes on to the end of the file."""


@dataclass(frozen=True)
class Entry:
    name: str
    value: str = field(repr=False)
    line: int


def read(text: str) -> tuple[Entry, ...]:
    """Every entry; or the lines that can't be taken, each with why, and nothing of the rest."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    found: dict[str, Entry] = {}
    wrong: dict[str, str] = {}
    at, line = 0, 1
    while at < len(text) and len(wrong) < MOST_WRONG:
        end = _end_of_line(text, at)
        following = end + 1
        try:
            name, value, following = _one(text, at, end)
            if name:
                _refuse_twice(name, found)
                found[name] = Entry(variable_name(name), value_of(value), line)
        except _NoEnd as why:
            wrong[f"line {line}"], following = str(why), len(text)
        except ValueError as why:
            wrong[f"line {line}"] = str(why)
        line += text.count("\n", at, following)
        at = following
    if wrong:
        raise Invalid({place: f"{place.capitalize()}: {why}" for place, why in wrong.items()})
    return tuple(found.values())


def write(entries: Iterable[tuple[str, str | None]]) -> str:
    """Names and values; a secret, whose value stays here, is a name with a comment."""
    return "".join(_WITHHELD.format(name) if value is None else f"{name}={_quoted(value)}\n" for name, value in entries)


def _one(text: str, at: int, end: int) -> tuple[str, str, int]:
    """Name and value of what begins here, no name for an empty line, and where the next one begins."""
    written = text[at:end]
    if not written.strip() or written.lstrip().startswith("#"):
        return "", "", end + 1
    head = _HEAD.match(text, at, end)
    if head is None:
        raise ValueError("Write NAME=value")
    start = head.end()
    if text[start : start + 1] in ("'", '"'):
        value, following = _in_quotes(text, start)
        return head["name"], value, following
    return head["name"], _uncommented(text[start:end]).strip(" \t"), end + 1


def _in_quotes(text: str, start: int) -> tuple[str, int]:
    """It may go on over several lines."""
    double = text[start] == '"'
    found = (_DOUBLE if double else _SINGLE).match(text, start)
    if found is None:
        raise _NoEnd("The quote that begins here has no end")
    after = _AFTER.match(text, found.end())
    if after is None:
        raise ValueError("Only a comment may follow the closing quote")
    value = _ESCAPE.sub(lambda escaped: _SAID.get(escaped[1], escaped[0]), found[1]) if double else found[1]
    return value, after.end()


def _end_of_line(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _uncommented(text: str) -> str:
    """A comment begins where nothing but space is before it."""
    at = text.find("#")
    while at > 0 and text[at - 1] not in " \t":
        at = text.find("#", at + 1)
    return text if at < 0 else text[:at]


def _refuse_twice(name: str, found: Mapping[str, Entry]) -> None:
    if name in found:
        raise ValueError(f"{name} is there already, in line {found[name].line}")


def _quoted(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    if "'" not in value and "\r" not in value:
        return f"'{value}'"
    return f'"{value.translate(_SPELLED)}"'
