"""Every check at once: side by side, each with a limit on its time, none of them able to stop the others."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from appliance.backends.base import Backend
from appliance.dns.base import Provider
from appliance.doctor import backups, clock, deployments, disk, edits, folders, network, program, secrets, upgrades
from appliance.errors import HomeportError
from appliance.model.backups import Backup
from appliance.model.checks import Check
from appliance.model.domains import Domain
from appliance.model.edits import SeenEdit
from appliance.settings import Settings

PATIENCE = 2.0
FAR = 10.0  # for what starts a program of others or asks a service elsewhere


@dataclass(frozen=True)
class Around:
    """What the settings don't say: the plug-ins in use, the host names served, and when the last row was written."""

    backends: tuple[Backend, ...] = ()
    provider: Provider | None = None
    hosts: tuple[str, ...] = ()
    newest: datetime | None = None
    upgrade: str | None = None
    edits: tuple[SeenEdit, ...] = ()
    backups: tuple[Backup, ...] = ()
    domain: Domain | None = None


def examine(settings: Settings, around: Around = Around()) -> list[Check]:
    """Look at everything; raises nothing, and takes no longer than the most patient check."""
    looks = [
        Look("data", partial(folders.checks, settings.data)),
        Look("secrets", partial(secrets.checks, settings.data)),
        Look("disk", partial(disk.checks, settings.data)),
        Look("clock", partial(clock.checks, settings.data, around.newest)),
        Look("clock.sync", clock.sync),
        Look("port", partial(network.appliance_port, settings)),
        Look("port.web", partial(network.web_ports, settings)),
        Look("url", partial(network.own_url, settings)),
        *(Look(backend.name, backend.checks, FAR) for backend in around.backends),
        Look("nginx.edits", partial(edits.checks, around.edits)),
        Look("nginx.deployments", partial(deployments.checks, settings, around.domain)),
        Look("dns", partial(_dns, around), FAR),
        Look("program", program.checks),
        Look("backups", partial(backups.checks, settings.backup_every, around.backups)),
        Look("upgrade", partial(upgrades.checks, around.upgrade)),
    ]
    return look_all(looks)


@dataclass(frozen=True)
class Look:
    """One thing to look at, and how long it may take."""

    name: str
    ask: Callable[[], list[Check]]
    patience: float = PATIENCE


def look_all(looks: list[Look]) -> list[Check]:
    """Ask side by side; answers come in the order of the list."""
    started = time.monotonic()
    asking = [_Asking(look) for look in looks]
    for one in asking:
        one.start()
    return [check for one in asking for check in one.answer(started + one.look.patience)]


class _Asking(threading.Thread):
    """A daemon, so that a check that hangs in the kernel doesn't keep the program from ending."""

    def __init__(self, look: Look) -> None:
        super().__init__(name=f"doctor-{look.name}", daemon=True)
        self.look = look
        self._found: list[Check] | None = None

    def run(self) -> None:
        try:
            self._found = self.look.ask()
        except HomeportError as why:
            self._found = [Check(self.look.name, "failed", why.detail, " ".join(why.todo))]
        except (OSError, ValueError, LookupError) as why:
            self._found = [Check(self.look.name, "failed", f"This could not be looked at: {why}.")]

    def answer(self, deadline: float) -> list[Check]:
        self.join(max(0, deadline - time.monotonic()))
        if self._found is not None:
            return self._found
        if self.is_alive():
            return [Check(self.look.name, "failed", f"This gave no answer within {self.look.patience:g} seconds.")]
        return [Check(self.look.name, "failed", "This could not be looked at: the check itself broke; see the log.")]


def _dns(around: Around) -> list[Check]:
    if around.provider is None:
        mend = "Optional: choose who makes records in Settings, DNS, or set HOMEPORT_DNS_PROVIDER."
        return [Check("dns", "off", "No DNS provider: records for URLs are made by hand.", mend)]
    return around.provider.check(around.hosts)
