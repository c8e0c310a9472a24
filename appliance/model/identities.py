"""Somebody's account at a provider, connected with theirs here."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Identity:
    id: str
    provider_id: str
    provider: str  # its name
    subject: str
    person_id: str
    email: str  # as it was there when it was connected
    created_at: str
    used_at: str | None
