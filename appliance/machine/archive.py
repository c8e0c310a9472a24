"""What a bundle holds: which entries of a zip become files of a site, and why a zip is refused."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, NamedTuple, Protocol, TypeVar

from appliance.errors import BadBundle
from appliance.machine import zipend, ziplist
from appliance.machine.zipend import shown

_LONGEST_PART, _LONGEST_PATH = 255, 1024  # bytes
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_ORDINARY = re.compile(r"(?!(?i:(eh)?thumbs\.db|desktop\.ini|__macosx)$)[A-Za-z0-9_][A-Za-z0-9_.-]{0,60}")
_LEFT_OUT = re.compile(
    r"""\.(git|svn|hg|bzr|jj) | \.env.* | \.htpasswd | \.(npmrc|yarnrc\.yml|pypirc|netrc|git-credentials)
    | \.(aws|ssh|gnupg) | \.(DS_Store|Spotlight-V100|Trashes|fseventsd|AppleDouble|LSOverride) | \._.*
    | __MACOSX | (eh)?thumbs\.db | desktop\.ini""",
    re.IGNORECASE | re.VERBOSE,
)


@dataclass(frozen=True)
class Limits:
    """How much a bundle may hold."""

    max_files: int
    max_size: int  # bytes, unpacked
    names: str = "exact"  # or `portable`: names that differ only by case or Unicode form are refused
    ratio: int = 200  # unpacked bytes for each byte of the zip


class Entry(NamedTuple):
    """One file of the site, and where it is in the zip. A NamedTuple: there may be 100,000."""

    path: str
    size: int
    crc32: int
    offset: int  # where its packed bytes begin
    packed: int
    method: int


@dataclass(frozen=True)
class LeftOut:
    """What was not taken, by the name it was left out for, such as `.git/`."""

    name: str
    entries: int


@dataclass(frozen=True)
class Contents:
    """What a zip becomes when it is unpacked."""

    entries: tuple[Entry, ...]  # in the order of their bytes in the zip
    folders: tuple[str, ...]  # each after the one that it is in
    packed: int  # bytes of the zip
    unpacked: int  # bytes of the files
    wrapped: str | None  # the folder that held everything, and is not in the paths
    left_out: tuple[LeftOut, ...]

    @property
    def files(self) -> int:
        return len(self.entries)


def inspect(path: Path, limits: Limits) -> Contents:
    """Read what a zip says it holds, unpacking nothing; one that can't be a bundle is a BadBundle."""
    most = _most_entries(limits)
    with zipend.opened(path) as source:
        headers = ziplist.read(source, most)
    taken = _take(headers, limits, most)
    wrapped = _wrapping(taken.names)
    cut = len(wrapped) + 1 if wrapped else 0
    contents = Contents(
        entries=tuple(Entry(name[cut:], it.size, it.crc32, it.start, it.packed, it.method) for name, it in taken.files),
        folders=tuple(folder[cut:] for folder in taken.folders if len(folder) > cut or not cut),
        packed=source.size,
        unpacked=sum(it.size for _, it in taken.files),
        wrapped=wrapped,
        left_out=taken.left_out,
    )
    check_size(contents, limits)
    return contents


def judge(sizes: Mapping[str, int], limits: Limits) -> Contents:
    """The same verdict on files that come one by one, by their paths and sizes. Nothing is unwrapped."""
    most = _most_entries(limits)
    if len(sizes) > most:
        raise _too_many(len(sizes), most, "entries")
    for name in sizes:
        if name.endswith("/"):
            raise _bad_name(name, "is named as a folder; a folder is there when a file is in it")
    taken = _take([_Named(*one) for one in sizes.items()], limits, most)
    unpacked = sum(it.size for _, it in taken.files)
    entries = tuple(Entry(name, it.size, 0, 0, it.size, ziplist.STORED) for name, it in taken.files)
    contents = Contents(entries, tuple(taken.folders), unpacked, unpacked, None, taken.left_out)
    check_size(contents, limits)
    return contents


def check_size(contents: Contents, limits: Limits) -> None:
    """Refuse what is too much for a site, naming the largest file."""
    largest = max(contents.entries, key=lambda entry: entry.size)
    it_is = f'the largest file is "{shown(largest.path)}" with {in_bytes(largest.size)}'
    if contents.unpacked > limits.max_size:
        raise BadBundle(
            "too_big",
            f"The bundle unpacks to {in_bytes(contents.unpacked)}, and may have {in_bytes(limits.max_size)}; {it_is}.",
            entry=shown(largest.path),
            todo=("Publish less, or raise HOMEPORT_BUNDLE_MAX_SIZE.",),
        )
    if contents.unpacked > limits.ratio * contents.packed:
        raise BadBundle(
            "ratio",
            f"The bundle of {in_bytes(contents.packed)} unpacks to {in_bytes(contents.unpacked)}, which is over"
            f" {limits.ratio} times as much, as in no site; {it_is}.",
            entry=shown(largest.path),
            todo=("Look at what is in the zip, and leave out what is no part of the site.",),
        )


def in_bytes(count: int) -> str:
    """A size for a sentence."""
    size = float(count)
    for unit in ("bytes", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.4g} {unit}"
        size /= 1024
    return f"{size:,.1f} GiB"


class _Named(NamedTuple):
    """One file that comes by itself."""

    name: str
    size: int


class _Entry(Protocol):
    """What is judged: a header of a zip, or a file that comes by itself."""

    @property
    def name(self) -> str: ...

    @property
    def size(self) -> int: ...


E = TypeVar("E", bound=_Entry)


@dataclass(frozen=True)
class _Taken(Generic[E]):
    """What of some entries is taken."""

    names: list[str]  # folders too
    files: list[tuple[str, E]]
    folders: list[str]
    left_out: tuple[LeftOut, ...]


class _Folders:
    """Every folder named so far, each judged once: what it is left out for, or nothing."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._reasons = {"": ""}

    def reason(self, folder: str, name: str) -> str:
        fresh = []
        while folder not in self._reasons:
            fresh.append(folder)
            folder = folder.rpartition("/")[0]
        reason = self._reasons[folder]
        for folder in reversed(fresh):
            part = _left_out(folder.rpartition("/")[2], name)
            reason = reason or (part and f"{part}/")
            self._reasons[folder] = reason
        if len(self._reasons) > self._most:
            raise _too_many(len(self._reasons), self._most, "folders")
        return reason


def _most_entries(limits: Limits) -> int:
    """Entries of every kind: files, folders, what is left out."""
    return 2 * limits.max_files + 10_000


def _take(entries: Sequence[E], limits: Limits, most: int) -> _Taken[E]:
    names, files, left_out = _sort_out(entries, most)
    if not files:
        raise _empty(left_out)
    if len(files) > limits.max_files:
        raise _too_many(len(files), limits.max_files)
    folders = _folders_of(names)
    _check_places([name for name, _ in files], folders, limits.names)
    return _Taken(names, files, folders, left_out)


def _sort_out(headers: Sequence[E], most: int) -> tuple[list[str], list[tuple[str, E]], tuple[LeftOut, ...]]:
    """All names that are taken, those of them that are files, and what is left out."""
    folders = _Folders(most)
    names: list[str] = []
    files: list[tuple[str, E]] = []
    left_out = Counter[str]()
    for header in headers:
        name = header.name
        if name[:2] == "./":  # as `tar -a -cf site.zip .` writes them
            name = name[2:]
            if not name:
                continue
        if not name or name[0] == "/" or name[1:2] == ":" or len(name) > _LONGEST_PATH // 4:
            _check_whole(name)
        folder, _, last = name.rpartition("/")
        reason = folders.reason(folder, name)
        if last:
            reason = reason or _left_out(last, name)
        if reason:
            left_out[reason] += 1
            continue
        names.append(name)
        if last:
            files.append((name, header))
        elif header.size:
            raise zipend.damaged(f'The entry "{shown(name)}" is named as a folder but holds bytes.', name)
    return names, files, tuple(LeftOut(*found) for found in sorted(left_out.items()))


def _left_out(part: str, name: str) -> str:
    """What a part of a name is left out for, or nothing; a part that can't be one is a BadBundle."""
    if _ORDINARY.fullmatch(part):
        return ""
    _check_part(part, name)
    if not _LEFT_OUT.fullmatch(part):
        return ""
    return "._*" if part.startswith("._") else part


def _check_whole(name: str) -> None:
    if name[:1] == "/":
        raise _outside(name, "begins at the root of the disk")
    if name[1:2] == ":" and name[0].isascii() and name[0].isalpha():
        raise _outside(name, "begins with a drive letter")
    if not name or len(name.encode()) > _LONGEST_PATH:
        raise _bad_name(name, f"has a name of {len(name.encode()):,} bytes; it must have 1 to {_LONGEST_PATH:,}")


def _check_part(part: str, name: str) -> None:
    if part == "..":
        raise _outside(name, "leads out of the site's folder")
    if "\0" in part:
        raise _outside(name, "has a NUL in its name, after which some programs read another name")
    if "\\" in part:
        raise BadBundle(
            "outside",
            f'The entry "{shown(name)}" has a backslash in its name, which leads into a folder on some systems only.',
            entry=shown(name),
            todo=("Zip again with a tool that writes forward slashes: PowerShell 7, 7-Zip, zip or tar.",),
        )
    if part in ("", "."):
        raise _bad_name(name, "has an empty part in its name" if not part else 'has a part "." in its name')
    if _CONTROL.search(part):
        raise _bad_name(name, "has a control character in its name")
    if len(part.encode()) > _LONGEST_PART:
        raise _bad_name(
            name, f"has a part of {len(part.encode())} bytes in its name; a file name has at most {_LONGEST_PART}"
        )


def _outside(name: str, why: str) -> BadBundle:
    return BadBundle(
        "outside",
        f'The entry "{shown(name)}" {why}.',
        entry=shown(name),
        todo=("Zip again from inside the folder, so that every name begins there.",),
    )


def _bad_name(name: str, why: str) -> BadBundle:
    return BadBundle("name", f'The entry "{shown(name)}" {why}.', entry=shown(name), todo=("Rename it and zip again.",))


def _empty(left_out: tuple[LeftOut, ...]) -> BadBundle:
    why = "there is no file in it"
    if left_out:
        why = f"what is in it is never published ({', '.join(shown(it.name) for it in left_out[:5])})"
    return BadBundle(
        "empty", f"The zip is empty: {why}.", todo=("Zip the folder that your build writes, such as dist.",)
    )


def _too_many(count: int, most: int, what: str = "files") -> BadBundle:
    return BadBundle(
        "too_many_files",
        f"The bundle has {count:,} {what}, and may have {most:,}.",
        todo=("Publish fewer files, or raise HOMEPORT_BUNDLE_MAX_FILES.",),
    )


def _folders_of(names: Iterable[str]) -> list[str]:
    """Every folder that the names are in, each after the one that it is in."""
    found = {""}
    for folder in {name.rpartition("/")[0] for name in names}:
        above = folder
        while above not in found:
            found.add(above)
            above = above.rpartition("/")[0]
    return sorted(found - {""})


def _wrapping(names: list[str]) -> str | None:
    """The one folder that holds everything."""
    tops = {name.partition("/")[0] for name in names}
    if len(tops) > 1 or not all("/" in name for name in names):
        return None
    top = tops.pop()
    return None if top == ".well-known" else top


def _check_places(files: list[str], folders: list[str], names: str) -> None:
    """No two files or folders on one path."""
    fold = _folded if names == "portable" else str
    taken: dict[str, str] = {}
    for name in [*files, *folders]:
        key = fold(name)
        if key in taken:
            raise _twice(name, taken[key], folders)
        taken[key] = name


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _twice(name: str, other: str, folders: list[str]) -> BadBundle:
    todo = "Rename one of them and zip again."
    if name != other:
        detail = f'"{shown(other)}" and "{shown(name)}" differ only by case or Unicode form.'
    elif name in folders:
        detail = f'"{shown(name)}" is both a file and a folder.'
    else:
        detail, todo = f'The entry "{shown(name)}" is in the zip twice.', "Zip again into a new file."
    return BadBundle("twice", detail, entry=shown(name), todo=(todo,))
