"""A variable: a name and a value of an environment, or of a project, whose environments share it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Self

from appliance.model.fields import HALF, Reader

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
OURS = "HOMEPORT_"
LONGEST = 128  # characters of a name
LARGEST = 64 << 10  # bytes of a value
LARGEST_TOGETHER = 1 << 20  # bytes of all that one environment or project has: more than most systems start with
MOST = 200  # names in one environment or project


@dataclass(frozen=True)
class Variable:
    """As it is kept: its value is sealed, whether it is secret or not."""

    id: str
    project_id: int
    environment_id: int | None  # None for one that the project's environments share
    name: str
    secret: bool
    sealed: str = field(repr=False)
    changed_at: str
    changed_by: str


@dataclass(frozen=True)
class ShownVariable:
    """A variable as it may be shown."""

    name: str
    value: Annotated[str | None, "Null for a secret, whose value is never shown"] = field(repr=False)
    secret: bool
    shared: Annotated[bool, "Whether it is the project's, for all of its environments"]
    overrides: Annotated[bool, "Whether the environment has it in place of a shared one of this name"]
    lost: Annotated[bool, "Whether its value can't be opened any more, and has to be entered again"]
    changed_at: str
    changed_by: str


@dataclass(frozen=True)
class Change:
    """What becomes, or has become, of one name."""

    name: str
    change: Annotated[str, "`added`, `changed`, `removed`, `same`, or `kept`: a secret that nothing was given for"]


@dataclass(frozen=True)
class NewValue:
    """What one name is set to."""

    value: Annotated[str | None, "Any text of at most 64 KiB, taken byte by byte; left out, it stays as it is"] = field(
        default=None, repr=False
    )
    secret: Annotated[
        bool | None, "Whether it is never shown again; left out, it stays as it is, and a new one is plain"
    ] = None

    @classmethod
    def parse(cls, raw: object) -> Self:
        reader = Reader(raw)
        made = cls(reader.exact("value", value_of), reader.yes("secret"))
        reader.done()
        return made


@dataclass(frozen=True)
class NewVariable(NewValue):
    name: Annotated[str, "Letters, digits and _, at most 128, no digit first; HOMEPORT_ is taken"] = ""

    @classmethod
    def parse(cls, raw: object) -> Self:
        reader = Reader(raw)
        name = reader.checked("name", variable_name, missing="Enter a name")
        made = cls(reader.exact("value", value_of), reader.yes("secret"), name or "")
        reader.done()
        return made


@dataclass(frozen=True)
class NewVariables:
    """All that there will be."""

    variables: Annotated[tuple[NewVariable, ...], "What is not in it is removed"]

    @classmethod
    def parse(cls, raw: object) -> Self:
        reader = Reader(raw)
        if isinstance(raw, dict) and "variables" not in raw:
            reader.wrong("variables", "Send the list of all variables")
        made = cls(_several(reader))
        reader.done()
        return made


@dataclass(frozen=True)
class VariablesPatch:
    """What is set, and what goes."""

    variables: Annotated[tuple[NewVariable, ...], "What to set; all else stays as it is"] = ()
    remove: Annotated[tuple[str, ...], "Names to remove"] = ()

    @classmethod
    def parse(cls, raw: object) -> Self:
        reader = Reader(raw)
        variables, remove = _several(reader), reader.several("remove", variable_name)
        if both := {one.name for one in variables} & set(remove):
            reader.wrong("remove", f"{min(both)} is to be set and removed at once")
        reader.done()
        return cls(variables, remove)


@dataclass(frozen=True)
class Import:
    text: Annotated[str, "What the `.env` file says"] = field(repr=False)
    secret: Annotated[bool, "Whether names that are new here become secrets"] = False

    @classmethod
    def parse(cls, raw: object) -> Self:
        reader = Reader(raw)
        text = reader.exact("text", _text, missing="Send the text of the file")
        made = cls(text or "", bool(reader.yes("secret", default=False)))
        reader.done()
        return made


@dataclass(frozen=True)
class Imported:
    applied: Annotated[bool, "False for a preview"]
    changes: Annotated[tuple[Change, ...], "In the order of the file"]


def variable_name(text: str) -> str:
    if not NAME.fullmatch(text):
        first = "Enter a name that starts with a letter or _" if text[:1].isdigit() else ""
        raise ValueError(first or "Use only the letters A to Z, digits and _ in a name")
    if len(text) > LONGEST:
        raise ValueError(f"Keep a name to {LONGEST} characters")
    if text.startswith(OURS):
        raise ValueError(f"Names that start with {OURS} are Homeport's own; choose another")
    return text


def value_of(text: str) -> str:
    if "\0" in text:
        raise ValueError("A value can't hold a NUL character: no program could read what is after it")
    if HALF.search(text):
        raise ValueError("This has half a character in it; type it again")
    if len(text.encode()) > LARGEST:
        raise ValueError("Keep a value to 64 KiB")
    return text


def size_of(values: Sequence[str]) -> int:
    return sum(len(value.encode()) for value in values)


def _text(text: str) -> str:
    """The reader of the file says better what is wrong inside it."""
    if HALF.search(text):
        raise ValueError("This has half a character in it; send it as UTF-8")
    return text


def _several(reader: Reader) -> tuple[NewVariable, ...]:
    variables = reader.each("variables", NewVariable.parse, most=MOST)
    seen: set[str] = set()
    for one in variables:
        if one.name in seen:
            reader.wrong("variables", f"{one.name} is in it twice")
        seen.add(one.name)
    return variables
