"""The data folder: there, writable by the right user and no other, on a disk that SQLite can trust."""

import grp
import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path

from appliance.machine.trust import keeper, user_name
from appliance.model.checks import Check

NETWORK_FILE_SYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre", "davfs"}
    | {"fuse.sshfs", "fuse.s3fs", "fuse.rclone", "fuse.glusterfs"}
)
MEMORY_FILE_SYSTEMS = frozenset({"tmpfs", "ramfs"})


def checks(data: Path) -> list[Check]:
    if not data.exists():
        return [_missing(data)]
    if not data.is_dir():
        return [
            Check("data.folder", "failed", f"{data} is not a folder.", "Move it away, or choose another with --data.")
        ]
    return [_writable(data), _owners(data), _mode(data), _mount(data)]


def nearest(path: Path) -> Path:
    """The path itself, or the closest folder above it that exists."""
    return next(one for one in (path, *path.parents) if one.exists())


def _missing(data: Path) -> Check:
    above = nearest(data)
    if os.access(above, os.W_OK | os.X_OK):
        return Check("data.folder", "warn", f"{data} is not there yet.", "`homeport serve` makes it when it starts.")
    mend = f"Make it as root: `install -d -m 0711 -o {user_name(os.geteuid())} {data}`, or choose another with --data."
    return Check("data.folder", "failed", f"{data} is not there, and {above} can't be written.", mend)


def _writable(data: Path) -> Check:
    uid = keeper(data) if os.geteuid() == 0 else os.geteuid()
    if not _may_write(data.stat(), uid):
        mend = f"As root: `chown {user_name(uid)} {data}`."
        return Check("data.folder", "failed", f"{data} can't be written by {user_name(uid)}.", mend)
    if os.statvfs(data).f_flag & os.ST_RDONLY:
        return Check(
            "data.folder",
            "failed",
            f"{data} is mounted read-only.",
            "Mount it for writing, and look at `dmesg` for why.",
        )
    return Check("data.folder", "ok", f"{data} can be written by {user_name(uid)}.")


def _may_write(found: os.stat_result, uid: int) -> bool:
    if uid == 0:
        return True
    if found.st_uid == uid:
        return bool(found.st_mode & stat.S_IWUSR)
    if found.st_gid in _groups(uid):
        return bool(found.st_mode & stat.S_IWGRP)
    return bool(found.st_mode & stat.S_IWOTH)


def _groups(uid: int) -> list[int]:
    if uid == os.geteuid():
        return [os.getegid(), *os.getgroups()]
    try:
        person = pwd.getpwuid(uid)
    except KeyError:
        return []
    return os.getgrouplist(person.pw_name, person.pw_gid)


def _owners(data: Path) -> Check:
    """One command run as root by mistake leaves files that the service can't change."""
    uid, me = keeper(data), os.geteuid()
    if me not in (0, uid):
        mend = (
            f"Run this as {user_name(uid)}, or give the folder to {user_name(me)}: `chown -R {user_name(me)} {data}`."
        )
        return Check(
            "data.owner", "failed", f"What is in {data} belongs to {user_name(uid)}, not to {user_name(me)}.", mend
        )
    strangers = [f"{one.name} ({user_name(_owner(one))})" for one in _inside(data) if _owner(one) != uid]
    if strangers:
        mend = f"As root: `chown -R {user_name(uid)}` on each of them."
        return Check(
            "data.owner", "failed", f"In {data}, these belong to someone else: {', '.join(strangers[:5])}.", mend
        )
    return Check("data.owner", "ok", f"Everything in {data} belongs to {user_name(uid)}.")


def _inside(data: Path) -> Iterator[os.DirEntry[str]]:
    """What lies in the folder, but for what may be root's: what the root helper writes, and the program unpacked."""
    with os.scandir(data) as entries:
        yield from (entry for entry in entries if entry.name not in ("nginx", "runtime", "lost+found"))


def _owner(entry: os.DirEntry[str]) -> int:
    return entry.stat(follow_symlinks=False).st_uid


def _mode(data: Path) -> Check:
    found = data.stat()
    mode = stat.S_IMODE(found.st_mode)
    tidy = f"`chmod 0711 {data}`, or choose a folder that nothing else uses with --data."
    if mode & stat.S_IWOTH:
        return Check("data.mode", "failed", f"Anyone on this host may write in {data}.", tidy)
    if mode & stat.S_IWGRP and not _shared_with_root(found, keeper(data)):
        return Check("data.mode", "failed", f"The group {_group_name(found.st_gid)} may write in {data}.", tidy)
    if mode & (stat.S_IROTH | stat.S_IRGRP) and not mode & stat.S_ISVTX:
        return Check("data.mode", "warn", f"Other users may list {data} (mode {mode:04o}).", tidy)
    return Check("data.mode", "ok", f"{data} is closed to other users (mode {mode:04o}).")


def _shared_with_root(found: os.stat_result, uid: int) -> bool:
    """As `homeport install` makes it: root's, sticky, writable by the service's own group alone."""
    return found.st_uid == 0 and bool(found.st_mode & stat.S_ISVTX) and found.st_gid in _groups(uid)


def _group_name(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def _mount(data: Path) -> Check:
    kind = file_system(data, Path("/proc/self/mountinfo").read_text(errors="surrogateescape"))
    if kind in NETWORK_FILE_SYSTEMS:
        mend = "Move it to a disk of this host: SQLite's locks and its log need one."
        return Check("data.mount", "warn", f"{data} is on a network file system ({kind}).", mend)
    if kind in MEMORY_FILE_SYSTEMS:
        mend = "Choose a folder on a disk with --data, unless this is a trial."
        return Check(
            "data.mount", "warn", f"{data} is kept in memory ({kind}): it is gone when the host restarts.", mend
        )
    return Check("data.mount", "ok", f"{data} is on a disk of this host ({kind}).")


def file_system(path: Path, mounts: str) -> str:
    """The type of the file system that holds a path, out of mountinfo. Of equal mounts the last one is on top."""
    real, best, kind = path.resolve(), -1, "unknown"
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        point = Path(_unescaped(before.split(" ")[4]))
        if len(point.parts) >= best and real.is_relative_to(point):
            best, kind = len(point.parts), after.split(" ")[0]
    return kind


def _unescaped(text: str) -> str:
    for code, letter in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, letter)
    return text
