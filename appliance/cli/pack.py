"""A folder as a zip, made while it is sent: the same folder gives the same bytes."""

import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from appliance.cli.ignore import LeftOut, left_out
from appliance.errors import BadBundle, HostFailed

if TYPE_CHECKING:
    import zipfile  # hardly any folder goes as a zip

PIECE = 1 << 18
DATE = (1980, 1, 1, 0, 0, 0)  # the first that a zip can hold; a real one would change the bundle's name
LARGE = 1 << 30  # from here on sizes are written in the long form: a file may still grow while it is read
WRAPPER = "site/"
PRESSED = re.compile(
    r".+\.(7z|avif|br|bz2|flac|gif|gz|heic|jpe?g|jxl|m4[av]|mkv|mov|mp[34]|ogg|opus|png|rar|tgz|web[mp]|woff2?|xz|zip|zst)",
    re.I,
)
READABLE = stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH
Progress = Callable[[int], None]


class Entry(NamedTuple):
    """One file. A NamedTuple of plain strings: there may be 100,000."""

    name: str  # its path in the folder; in a zip perhaps behind a wrapper
    path: str
    size: int
    changed: int = 0  # in nanoseconds
    inode: int = 0


def entries(folder: Path) -> list[Entry]:
    """Every file that will be sent, as it is named in a zip."""
    return wrapped(files(folder))


def files(folder: Path) -> list[Entry]:
    """Every file that will be sent, by name; raises over anything that can't be, before a byte is."""
    root = folder.resolve()
    found = sorted(_walk(root, "", left_out(root)), key=lambda entry: entry.name)  # which is the order of UTF-8 too
    if not found:
        raise BadBundle("empty", f"There is nothing to deploy in {folder}.", todo=("Build the site first.",))
    return found


def wrapped(found: list[Entry]) -> list[Entry]:
    if len({entry.name.partition("/")[0] for entry in found}) == 1 and "/" in found[0].name:
        # The server unwraps one folder that holds everything, and this one is part of the site's addresses.
        return [Entry(f"{WRAPPER}{entry.name}", entry.path, entry.size) for entry in found]
    return found


def stream(found: Sequence[Entry], progress: Progress) -> Iterator[bytes]:
    """The zip, piece by piece; tells how many bytes of the files have gone in."""
    import zipfile

    sink = _Sink()
    with zipfile.ZipFile(sink, "w") as archive:
        for entry in found:
            with _opened(entry) as source, archive.open(_info(entry), "w", force_zip64=entry.size >= LARGE) as into:
                while piece := _read(source, entry):
                    into.write(piece)
                    progress(len(piece))
                    if sink.size >= PIECE:
                        yield sink.take()
    yield sink.take()


class _Sink:
    """Where the zip is written: a pile that is taken away as it grows. It can't be wound back."""

    def __init__(self) -> None:
        self._pile: list[bytes] = []
        self.size = 0

    def write(self, data: bytes) -> int:
        self._pile.append(bytes(data))
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """What is left is taken by `take`."""

    def take(self) -> bytes:
        taken = b"".join(self._pile)
        self._pile, self.size = [], 0
        return taken


def _walk(root: Path, inside: str, skip: LeftOut) -> Iterator[Entry]:
    """`inside` is the path of a folder in the root, with a slash at its end; empty for the root itself."""
    try:
        with os.scandir(f"{root}/{inside}") as scanned:
            items = list(scanned)
    except OSError as why:
        raise unreadable(inside.removesuffix("/") or ".", why) from why
    for item in items:
        name = f"{inside}{item.name}"
        if item.is_dir(follow_symlinks=False):
            if not skip(f"{name}/"):
                yield from _walk(root, f"{name}/", skip)
        elif not skip(name):
            yield _entry(root, name, item, skip)


def _entry(root: Path, name: str, item: "os.DirEntry[str]", skip: LeftOut) -> Entry:
    if not name.isascii():
        _refuse_other_than_utf8(name)
    try:
        if item.is_symlink():
            path = str(_followed(root, name, skip))
            facts = os.stat(path)
        else:
            path, facts = item.path, item.stat(follow_symlinks=False)
    except OSError as why:
        raise unreadable(name, why) from why
    if not stat.S_ISREG(facts.st_mode):
        todo = "Remove it, or name it in .homeportignore."
        raise BadBundle("special", f"{name} is neither a file nor a folder.", entry=name, todo=(todo,))
    if facts.st_mode & READABLE != READABLE and not os.access(path, os.R_OK):
        raise unreadable(name, PermissionError(13, "Permission denied"))
    return Entry(name, path, facts.st_size, facts.st_mtime_ns, facts.st_ino)


def _refuse_other_than_utf8(name: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError:
        shown = os.fsencode(name).decode("utf-8", "backslashreplace")
        raise BadBundle("name", f"The name {shown} is not UTF-8.", entry=shown, todo=("Rename that file.",)) from None


def _followed(root: Path, name: str, skip: LeftOut) -> Path:
    """The file that a symlink stands for, where that file would be sent too."""
    path = root / name
    leads = os.readlink(path)
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError):
        raise _bad_link(name, leads, "which is not there") from None
    if not target.is_relative_to(root):
        raise _bad_link(name, leads, "outside the folder")
    if target.is_dir():
        raise _bad_link(name, leads, "which is a folder")
    if _is_left_out(target.relative_to(root).as_posix(), skip):
        raise _bad_link(name, leads, "which is left out")
    return target


def _is_left_out(name: str, skip: LeftOut) -> bool:
    parts = name.split("/")
    return skip(name) or any(skip("/".join(parts[:depth]) + "/") for depth in range(1, len(parts)))


def _bad_link(name: str, leads: str, why: str) -> BadBundle:
    todo = "Put the file itself there, or name the link in .homeportignore."
    return BadBundle("symlink", f"{name} is a symbolic link to {leads}, {why}.", entry=name, todo=(todo,))


def unreadable(name: str, why: OSError) -> HostFailed:
    todo = "Let yourself read it, or name it in .homeportignore."
    return HostFailed(f"{name} can't be read: {why.strerror or why}.", code="unreadable", todo=(todo,))


def _info(entry: Entry) -> "zipfile.ZipInfo":
    import zipfile

    info = zipfile.ZipInfo(entry.name, DATE)
    info.create_system = 3
    info.external_attr = (stat.S_IFREG | 0o644) << 16
    info.file_size = entry.size
    info.compress_type = zipfile.ZIP_STORED if PRESSED.fullmatch(entry.name) else zipfile.ZIP_DEFLATED
    return info


def _opened(entry: Entry) -> BinaryIO:
    try:
        return open(entry.path, "rb")
    except OSError as why:
        raise unreadable(entry.name, why) from why


def _read(source: BinaryIO, entry: Entry) -> bytes:
    try:
        return source.read(PIECE)
    except OSError as why:
        raise unreadable(entry.name, why) from why
