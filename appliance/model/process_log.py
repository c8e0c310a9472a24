"""The process log: what Homeport did outside of itself, a line each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Self

from appliance.errors import Invalid
from appliance.model.activity import moment_asked
from appliance.model.fields import UNSEEN

AREAS = {
    "homeport": "Homeport itself",
    "nginx": "NGINX",
    "dns": "DNS",
    "certificates": "Certificates",
    "notifications": "Notifications",
    "mail": "E-mail",
    "backups": "Backups",
}
LEVELS = ("info", "warn", "error")
MARKS = {"warn": "Warning: ", "error": "Error: "}
LONGEST = 8_000
LONGEST_ASKED = 200


@dataclass(frozen=True)
class LogLine:
    id: int
    at: str
    area: Annotated[str, f"One of {', '.join(f'`{name}`' for name in AREAS)}"]
    level: Annotated[str, "`info`, `warn` or `error`"]
    subject: Annotated[str, "What it is about, such as a host; empty where it is about none"]
    project: Annotated[str | None, "The project that it belongs to"]
    text: str
    todo: Annotated[tuple[str, ...], "What to do, in order"]

    @property
    def words(self) -> str:
        """The line for people: what it is about, what happened, and what to do."""
        about = f"{self.subject}: " if self.subject and self.subject not in self.text else ""
        return " ".join((f"{about}{self.text}", *self.todo))

    @property
    def plain(self) -> str:
        return f"{self.at} {self.area:<13} {MARKS.get(self.level, '')}{self.words}"


@dataclass(frozen=True)
class LogAsked:
    """Which lines are asked for; empty for any."""

    area: str = ""
    level: str = ""  # this one, and those that are worse
    q: str = ""
    project: str = ""
    since: str = ""

    @classmethod
    def parse(cls, asked: Mapping[str, str]) -> Self:
        texts = {name: asked.get(name, "").strip() for name in cls.__dataclass_fields__}
        long = {name for name, text in texts.items() if len(text) > LONGEST_ASKED}
        errors = dict.fromkeys(long, f"Use at most {LONGEST_ASKED} characters")
        for name, words in (("area", tuple(AREAS)), ("level", LEVELS)):
            if texts[name] and texts[name] not in words:
                errors[name] = f"Choose one of {', '.join(words)}"
        try:
            texts["since"] = moment_asked(texts["since"], end=False)
        except (ValueError, OverflowError):
            errors["since"] = "Enter a day such as 2026-11-20, or a time such as 2026-11-20T14:00:00Z"
        if errors:
            raise Invalid(errors)
        return cls(**texts)

    @property
    def levels(self) -> tuple[str, ...]:
        return LEVELS[LEVELS.index(self.level) :] if self.level else LEVELS

    @property
    def any(self) -> bool:
        return self != LogAsked()


def one_line(text: str) -> str:
    """Text that stays on its line, whatever wrote it; of a very long one, its beginning and its length."""
    short = text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text):,} characters in all)"
    return UNSEEN.sub("\N{REPLACEMENT CHARACTER}", short.replace("\t", "    "))
