"""What has happened: small facts, and a bus that carries them to whoever listens now."""

import threading
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Event:
    """Something changed; pages that show it ask again."""


@dataclass(frozen=True)
class ProjectChanged(Event):
    project: str


@dataclass(frozen=True)
class DeploymentChanged(Event):
    deployment: str
    project: str
    environment: str


@dataclass(frozen=True)
class LogGrew(Event):
    deployment: str


@dataclass(frozen=True)
class ProcessLogGrew(Event):
    pass


@dataclass(frozen=True)
class UrlChanged(Event):
    host: str
    project: str


@dataclass(frozen=True)
class SettingsChanged(Event):
    pass


@dataclass(frozen=True)
class BackupChanged(Event):
    backup: str


@dataclass(frozen=True)
class Restored(Event):
    """Another database waits to be opened in the place of this one."""


@dataclass(frozen=True)
class JobAdded(Event):
    pass


@dataclass(frozen=True)
class Stopping(Event):
    """The process is about to end: streams close, workers finish what is in hand."""


Listener = Callable[[Event], None]


class Bus:
    """Calls every listener in the publisher's thread; listeners only pass the word on."""

    def __init__(self) -> None:
        self._listeners: tuple[Listener, ...] = ()
        self._lock = threading.Lock()

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Start listening; call what comes back to stop."""
        with self._lock:
            self._listeners = (*self._listeners, listener)
        return lambda: self._forget(listener)

    def publish(self, *events: Event) -> None:
        for event in events:
            for listener in self._listeners:
                listener(event)

    def _forget(self, listener: Listener) -> None:
        with self._lock:
            self._listeners = tuple(one for one in self._listeners if one is not listener)
