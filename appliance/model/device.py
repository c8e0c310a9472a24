"""Signing in at a terminal by saying yes in a browser."""

import re
from dataclasses import dataclass
from typing import Annotated, Self

from appliance.model.fields import UNSEEN, Reader
from appliance.model.scopes import Scope

LETTERS = "BCDFGHJKLMNPQRSTVWXZ"  # no vowels, so no words; nothing that looks like something else
HALF = 4
LONGEST = 60


@dataclass(frozen=True)
class DeviceLogin:
    """One that waits for a yes, or has had its answer and waits to be fetched."""

    hash: str
    code: str
    device: str
    account: str
    ip: str | None
    created_at: str
    expires_at: str
    polled_at: str | None
    wait: int  # seconds between two questions
    status: str  # waiting, allowed, denied
    person_id: str | None = None
    key_name: str = ""
    key_expires_at: str | None = None
    key_scope: Scope | None = None


@dataclass(frozen=True)
class NewDevice:
    device: Annotated[str, "The name of the machine that asks, as the page shows it"]
    account: Annotated[str, "Who is at work on it"] = ""

    @classmethod
    def parse(cls, raw: object) -> Self:
        reader = Reader(raw)
        device = reader.text("device", missing="Name the machine that asks", most=255)
        account = reader.text("account", optional=True, most=255)
        reader.done()
        return cls(_shown(device) or "a machine without a name", _shown(account))


@dataclass(frozen=True)
class DeviceCode:
    device_code: Annotated[str, "What came of `POST /device`"]

    @classmethod
    def parse(cls, raw: object) -> Self:
        reader = Reader(raw)
        code = reader.text("device_code", missing="Send the device code", most=200)
        reader.done()
        return cls(code)


def read_code(text: str) -> str:
    """As somebody types it: small letters, spaces and dashes don't matter."""
    return re.sub(r"[\s-]", "", text.upper())


def in_halves(code: str) -> str:
    return f"{code[:HALF]}-{code[HALF:]}"


def _shown(text: str) -> str:
    return UNSEEN.sub(" ", text).strip()[:LONGEST]
