"""The bag handed around: settings, database, bus, clock, secrets."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from appliance.errors import StartFailed
from appliance.events import Bus, Event
from appliance.machine import clock, sealing
from appliance.machine.keyring import Keyring
from appliance.machine.redacting import Redactor
from appliance.machine.sealing import Master
from appliance.settings import SECRETS, Settings
from appliance.store import saved, sealed
from appliance.store.db import Connection, Database

LASTING = ("activity",)  # what these keys signed has to be told from what they didn't for ever


@dataclass
class Context:
    base: Settings
    db: Database
    bus: Bus
    keyring: Keyring = field(repr=False)
    instance: str
    now: clock.Clock = clock.now
    stopping: threading.Event = field(default_factory=threading.Event)
    _settings: tuple[int, Settings] | None = field(default=None, repr=False)
    _master: tuple[int, Master] | None = field(default=None, repr=False)
    _redactor: tuple[object, Redactor] | None = field(default=None, repr=False)

    @property
    def settings(self) -> Settings:
        """What is in force: what was saved comes before flags and environment."""
        version = self.db.version()
        if self._settings is None or self._settings[0] != version:
            self._settings = (version, self.base.with_saved(self._unsealed(saved.values(self.db.read()))))
        return self._settings[1]

    @property
    def master(self) -> Master:
        """The key that the database is sealed with now; another process may have exchanged it."""
        version = self.db.version()
        if self._master is None or self._master[0] != version:
            self._master = (version, self._found(sealed.key_of(self.db.read())))
        return self._master[1]

    @property
    def secret(self) -> bytes:
        return self.master.secret

    @property
    def data(self) -> Path:
        return self.base.data

    def moment(self) -> str:
        return clock.text(self.now())

    def key(self, purpose: str) -> bytes:
        """A key of its own for each use of the secret. It ends with the secret."""
        return self.master.key(purpose)

    def keys(self, purpose: str) -> list[bytes]:
        """The same, for a use in LASTING: those of former secrets too, the oldest first."""
        db = self.db.read()
        former = (self.unseal("old_keys", key_id, kept) for key_id, kept in sealed.old_keys(db, purpose))
        return [*(bytes.fromhex(key) for key in former if key), self.key(purpose)]

    def seal(self, db: Connection, table: str, row: str, text: str) -> str:
        """A secret for its column in this row, where alone it opens. In the transaction that writes it down."""
        return sealing.seal(self._found(sealed.key_of(db)), sealed.place(table, row), text)

    def unseal(self, table: str, row: str, kept: str) -> str:
        """Empty when it can't be opened: then it has to be entered again."""
        master = self.keyring.find(sealing.sealed_by(kept))
        return sealing.unseal(master, sealed.place(table, row), kept) or "" if kept and master else ""

    def redact(self, text: str) -> str:
        """Take every secret that is told to somebody else out of a text that is about to be stored."""
        return self.redactor()(text)

    def redactor(self) -> Redactor:
        settings, kept = self.settings, tuple(sealed.every(self.db.read(), sealed.SPOKEN))
        saved_ones = tuple(getattr(settings, name) for name in SECRETS)
        if self._redactor is None or self._redactor[0] != (saved_ones, kept):
            redactor = Redactor({*saved_ones, *(self.unseal(*one) for one in kept)})
            self._redactor = ((saved_ones, kept), redactor)
        return self._redactor[1]

    def _unsealed(self, values: dict[str, str]) -> dict[str, str]:
        """Secrets are kept encrypted, with a key that is not in the database."""
        return {name: self.unseal("saved", name, it) if name in SECRETS else it for name, it in values.items()}

    def _found(self, key_id: str | None) -> Master:
        found = self.keyring.find(key_id)
        if found is None:
            raise StartFailed(
                "The database is sealed with another secret.key than the one in the data folder.",
                code="other_secret",
                todo=("Put that one back from a backup that was made with keys, then start again.",),
            )
        return found

    @contextmanager
    def write(self, *events: Event, lasting: bool = True) -> Iterator[Connection]:
        """The one write transaction; what it announces is published once it is committed."""
        with self.db.write(lasting=lasting) as db:
            yield db
        self.bus.publish(*events)
