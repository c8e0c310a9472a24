"""Files that are whole or not there."""

import ctypes
import errno
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from appliance.errors import HomeportError, HostFailed, OutOfRoom

_LIBC = ctypes.CDLL(None, use_errno=True)


def write_whole(path: Path, content: bytes | str, *, mode: int = 0o644, sync: bool = True) -> None:
    """Write beside, sync, rename: a reader sees the old bytes or the new ones."""
    data = content.encode() if isinstance(content, str) else content
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
    try:
        os.fchmod(handle, mode)
        write_all(handle, data)
        if sync:
            os.fsync(handle)
    finally:
        os.close(handle)
    beside.replace(path)
    if sync:
        sync_folder(path.parent)


def point(link: Path, target: str) -> None:
    """Make a symlink lead somewhere else in one step: no moment without it. The record says where it should lead."""
    beside = link.with_name(f".{link.name}.{os.getpid()}.new")
    beside.unlink(missing_ok=True)
    beside.symlink_to(target)
    beside.replace(link)


def make_open(folder: Path) -> None:
    """A folder that other users may look into, whatever the umask is; one that is there stays as it is."""
    if not folder.parent.exists():
        make_open(folder.parent)
    try:
        folder.mkdir()
    except FileExistsError:
        return
    folder.chmod(0o755)


def sync_file(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_disk(folder: Path) -> None:
    """Have everything on the disk of this folder written out: one call for many files."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if _LIBC.syncfs(handle) != 0:
            raise OSError(ctypes.get_errno(), "syncfs failed", str(folder))
    finally:
        os.close(handle)


@contextmanager
def on_the_disk(path: Path) -> Iterator[None]:
    """Have a file that was written before on the disk by the end of the block, while something else is done."""
    with ThreadPoolExecutor(1, "sync") as pool:
        syncing = pool.submit(sync_file, path)
        yield
        syncing.result()
    sync_folder(path.parent)


def remove_tree(folder: Path) -> None:
    """Remove a folder and what is in it, read-only or not; nothing there is fine."""
    if folder.is_symlink() or folder.is_file():
        folder.unlink(missing_ok=True)
        return
    if not folder.exists():
        return
    for here, _, _ in os.walk(folder):
        os.chmod(here, 0o700)
    shutil.rmtree(folder)


def free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def write_all(handle: int, data: bytes) -> None:
    """Write all of it, however little the system takes at once."""
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def refusal(why: OSError) -> HomeportError:
    """What this host said no to, in words, with what to do."""
    where = f" ({why.filename})" if why.filename else ""
    if why.errno in (errno.ENOSPC, errno.EDQUOT):
        return OutOfRoom(f"The disk is full{where}.", todo=("Make room on the disk, then try again.",))
    return HostFailed(
        f"This host refused something{where}: {why.strerror}.",
        todo=("Run `homeport doctor` on the host: it names what is not in order.", "Try again."),
    )


@contextmanager
def refusals() -> Iterator[None]:
    """Around work on this host: its refusals come out as errors with words."""
    try:
        yield
    except OSError as why:
        raise refusal(why) from why
