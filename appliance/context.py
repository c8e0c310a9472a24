"""The bag handed around: settings, database, bus, clock, secret."""

import hashlib
import hmac
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from appliance.events import Bus, Event
from appliance.machine import clock, sealing
from appliance.settings import SECRETS, Settings
from appliance.store import saved
from appliance.store.db import Connection, Database


@dataclass
class Context:
    base: Settings
    db: Database
    bus: Bus
    secret: bytes
    instance: str
    now: clock.Clock = clock.now
    stopping: threading.Event = field(default_factory=threading.Event)
    _settings: tuple[int, Settings] | None = None

    @property
    def settings(self) -> Settings:
        """What is in force: what was saved comes before flags and environment."""
        version = self.db.version()
        if self._settings is None or self._settings[0] != version:
            self._settings = (version, self.base.with_saved(self._unsealed(saved.values(self.db.read()))))
        return self._settings[1]

    @property
    def data(self) -> Path:
        return self.base.data

    def moment(self) -> str:
        return clock.text(self.now())

    def key(self, purpose: str) -> bytes:
        """A key of its own for each use of the secret."""
        return hmac.new(self.secret, purpose.encode(), hashlib.sha256).digest()

    def _unsealed(self, values: dict[str, str]) -> dict[str, str]:
        """Secrets are kept encrypted, with a key that is not in the database."""
        return {
            name: sealing.unseal(self.key("settings"), value) if name in SECRETS else value
            for name, value in values.items()
        }

    def redact(self, text: str) -> str:
        """Take every secret setting out of a text that is about to be stored."""
        for name in SECRETS:
            value = getattr(self.settings, name)
            if len(value) >= 8:
                text = text.replace(value, "(secret)")
        return text

    @contextmanager
    def write(self, *events: Event, lasting: bool = True) -> Iterator[Connection]:
        """The one write transaction; what it announces is published once it is committed."""
        with self.db.write(lasting=lasting) as db:
            yield db
        self.bus.publish(*events)
