"""A channel: where notifications go, which events, and of which projects."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Self

from appliance.model.fields import UNSEEN, Reader, name_of
from appliance.model.notices import EVENTS, USUAL
from appliance.model.people import email_address
from appliance.model.targets import Target

KINDS: Mapping[str, str] = {
    "email": "E-mail",
    "slack": "Slack",
    "discord": "Discord",
    "teams": "Microsoft Teams",
    "ntfy": "ntfy",
    "webhook": "Webhook",
}
STATUSES = ("queued", "succeeded", "failed")
KEY = "whsec_"
_TOPIC = re.compile(r"[-_A-Za-z0-9]{1,64}")


@dataclass(frozen=True)
class Channel:
    id: str
    kind: str
    name: str
    address: str  # an e-mail address, or scheme, host and port; what comes after that is a secret
    events: tuple[str, ...]
    everywhere: bool  # whether it hears of all projects
    created_at: str
    created_by: str
    projects: tuple[str, ...] = ()  # names, where it does not


@dataclass(frozen=True)
class Where:
    """An address in its two parts: what may be shown, and what opens the door."""

    shown: str
    path: str = field(default="", repr=False)  # without its first slash, as others would quote it


@dataclass(frozen=True)
class Attempt:
    at: str
    took: Annotated[float, "Seconds"]
    succeeded: bool
    status: Annotated[int | None, "Of the answer, where there was one and it was HTTP"]
    said: Annotated[str, "The beginning of the answer, or why there was none"]


@dataclass(frozen=True)
class Delivery:
    id: str
    channel_id: str
    channel: str  # its name
    event: str
    notice: str  # as it was kept
    status: str
    tries: int
    created_at: str
    next_at: str | None
    ended_at: str | None


@dataclass(frozen=True)
class NewChannel:
    kind: Annotated[str, "`email`, `slack`, `discord`, `teams`, `ntfy` or `webhook`"]
    name: str
    to: Annotated[str, "An e-mail address, or the address that the service gave; of ntfy, with the topic"] = field(
        repr=False
    )
    token: Annotated[str, "For ntfy, where it asks who sends"] = field(default="", repr=False)
    events: Annotated[tuple[str, ...], "Which events; what goes wrong and what waits when left out"] = USUAL
    projects: Annotated[tuple[str, ...], "Of which projects; all when left out"] = ()

    @classmethod
    def parse(cls, raw: object) -> Self:
        reader = Reader(raw)
        kind = reader.checked("kind", _kind, missing=f"Choose one of {', '.join(KINDS)}") or ""
        name = reader.checked("name", _name, missing="Enter a name") or ""
        to = reader.checked("to", _of_kind(kind), missing="Enter where it goes") or ""
        token = reader.checked("token", _token, optional=True) or ""
        events = reader.several("events", _event)
        projects = reader.several("projects", name_of("project"))
        if isinstance(raw, Mapping) and "events" in raw and not events:
            reader.wrong("events", "Choose at least one")
        if token and kind and kind != "ntfy":
            reader.wrong("token", "Only ntfy takes a token")
        reader.done()
        return cls(kind, name, to, token, events or USUAL, projects)


@dataclass(frozen=True)
class ChannelPatch:
    name: str | None = None
    to: Annotated[str | None, "Another address"] = field(default=None, repr=False)
    token: Annotated[str | None, "Another token"] = field(default=None, repr=False)
    events: Annotated[tuple[str, ...] | None, "Which events, all of them"] = None
    projects: Annotated[tuple[str, ...] | None, "Of which projects, all of them; an empty list for every project"] = (
        None
    )

    @classmethod
    def parse(cls, raw: object, kind: str) -> Self:
        sent = set(raw) if isinstance(raw, Mapping) else set()
        reader = Reader(raw)
        name = reader.checked("name", _name, optional=True)
        to = reader.checked("to", _of_kind(kind), optional=True)
        token = reader.checked("token", _token, optional=True)
        events = reader.several("events", _event)
        projects = reader.several("projects", name_of("project"))
        if "events" in sent and not events:
            reader.wrong("events", "Choose at least one")
        if token and kind != "ntfy":
            reader.wrong("token", "Only ntfy takes a token")
        reader.done()
        return cls(name, to, token, events or None, projects if "projects" in sent else None)


def where(kind: str, to: str) -> Where:
    """What was typed, which was looked at before."""
    if kind == "email":
        return Where(to)
    target = Target.parse(to)
    return Where(target.origin, target.path.removeprefix("/"))


def key_bytes(key: str) -> bytes:
    """What a webhook is signed with; empty where it can't be read."""
    try:
        return base64.b64decode(key.removeprefix(KEY), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _kind(text: str) -> str:
    if text not in KINDS:
        raise ValueError(f"Choose one of {', '.join(KINDS)}")
    return text


def _name(text: str) -> str:
    name = text.strip()
    if not 0 < len(name) <= 40 or UNSEEN.search(name):
        raise ValueError("Enter a name of at most 40 characters")
    return name


def _event(text: str) -> str:
    if text not in EVENTS:
        raise ValueError(f"There is no event {text[:40]!r}; there are {', '.join(EVENTS)}")
    return text


def _token(text: str) -> str:
    token = text.strip()
    if not token.isascii() or not token.isprintable() or " " in token or len(token) > 200:
        raise ValueError("This has a character that it can't have; copy it again")
    return token


def _of_kind(kind: str) -> Callable[[str], str]:
    """The check of an address, which is another for each kind."""

    def check(text: str) -> str:
        target = Target.parse(text)
        if kind == "ntfy" and not _TOPIC.fullmatch(target.path.rpartition("/")[2]):
            raise ValueError("Enter the address with the topic, such as https://ntfy.sh/our-deploys")
        return target.url

    return email_address if kind == "email" else check
