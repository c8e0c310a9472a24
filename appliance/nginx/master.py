"""NGINX's main process: told to read its files again, and seen to have done so.

`nginx -s reload` reads them all to find the process, which then reads them all once more. Whoever knows the process can
leave out the first, and can see when the workers that had the old files take nothing any more.
"""

import os
import shutil
import signal
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from appliance.machine import served, stopping
from appliance.nginx import config
from appliance.settings import Settings

LOOK_EVERY = 0.01
OPTIONS = {"-p", "-e", "-c", "-s"}
_MASTER, _TAKING = b"nginx: master process", b"nginx: worker process"  # another title once it is shutting down


@dataclass(frozen=True)
class Master:
    pid: int

    def reload(self, patience: float) -> bool:
        """Have it read its files; says whether, in time, none is left to answer that has not read them."""
        before = self._taking()
        os.kill(self.pid, signal.SIGHUP)
        return served.until(lambda: self._renewed(before), patience, longest=LOOK_EVERY)

    def _renewed(self, before: set[int]) -> bool:
        stopping.check()
        now = self._taking()
        return bool(now) and now.isdisjoint(before)

    def _taking(self) -> set[int]:
        """The workers that take connections."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return {int(child) for child in children if _title(int(child)) == _TAKING}


def find(settings: Settings) -> Master | None:
    """The process that the reload command would tell; None unless that is certain, and we may tell it ourselves."""
    file = _pid_file(settings.nginx_conf, _stamp(settings.nginx_conf)) if _is_plain(settings) else ""
    program = shutil.which(settings.nginx_reload[0])
    if not file.startswith("/") or program is None:
        return None
    try:
        pid = int(Path(file).read_text())
        os.kill(pid, 0)
        same = os.path.samefile(f"/proc/{pid}/exe", program)
    except (OSError, ValueError, OverflowError):
        return None
    return Master(pid) if same and _title(pid).startswith(_MASTER) else None


def _is_plain(settings: Settings) -> bool:
    """Whether the command does nothing but tell the NGINX that has this main file to read it again."""
    program, *rest = settings.nginx_reload
    options = dict(zip(rest[::2], rest[1::2], strict=False))
    known = len(rest) == 2 * len(options) and options.keys() <= OPTIONS
    conf = options.get("-c", str(Settings.nginx_conf))
    return (
        os.path.basename(program) == "nginx"
        and known
        and options.get("-s") == "reload"
        and conf == str(settings.nginx_conf)
    )


def _title(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0 ")
    except OSError:
        return b""  # gone


@lru_cache(maxsize=8)
def _pid_file(conf: Path, _: int) -> str:
    found = (directive for directive in config.read_all(conf, lambda _: True) if directive.name == "pid")
    return next((directive.args[0] for directive in found if directive.args), "")


def _stamp(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0
