"""Activity: what anyone did, append-only and chained."""

import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Self

from appliance.errors import Invalid

LONGEST = 500  # characters of what is looked for


@dataclass(frozen=True)
class Activity:
    id: int
    at: str
    actor: Annotated[str, "Who did it: a person, or the name of a key"]
    actor_kind: Annotated[str, "`person`, `key`, `nobody` or `homeport`"]
    verb: Annotated[str, "What was done, such as `project.create`"]
    subject: Annotated[str, "To what, such as `blog` or `www.example.com`"]
    project: str | None
    environment: str | None
    deployment: Annotated[str | None, "The deployment that it is about"]
    door: Annotated[str, "How it came in: `browser`, `api`, `host` or `job`"]
    ip: str | None
    data: Annotated[dict[str, object], "Anything more that was recorded, such as what was and what is now"]
    person: Annotated[str | None, "The address of the person who did it, by themselves or with a key"] = None
    key_id: Annotated[str | None, "The key that it was done with"] = None
    hash: Annotated[str, "What binds the entry to all before it"] = ""


def link(key: bytes, before: str, values: Sequence[object]) -> str:
    """The hash of an entry: of all that it holds, and of the hash of the one before it."""
    text = json.dumps([before, *values], separators=(",", ":"))
    return hmac.new(key, text.encode(), "sha256").hexdigest()


@dataclass(frozen=True)
class Flaw:
    """A stretch of the record that isn't as it was written."""

    first: int
    last: int
    what: Annotated[str, "`edited`, `missing`, `cut` or `head`"]
    detail: Annotated[str, "What was seen, in words"]


@dataclass(frozen=True)
class Verified:
    whole: Annotated[bool, "Whether nothing was edited, removed, added or exchanged"]
    entries: Annotated[int, "How many were read"]
    last: Annotated[int, "The number of the newest"]
    hash: Annotated[str, "Its hash, which stands for all of them"]
    flaws: Annotated[tuple[Flaw, ...], "Where it isn't whole"]


@dataclass(frozen=True)
class Wanted:
    """Which entries are asked for; empty for any."""

    q: str = ""
    actor: str = ""
    person: str = ""
    key: str = ""  # its id or its name
    verb: str = ""  # whole, or its first word
    project: str = ""
    environment: str = ""
    since: str = ""
    until: str = ""  # not this moment itself

    @classmethod
    def parse(cls, asked: Mapping[str, str]) -> Self:
        texts = {name: asked.get(name, "").strip() for name in cls.__dataclass_fields__}
        errors = {name: f"Use at most {LONGEST} characters" for name, text in texts.items() if len(text) > LONGEST}
        for name in ("since", "until"):
            try:
                texts[name] = moment_asked(texts[name], end=name == "until")
            except (ValueError, OverflowError):
                errors[name] = "Enter a day such as 2026-11-20, or a time such as 2026-11-20T14:00:00Z"
        if errors:
            raise Invalid(errors)
        return cls(**texts)

    @property
    def any(self) -> bool:
        return self != Wanted()


def moment_asked(text: str, *, end: bool) -> str:
    """As it is written in the record. A day alone is meant whole."""
    if not text:
        return ""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    if end and len(text) == len("2026-11-20"):
        at += timedelta(days=1)
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
