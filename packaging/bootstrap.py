"""Unpacks the file where nobody else can write, and runs it from there.

In the runtime folder:
    <build>/       what the file holds
    <build>.lock   held, shared, by every process that runs from it; says during which boot it was last seen whole
    unpack.lock    held by the one process that unpacks
"""

import fcntl
import os
import stat
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

from built import BUILD

if TYPE_CHECKING:
    from zipfile import ZipInfo

BOOT_ID = "/proc/sys/kernel/random/boot_id"
BACK, REASON = "HOMEPORT_BACK", "HOMEPORT_REASON"  # as in appliance/upgrade/handover.py
OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


class Unusable(Exception):
    """This folder can't hold our code; the text says why."""


def start() -> NoReturn:
    archive = os.path.abspath(sys.path[0])
    forget_the_surroundings()
    site = settle(archive, sys.argv[1:], os.environ)
    sys.path[:0] = [site, os.path.join(site, "pure.zip")]
    sys.argv[0] = "homeport"
    os.environ["HOMEPORT_FILE"] = archive
    if BACK in os.environ:
        run_or_go_back()
    else:
        run()
    sys.exit(0)


def run() -> None:
    from appliance.__main__ import main

    main()


def run_or_go_back() -> None:
    """Another file left its place to this one, and wants it back where this one does not come to answer in time.

    Everything it held is still open. What this one runs takes BACK away once it answers.
    """
    import faulthandler
    import json
    import signal

    back = json.loads(os.environ[BACK])
    if back["pid"] != os.getpid():
        run()
        return

    def too_late(*_: object) -> NoReturn:
        go_back(back["words"], f"it did not answer within {back['patience']:g} seconds")

    signal.signal(signal.SIGALRM, too_late)
    signal.alarm(max(1, int(back["patience"])))
    faulthandler.dump_traceback_later(back["patience"] + 5, exit=True)  # where not even the alarm is heard
    try:
        run()
        why = "it ended"
    except BaseException as error:
        if BACK not in os.environ:
            raise
        why = "it ended" if isinstance(error, SystemExit) else f"{type(error).__name__}: {error}"
    if BACK in os.environ:
        go_back(back["words"], why)


def go_back(words: Sequence[str], why: str) -> NoReturn:
    import signal

    signal.alarm(0)
    os.environ.setdefault(REASON, why)
    del os.environ[BACK]
    os.execv(words[0], list(words))  # noqa: S606


def forget_the_surroundings() -> None:
    """Only Python's own library: not PYTHONPATH, not the current folder, not what else is installed."""
    library = os.path.dirname(os.__file__)
    ours = f"python{sys.version_info[0]}{sys.version_info[1]}.zip"
    sys.path[:] = [
        path
        for path in sys.path
        if path in (library, os.path.join(library, "lib-dynload")) or os.path.basename(path) == ours
    ]


def settle(archive: str, arguments: Sequence[str], environ: Mapping[str, str]) -> str:
    """The folder with this build's code: the first that can be used, or one for this run alone."""
    given = environ.get("HOMEPORT_RUNTIME")
    refused = []
    for folder, mask in [(given, 0o077)] if given else places(arguments, environ):
        try:
            make(os.path.abspath(folder), mask)
            return ready(archive, os.path.abspath(folder))
        except (Unusable, OSError) as why:
            refused.append(f"{folder}: {reason(why)}")
    if given:
        stop(f"the program can't be unpacked into {refused[0]}. HOMEPORT_RUNTIME has to name a folder of your own.")
    return for_this_run(archive, refused)


def places(arguments: Sequence[str], environ: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """Folders, each with the umask for what is on the way to it: NGINX has to pass through a data folder."""
    data = data_folder(arguments) or environ.get("HOMEPORT_DATA")
    if data and (os.path.isdir(data) or "serve" in arguments):
        yield os.path.join(data, "runtime"), 0o066
    if os.geteuid() == 0:
        yield "/var/lib/homeport/runtime", 0o066
    cache = environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    if os.path.isabs(cache) and cache != "/.cache":
        yield os.path.join(cache, "homeport", "runtime"), 0o077


def data_folder(arguments: Sequence[str]) -> str | None:
    """The folder named by --data, found without knowing the rest of the command line."""
    for word, following in zip(arguments, [*arguments[1:], ""], strict=False):
        if word == "--":
            break
        if word == "--data":
            return following
        if word.startswith("--data="):
            return word.partition("=")[2]
    return None


def for_this_run(archive: str, refused: Sequence[str]) -> str:
    import atexit
    import shutil
    import tempfile

    sys.stderr.write(
        "homeport: nowhere to keep the unpacked program, so it is unpacked for this run alone, which is slower. "
        f"Set HOMEPORT_RUNTIME to a folder of your own. ({'; '.join(refused)})\n"
    )
    try:
        folder = tempfile.mkdtemp(prefix="homeport-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        return ready(archive, folder)
    except (Unusable, OSError) as why:
        stop(f"the program can't be unpacked: {reason(why)}. Set HOMEPORT_RUNTIME to a folder of your own.")


def make(folder: str, mask: int) -> None:
    before = os.umask(mask)
    try:
        os.makedirs(os.path.dirname(folder), exist_ok=True)
        os.makedirs(folder, 0o700, exist_ok=True)
    finally:
        os.umask(before)


def ready(archive: str, folder: str) -> str:
    """Unpack there unless it is there, and keep it from being tidied away while we run."""
    if os.statvfs(folder).f_flag & os.ST_NOEXEC:
        raise Unusable("it is on a file system where nothing may be executed (noexec)")
    check_trust(folder)
    hold(archive, folder)
    tidy(folder)
    return os.path.join(folder, BUILD, "site-packages")


def check_trust(folder: str) -> None:
    """Whoever can change this folder, or a folder or link on the way to it, decides what we run."""
    found = os.lstat(folder)
    if stat.S_ISLNK(found.st_mode):
        raise Unusable("it is a symbolic link")
    if found.st_mode & OTHERS_WRITE and not only_us(found):
        raise Unusable("others may write in it")
    check_way(folder)


def check_way(path: str) -> None:
    trusted = {0, os.geteuid(), *unmapped()}
    here = "/"
    for name in path.split("/"):
        here = os.path.join(here, name)
        found = os.lstat(here)
        if found.st_uid not in trusted:
            raise Unusable(f"{here} belongs to someone else")
        if stat.S_ISLNK(found.st_mode):
            check_way(os.path.join(os.path.dirname(here), os.readlink(here)))
        elif found.st_mode & OTHERS_WRITE and not found.st_mode & stat.S_ISVTX and not only_us(found):
            raise Unusable(f"others may write in {here}")


def only_us(found: os.stat_result) -> bool:
    """Writable by a group that has nobody in it but us, as where every user has their own."""
    import grp
    import pwd

    if found.st_mode & stat.S_IWOTH:
        return False
    try:
        me, group = pwd.getpwuid(os.geteuid()), grp.getgrgid(found.st_gid)
    except KeyError:
        return False
    return (group.gr_gid, group.gr_name) == (me.pw_gid, me.pw_name) and not set(group.gr_mem) - {me.pw_name}


def unmapped() -> set[int]:
    """In a user namespace, who owns what belongs to the host's root and other people outside it."""
    try:
        with open("/proc/self/uid_map") as mapping, open("/proc/sys/kernel/overflowuid") as overflow:
            return set() if mapping.read().split() == ["0", "0", "4294967295"] else {int(overflow.read())}
    except (OSError, ValueError):
        return set()


def hold(archive: str, folder: str) -> None:
    """Hold this build for as long as the process lives, whole."""
    lock = take(os.path.join(folder, f"{BUILD}.lock"), fcntl.LOCK_SH)
    boot = boot_id()
    if is_whole(lock, folder, boot):
        return
    unpacking = take(os.path.join(folder, "unpack.lock"), fcntl.LOCK_EX)
    try:
        if not is_whole(lock, folder, boot):
            unpack(archive, os.path.join(folder, BUILD))
            os.ftruncate(lock, 0)
            os.pwrite(lock, boot, 0)
    finally:
        os.close(unpacking)


def take(path: str, how: int) -> int:
    """Lock a file that may be removed by whoever held it before."""
    while True:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, how)
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(lock), os.lstat(path)):
                    return lock
        except OSError:
            os.close(lock)
            raise
        os.close(lock)


def is_whole(lock: int, folder: str, boot: bytes) -> bool:
    return os.pread(lock, len(boot) + 1, 0) == boot and os.path.isdir(os.path.join(folder, BUILD))


def boot_id() -> bytes:
    try:
        with open(BOOT_ID, "rb") as file:
            return file.read().strip()
    except OSError:
        return b"unknown"


def unpack(archive: str, target: str) -> None:
    """Unpack beside and rename. What an earlier boot left may have lost bytes with the power: it is compared first."""
    import shutil
    import zipfile

    with zipfile.ZipFile(archive) as file:
        entries = [entry for entry in file.infolist() if entry.filename.startswith("site-packages/")]
        if os.path.isdir(target) and all(is_same(os.path.join(target, it.filename), it) for it in entries):
            return
        beside = f"{target}.tmp"
        shutil.rmtree(target, ignore_errors=True)
        shutil.rmtree(beside, ignore_errors=True)
        before = os.umask(0o077)
        try:
            for entry in entries:
                file.extract(entry, beside)
            os.rename(beside, target)
        finally:
            os.umask(before)
            shutil.rmtree(beside, ignore_errors=True)


def is_same(path: str, entry: "ZipInfo") -> bool:
    import zlib

    try:
        with open(path, "rb") as file:
            return os.fstat(file.fileno()).st_size == entry.file_size and zlib.crc32(file.read()) == entry.CRC
    except OSError:
        return False


def tidy(folder: str) -> None:
    """Remove the builds that were unpacked before this one and that nobody runs from."""
    mine = unpacked_at(os.path.join(folder, BUILD))
    for name in os.listdir(folder):
        build, ending = os.path.splitext(name)
        path = os.path.join(folder, build)
        if ending == ".lock" and build not in (BUILD, "unpack") and unpacked_at(path) <= mine:
            with suppress(OSError):  # it is in use, or another process is removing it
                remove(path)


def unpacked_at(build: str) -> float:
    try:
        return os.stat(build).st_mtime
    except FileNotFoundError:
        return 0


def remove(build: str) -> None:
    import shutil

    lock = os.open(f"{build}.lock", os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(f"{build}.tmp", ignore_errors=True)
        if os.path.isdir(build):
            os.rename(build, f"{build}.tmp")
            shutil.rmtree(f"{build}.tmp")
        os.unlink(f"{build}.lock")
    finally:
        os.close(lock)


def reason(why: Exception) -> str:
    return why.strerror or str(why) if isinstance(why, OSError) else str(why)


def stop(text: str) -> NoReturn:
    sys.stderr.write(f"homeport: {text}\n")
    sys.exit(1)
