"""The small steps that an installation is made of."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from appliance.errors import Forbidden, HostFailed
from appliance.installer import accounts
from appliance.installer.plan import HOST, Access, File, Plan
from appliance.machine import files
from appliance.machine.process import run

Say = Callable[[str], None]
Words = tuple[str, ...]
BOOTED = Path("/run/systemd/system")  # there where systemd runs the host


def refuse_all_but_root() -> None:
    if os.geteuid() != 0:
        todo = ("Run it with sudo.", "To look first, run `homeport install --dry-run`.")
        raise Forbidden("Only root can install a service, or take one off.", todo=todo)


def do(words: Words) -> None:
    ran = run(words, timeout=300)
    if not ran.ok:
        raise HostFailed(f"`{' '.join(words)}` failed.", code="command_failed", said=ran.output.strip())


def tell_systemd(root: Path, commands: Iterable[Words], say: Say) -> None:
    """Where systemd runs; elsewhere the commands are said, for later."""
    booted = root == HOST and BOOTED.is_dir()
    for words in commands:
        if booted:
            say(f"Run: {' '.join(words)}")
            do(words)
        else:
            say(f"Not run, as systemd does not run here: {' '.join(words)}")


def write(plan: Plan, file: File) -> None:
    """For nobody but root until its owner and mode are right."""
    there = plan.at(file.path)
    there.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    files.write_whole(there, file.content, mode=file.access.mode & 0o700)
    give(plan, there, file.access)


def give(plan: Plan, there: Path, access: Access) -> None:
    uid, gid = ids(plan, access)
    handle = os.open(there, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        os.fchown(handle, uid, gid)
        os.fchmod(handle, access.mode)
    finally:
        os.close(handle)


def ids(plan: Plan, access: Access) -> tuple[int, int]:
    uid, gid = accounts.uid_of(plan.root, access.owner), accounts.gid_of(plan.root, access.group)
    if uid is None or gid is None:
        raise HostFailed(f"There is no user and group {access.owner}:{access.group} on this host.")
    return uid, gid
