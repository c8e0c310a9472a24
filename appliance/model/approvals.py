"""Production approvals: an environment can ask for a second person before a deployment goes live."""

import json
from dataclasses import asdict, dataclass
from typing import Annotated, Self

from appliance.model.fields import UNSEEN, Reader

HOURS = 24
MOST_HOURS = 24 * 30
LONGEST = 300


@dataclass(frozen=True)
class ApprovalRule:
    """What an environment asks for, where it asks for anything."""

    hours: Annotated[int, "How long a request stays open, 1 to 720"] = HOURS
    rollbacks: Annotated[bool, "Whether rollbacks wait too; else they go at once"] = False

    @classmethod
    def parse(cls, raw: object) -> Self:
        reader = Reader(raw)
        hours = reader.number("hours", default=HOURS, least=1, most=MOST_HOURS)
        rollbacks = reader.yes("rollbacks", default=False)
        reader.done()
        return cls(hours, bool(rollbacks))

    @classmethod
    def of(cls, text: str | None) -> Self | None:
        return cls(**json.loads(text)) if text else None

    @property
    def text(self) -> str:
        return json.dumps(asdict(self))


@dataclass(frozen=True)
class Approval:
    """The request of one deployment, and what came of it."""

    status: str  # waiting, approved, rejected, expired; withdrawn where its deployment ended some other way
    asked_by: str  # the person's id; empty where nobody's
    expires_at: str
    by: str | None = None
    at: str | None = None
    reason: str = ""

    @property
    def waits(self) -> bool:
        return self.status == "waiting"

    @property
    def cause(self) -> str:
        """Why its deployment waits."""
        return f"somebody else has to approve it, until {self.expires_at[:10]} {self.expires_at[11:16]} UTC"


@dataclass(frozen=True)
class Approving:
    reason: Annotated[str, "Why, if there is something to say; one line of at most 300 characters"] = ""

    @classmethod
    def parse(cls, raw: object) -> Self:
        reader = Reader(raw)
        reason = reader.checked("reason", one_line, optional=True)
        reader.done()
        return cls(reason or "")


@dataclass(frozen=True)
class Rejecting:
    reason: Annotated[str, "Why, for whoever asked; one line of at most 300 characters"]

    @classmethod
    def parse(cls, raw: object) -> Self:
        reader = Reader(raw)
        reason = reader.checked("reason", one_line, missing="Say why, for whoever asked")
        reader.done()
        return cls(reason or "")


def one_line(text: str) -> str:
    reason = text.strip()
    if not reason or UNSEEN.search(reason):
        raise ValueError("Say why in one line, in words that can be seen")
    if len(reason) > LONGEST:
        raise ValueError(f"Keep the reason to {LONGEST} characters")
    return reason
