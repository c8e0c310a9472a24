"""A message that waits to be sent, and one that only tries the way."""

from dataclasses import dataclass, field
from typing import Annotated, Self

from appliance.model.fields import Reader
from appliance.model.people import email_address


@dataclass(frozen=True)
class Mail:
    id: str
    to: str
    subject: str
    body: str = field(repr=False)  # sealed: there may be a link in it
    created_at: str
    tries: int = 0


@dataclass(frozen=True)
class MailTest:
    to: Annotated[str, "Where to; your own address when left out"] = ""

    @classmethod
    def parse(cls, raw: object) -> Self:
        reader = Reader(raw)
        to = reader.checked("to", email_address, optional=True)
        reader.done()
        return cls(to or "")
