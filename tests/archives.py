"""Zips made byte by byte: good ones that other tools write, and evil ones that none does."""

import io
import random
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from appliance.machine.archive import Limits

LIMITS = Limits(max_files=1000, max_size=64 << 20)
UTF8, IN_DESCRIPTOR, ENCRYPTED = 1 << 11, 1 << 3, 1
FULL16, FULL32 = 0xFFFF, 0xFFFFFFFF


@dataclass(frozen=True)
class Item:
    """One entry. What is given in `local` and `central` is written in that header instead of the truth."""

    name: str | bytes
    data: bytes = b""
    method: int = 8
    level: int = 6
    flags: int = 0
    system: int = 3
    mode: int = stat.S_IFREG | 0o644
    dos: int = 0
    extra: bytes = b""
    local_extra: bytes = b""
    packed: bytes | None = None
    after: bytes = b""  # put behind the data: a descriptor, or anything else
    local: dict[str, int | bytes] = field(default_factory=dict)
    central: dict[str, int | bytes] = field(default_factory=dict)


def build(
    items: Iterable[Item],
    *,
    before: bytes = b"",
    after: bytes = b"",
    comment: bytes = b"",
    zip64: bool = False,
    end: dict[str, int] | None = None,
) -> bytes:
    """A zip of these entries; `end` overrides what its end record says."""
    body, directory, count = bytearray(), bytearray(), 0
    for item in items:
        offset = len(body)
        body += _local(item)
        directory += _central(item, offset)
        count += 1
    says = {"disk": 0, "first_disk": 0, "here": count, "count": count, "size": len(directory), "offset": len(body)}
    says |= end or {}
    out = before + bytes(body + directory)
    if zip64:
        out += struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, *says.values())
        out += struct.pack("<4sIQI", b"PK\6\7", 0, len(body) + len(directory), 1)
        says |= {"here": FULL16, "count": FULL16, "size": FULL32, "offset": FULL32}
    return out + struct.pack("<4s4H2IH", b"PK\5\6", *says.values(), len(comment)) + comment + after


def descriptor(item: Item, *, mark: bool = True, wide: bool = False) -> bytes:
    """The data descriptor of an entry, in any of its four forms."""
    form = "<IQQ" if wide else "<III"
    return (b"PK\7\x08" if mark else b"") + struct.pack(form, zlib.crc32(item.data), len(_packed(item)), len(item.data))


def streamed(name: str, data: bytes, *, mark: bool = True, wide: bool = False) -> Item:
    """An entry as a tool writes it that can't go back: sizes and CRC come after the data."""
    tail = descriptor(Item(name, data), mark=mark, wide=wide)
    return Item(name, data, flags=IN_DESCRIPTOR, after=tail, local={"crc": 0, "packed": 0, "size": 0})


def extra_field(kind: int, body: bytes) -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def unicode_path(raw: bytes, name: str) -> bytes:
    return extra_field(0x7075, b"\1" + struct.pack("<I", zlib.crc32(raw)) + name.encode(errors="surrogateescape"))


def asi_field(mode: int) -> bytes:
    """The Unix mode as ASi archivers write it."""
    return extra_field(0x756E, struct.pack("<IHIHH", 0, mode, 0, 0, 0))


def zip64_field(size: int, packed: int) -> bytes:
    return extra_field(1, struct.pack("<QQ", size, packed))


def deflate(data: bytes, *, level: int = 6) -> bytes:
    squeeze = zlib.compressobj(level, zlib.DEFLATED, -15)
    return squeeze.compress(data) + squeeze.flush()


def zipped(files: dict[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A plain zip, as Python writes it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return out.getvalue()


def _packed(item: Item) -> bytes:
    if item.packed is not None:
        return item.packed
    return deflate(item.data, level=item.level) if item.method == 8 else item.data


def _facts(item: Item) -> dict[str, int | bytes]:
    name = item.name.encode() if isinstance(item.name, str) else item.name
    flags = item.flags | (0 if name.isascii() or isinstance(item.name, bytes) else UTF8)
    return {
        "name": name,
        "flags": flags,
        "method": item.method,
        "crc": zlib.crc32(item.data),
        "packed": len(_packed(item)),
        "size": len(item.data),
    }


def _local(item: Item) -> bytes:
    it = _facts(item) | item.local
    name = it["name"]
    assert isinstance(name, bytes)
    head = struct.pack(
        "<4s3HI3I2H",
        *(b"PK\3\4", 20, it["flags"], it["method"], 0x5A210000),
        *(it["crc"], it["packed"], it["size"], len(name), len(item.local_extra)),
    )
    return head + name + item.local_extra + _packed(item) + item.after


def _central(item: Item, offset: int) -> bytes:
    it = {"offset": offset, "disk": 0} | _facts(item) | item.central
    name = it["name"]
    assert isinstance(name, bytes)
    head = struct.pack(
        "<4s2B3HI3I5H2I",
        *(b"PK\1\2", 30, item.system, 20, it["flags"], it["method"], 0x5A210000),
        *(it["crc"], it["packed"], it["size"], len(name), len(item.extra), 0, it["disk"], 0),
        *(item.mode << 16 | item.dos, it["offset"]),
    )
    return head + name + item.extra


PAGE = Item("index.html", b"<h1>Hello</h1>")
NOISE = random.Random(7).randbytes(1 << 20)  # more than is inflated in one go


@dataclass(frozen=True)
class Evil:
    """A zip to refuse: the code it must be refused with, and the entry that must be named."""

    name: str
    code: str
    entry: str | None
    make: Callable[[], bytes]
    limits: Limits = LIMITS


def _bad(name: str, code: str, entry: str | None, *items: Item, limits: Limits = LIMITS) -> Evil:
    return Evil(name, code, entry, lambda: build([PAGE, *items]), limits)


def _named(name: str, code: str, evil: str, shown: str | None = None) -> Evil:
    return _bad(name, code, shown or evil, Item(evil, b""))


def _special(name: str, code: str, mode: int, *, system: int = 3, dos: int = 0) -> Evil:
    return _bad(name, code, "thing", Item("thing", b"/etc/passwd", mode=mode, system=system, dos=dos))


def _lie(name: str, code: str, item: Item, **says: int | bytes) -> Evil:
    """Both headers agree, and both are wrong."""
    return _bad(name, code, "lie", replace(item, local=says, central=says))


def _mismatch(name: str, /, **says: int | bytes) -> Evil:
    """The local header says something else than the central one."""
    return _bad(name, "mismatch", "good", Item("good", b"x", local=says))


def _ending(name: str, code: str, **end: int) -> Evil:
    return Evil(name, code, None, lambda: build([PAGE], end=end))


def _made(name: str, code: str, make: Callable[[], bytes]) -> Evil:
    return Evil(name, code, None, make)


def quoted_bomb() -> bytes:
    """Two entries sharing bytes: the first one's data quotes the second one's header, then runs into its data."""
    second = Item("second.html", bytes(1000))
    inside = _local(second)
    length = len(inside) - len(_packed(second))
    quote = b"\0" + struct.pack("<HH", length, length ^ FULL16) + inside[:length]
    first = Item("first.html", inside[:length] + second.data, packed=quote + _packed(second))
    body = _local(first)
    directory = _central(first, 0) + _central(second, len(body) - len(inside))
    return body + directory + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 2, 2, len(directory), len(body), 0)


def shifted(before: bytes) -> bytes:
    """A zip with bytes before it that its offsets know of, as in a self-extracting one."""
    item = replace(PAGE, central={"offset": len(before)})
    return build([item], before=before, end={"offset": len(before) + len(_local(PAGE))})


def many(count: int, *, says: int | None = None) -> bytes:
    """A zip of so many empty files; `says` is what its end record counts."""
    end = None if says is None else {"here": says, "count": says}
    return build((Item(f"{number}.html", method=0) for number in range(count)), end=end)


_TEN = Limits(max_files=10, max_size=10_000)
_MILLION = {"here": 10**6, "count": 10**6}
_PORTABLE = replace(LIMITS, names="portable")

EVIL = [
    # Names that leave the folder.
    _named("parent", "outside", "../evil.html"),
    _named("parent inside", "outside", "a/../../evil.html"),
    _named("parent at the end", "outside", "a/.."),
    _named("parent folder", "outside", "../"),
    _named("absolute", "outside", "/etc/cron.d/evil"),
    _named("root", "outside", "/"),
    _named("network share", "outside", "//server/share/evil"),
    _named("drive", "outside", "C:/evil.html"),
    _named("drive without a slash", "outside", "c:evil.html"),
    _named("drive after ./", "outside", "./c:evil.html", "c:evil.html"),
    _named("backslash", "outside", "..\\evil.html"),
    _named("backslash for a slash", "outside", "dist\\index.html"),
    _named("NUL", "outside", "evil.html\0.png", "evil.html\\x00.png"),
    _bad("parent in code page 437", "outside", "ü/../../evil", Item(b"\x81/../../evil", b"")),
    _bad("parent by Unicode path", "outside", "../evil", Item(b"a", b"", extra=unicode_path(b"a", "../evil"))),
    # Names that are none.
    _named("empty part", "name", "a//b.html"),
    _named("dot part", "name", "a/./b.html"),
    _named("no name", "name", ""),
    _named("newline", "name", "a\nb.html", "a\\nb.html"),
    _named("escape", "name", "\x1b[31m.html", "\\x1b[31m.html"),
    _named("C1 control", "name", "a\x85b.html", "a\\x85b.html"),
    _named("part of 256 bytes", "name", "a" * 256, "a" * 120 + "…" + "a" * 60),
    _named("part of 256 bytes in UTF-8", "name", "é" * 128),
    _named("path of 1,025 bytes", "name", "a/" * 512 + "b", "a/" * 60 + "…" + "/a" * 29 + "/b"),
    _bad("not UTF-8 though flagged", "name", "\\xff.html", Item(b"\xff.html", b"", flags=UTF8)),
    _bad("not UTF-8 in Unicode path", "name", "\\xff", Item(b"a", extra=unicode_path(b"a", "\udcff"))),
    # What is no file.
    _special("symlink", "symlink", stat.S_IFLNK | 0o777),
    _special("symlink by macOS", "symlink", stat.S_IFLNK | 0o777, system=19),
    _special("symlink by DOS with a Unix mode", "symlink", stat.S_IFLNK | 0o777, system=0),
    _special("symlink by Windows", "symlink", 0, system=0, dos=0x400),
    _bad("symlink by ASi field", "symlink", "thing", Item("thing", extra=asi_field(stat.S_IFLNK | 0o777))),
    _bad("symlink in what is left out", "symlink", ".git/x", Item(".git/x", b"/etc", mode=stat.S_IFLNK | 0o777)),
    _special("device", "special", stat.S_IFCHR | 0o666),
    _special("block device", "special", stat.S_IFBLK | 0o666),
    _special("pipe", "special", stat.S_IFIFO | 0o666),
    _special("socket", "special", stat.S_IFSOCK | 0o666),
    _special("unknown kind", "special", 0xF000),
    _special("folder without a slash", "special", stat.S_IFDIR | 0o755),
    _special("label of a disk", "special", 0, system=0, dos=0x08),
    # What can't be read.
    _bad("encrypted", "encrypted", "secret", Item("secret", b"x", flags=ENCRYPTED)),
    _bad("strongly encrypted", "encrypted", "secret", Item("secret", b"x", flags=1 << 6)),
    _bad("AES", "encrypted", "secret", Item("secret", b"x", method=99, flags=ENCRYPTED)),
    _bad("Deflate64", "method", "odd", Item("odd", b"x", method=9)),
    _bad("unknown method", "method", "odd", Item("odd", b"x", method=77)),
    _bad("patch", "method", "odd", Item("odd", b"x", flags=1 << 5)),
    # Two on one path.
    _bad("twice", "twice", "a.html", Item("a.html", b"1"), Item("a.html", b"2")),
    _bad("twice with one letter", "twice", "a", Item("a", b"1"), Item("a", b"2")),
    _bad("twice by ./", "twice", "a.html", Item("a.html", b"1"), Item("./a.html", b"2")),
    _bad("twice by Unicode path", "twice", "é", Item("é", b"1"), Item(b"e", b"2", extra=unicode_path(b"e", "é"))),
    _bad("file and folder", "twice", "a", Item("a", b"1"), Item("a/b.html", b"2")),
    _bad("file and empty folder", "twice", "a", Item("a", b"1"), Item("a/")),
    _bad("case twins", "twice", "a.html", Item("A.html", b"1"), Item("a.html", b"2"), limits=_PORTABLE),
    _bad("case twins by ß", "twice", "strasse", Item("straße", b"1"), Item("strasse", b"2"), limits=_PORTABLE),
    _bad("form twins", "twice", "e\u0301", Item("\u00e9", b"1"), Item("e\u0301", b"2"), limits=_PORTABLE),
    _bad("folder twins", "twice", "a", Item("A/x", b"1"), Item("a/y", b"2"), limits=_PORTABLE),
    # Bytes that are not where or what the lists say.
    _bad("bytes of another", "overlap", "index.html", replace(PAGE, central={"offset": 0})),
    Evil("quoted bomb", "overlap", "second.html", quoted_bomb),
    _lie("beyond the data", "overlap", Item("lie", b"x", method=0), packed=900, size=900),
    _lie("beyond by zip64", "overlap", Item("lie", extra=zip64_field(9, (1 << 64) - 1)), packed=FULL32, size=FULL32),
    _bad("no local header", "damaged", "lost", Item("lost", b"x", central={"offset": 7})),
    _bad("local header in the list", "damaged", "lost", Item("lost", b"x", central={"offset": 200})),
    _bad("local header beyond the file", "damaged", "lost", Item("lost", b"x", central={"offset": 1 << 30})),
    _mismatch("other name", name=b"evil"),
    _mismatch("longer name", name=b"good/../evil"),
    _mismatch("other method", method=0),
    _mismatch("other flags", flags=ENCRYPTED),
    _mismatch("other CRC", crc=1),
    _mismatch("other size", size=9),
    _mismatch("other packed size", packed=9),
    _mismatch("other wide size", size=FULL32),
    _bad("other descriptor", "mismatch", "good", replace(streamed("good", b"x"), after=b"PK\7\x08" * 4)),
    _lie("two sizes of stored", "damaged", Item("lie", b"xx", method=0), size=1),
    _lie("full sizes without zip64", "damaged", Item("lie", b"x"), size=FULL32),
    _bad("folder with bytes", "damaged", "a/", Item("a/", b"x")),
    # Lies that show only while inflating.
    _lie("CRC", "damaged", Item("lie", b"x" * 99), crc=1),
    _lie("CRC of stored", "damaged", Item("lie", b"x", method=0), crc=1),
    _lie("more than it says", "damaged", Item("lie", bytes(9_000_000)), size=10),
    _lie("some while it says none", "damaged", Item("lie", b"x"), size=0),
    _lie("less than it says", "damaged", Item("lie", b"x"), size=10),
    _lie("no deflate", "damaged", Item("lie", b"x" * 9, packed=b"\xff" * 20)),
    _lie("cut short", "damaged", Item("lie", b"x" * 9999, packed=deflate(b"x" * 9999)[:-3])),
    _lie("bytes after the data", "damaged", Item("lie", b"x" * 99, packed=deflate(b"x" * 99) + b"more")),
    _lie("CRC of a large one", "damaged", Item("lie", NOISE), crc=1),
    _lie("CRC of a large stored one", "damaged", Item("lie", NOISE, method=0), crc=1),
    _lie("large, more than it says", "damaged", Item("lie", NOISE * 3), size=1 << 20),
    _lie("large, less than it says", "damaged", Item("lie", NOISE), size=1 << 22),
    _lie("large, cut short", "damaged", Item("lie", NOISE, packed=deflate(NOISE)[:-3])),
    _lie("large, bytes after the data", "damaged", Item("lie", NOISE, packed=deflate(NOISE) + b"more")),
    _lie("large, no deflate", "damaged", Item("lie", NOISE, packed=b"\xff" * (1 << 20))),
    # Too much.
    _bad("11 files of 10", "too_many_files", None, *(Item(f"{n}", b"x") for n in range(10)), limits=_TEN),
    _made("30,000 empty files", "too_many_files", lambda: many(30_000)),
    _bad("30,000 folders", "too_many_files", None, *(Item(f"{n}/" + "x/" * 500 + "x") for n in range(60))),
    _made("a million claimed", "too_many_files", lambda: build([PAGE], zip64=True, end=_MILLION)),
    _bad("over the size", "too_big", "big", Item("big", bytes(range(256)) * 40, method=0), limits=_TEN),
    _bad("over the ratio", "ratio", "zeros", Item("zeros", bytes(10_000_000))),
    # What is no zip, or not a whole one.
    _made("no bytes", "empty", lambda: b""),
    _made("no entries", "empty", lambda: build([])),
    _made("only folders", "empty", lambda: build([Item("a/"), Item("a/b/")])),
    _made("only what is left out", "empty", lambda: build([Item(".env", b"KEY=1"), Item("__MACOSX/x", b"1")])),
    _made("text", "not_a_zip", lambda: b"Hello, this is no zip."),
    _made("gzip", "not_a_zip", lambda: b"\x1f\x8b\x08" + bytes(2000)),
    _made("cut off", "truncated", lambda: build([PAGE])[:-30]),
    _made("cut off in the comment", "truncated", lambda: build([PAGE], comment=b"hello")[:-1]),
    _made("bytes before", "data_before", lambda: build([PAGE], before=b"#!/bin/sh\n")),
    _made("bytes before zip64", "data_before", lambda: build([PAGE], before=b"#!/bin/sh\n", zip64=True)),
    _made("bytes before that it knows of", "data_before", lambda: shifted(b"#!/bin/sh\n")),
    _made("bytes before no entries", "data_before", lambda: build([], before=b"#!/bin/sh\n")),
    _made("bytes after", "data_after", lambda: build([PAGE], after=b"<?php")),
    _made("two ends", "damaged", lambda: build([PAGE], comment=build([]))),
    _made(
        "two ends that disagree", "damaged", lambda: build([PAGE], zip64=True)[:-14] + b"\7\0" + b"\xff" * 10 + b"\0\0"
    ),
    _made("first part of several", "multi_disk", lambda: b"PK\7\x08" + build([PAGE])[:-30]),
    _ending("last part of several", "multi_disk", disk=1),
    _ending("list on another disk", "multi_disk", first_disk=1),
    _ending("entries on other disks", "multi_disk", count=2),
    _bad("entry on another disk", "multi_disk", None, Item("x", b"x", central={"disk": 1})),
    _made("wide end that is nowhere", "damaged", lambda: build([PAGE], zip64=True).replace(b"PK\6\6", b"PK\6\5")),
    _made("wide end too long", "damaged", lambda: build([PAGE], zip64=True).replace(b"PK\6\6\x2c", b"PK\6\6\x2d")),
    _made("wide end, more entries", "damaged", lambda: build([PAGE], zip64=True, end={"here": 2, "count": 2})),
    _made("wide end on another disk", "multi_disk", lambda: build([PAGE], zip64=True, end={"disk": 1})),
    _bad("list of padding", "damaged", None, *(Item(f"{n}", extra=extra_field(9, bytes(65_000))) for n in range(50))),
    _made("list with a hole", "damaged", lambda: build([PAGE]).replace(b"PK\1\2", b"PK\1\3")),
    _made("list that ends in an entry", "damaged", lambda: build([PAGE]).replace(b"\n" + bytes(5), b"\n\0\xff\0\0\0")),
    _made("more entries than it says", "too_many_files", lambda: many(13_000, says=1)),
    _ending("fewer entries than listed", "damaged", here=0, count=0),
    _ending("more entries than listed", "damaged", here=2, count=2),
    _ending("list too long", "damaged", size=60),
    _ending("list too short", "damaged", size=40),
    _ending("list beyond the file", "damaged", offset=1 << 30),
]


@dataclass(frozen=True)
class Good:
    """A zip to take, and the files that it must become."""

    name: str
    make: Callable[[], bytes]
    files: dict[str, bytes]
    wrapped: str | None = None
    left_out: dict[str, int] = field(default_factory=dict)


def _good(name: str, files: dict[str, bytes], *items: Item, wrapped: str | None = None, **left_out: int) -> Good:
    return Good(name, lambda: build(items), files, wrapped, left_out)


def _reversed_list() -> bytes:
    """A zip whose list is not in the order of its bytes."""
    first, second = Item("a", b"1"), Item("b", b"2")
    body = _local(first) + _local(second)
    directory = _central(second, len(_local(first))) + _central(first, 0)
    return body + directory + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 2, 2, len(directory), len(body), 0)


ODD_NAMES = [
    "[slug].html", "[...rest]/index.html", "a b.html", "c#.html", "100%.html", "%2e%2e.html", "a+b.html",
    "q?x=1&y=2.html", "ab:c.html", "😀.html", "👩‍👩‍👧.html", "日本語/ページ.html", "e\u0301.html", "\u00e9.html", "...",
    "..a", "a..", "a./b", "~", "-rf", "$(id).html", "`id`.html", "'\"<>|*.html", ".nojekyll", ".htaccess",
    ".well-known/security.txt", ".gitignore", "env", "x.env", "git/config", "a" * 255, "é" * 127 + "a",
    "A.html", "a.html", "con", "nul.html", "thumbs.db.html", "_redirects.txt", "_next/x.js",
    "/".join(["d" * 99] * 10) + "/é",
]  # fmt: skip
_ODD = {name: name.encode() for name in ODD_NAMES}
_PLAIN = {"index.html": PAGE.data, "a/b.css": b"b{}"}
_A_B = Item("a/b.css", b"b{}")
LEFT_OUT = {
    ".env": ".env", "sub/.env.local": ".env.local", ".envrc": ".envrc", ".htpasswd": ".htpasswd", ".npmrc": ".npmrc",
    "x/Thumbs.db": "Thumbs.db", "Desktop.ini": "Desktop.ini", ".svn/wc.db": ".svn/", ".ssh/id": ".ssh/", "._a": "._*",
}  # fmt: skip
_WIDE: dict[str, int | bytes] = {"packed": FULL32, "size": FULL32}
_WIDE_PAGE = replace(PAGE, method=0, local=_WIDE, local_extra=zip64_field(14, 14))

GOOD = [
    Good("python", lambda: zipped(_PLAIN), _PLAIN),
    Good("python, stored", lambda: zipped(_PLAIN, method=zipfile.ZIP_STORED), _PLAIN),
    Good("odd names", lambda: zipped(_ODD), _ODD),
    Good("comment", lambda: build([PAGE], comment=b"made by hand"), {"index.html": PAGE.data}),
    Good("longest comment", lambda: build([PAGE], comment=b"x" * FULL16), {"index.html": PAGE.data}),
    Good("zip64 end", lambda: build([PAGE, _A_B], zip64=True), _PLAIN),
    Good("list in another order", _reversed_list, {"a": b"1", "b": b"2"}),
    Good("nested zip", lambda: build([Item("a.zip", zipped(_PLAIN), method=0)]), {"a.zip": zipped(_PLAIN)}),
    Good("large", lambda: build([Item("a", NOISE * 3), Item("b", NOISE, method=0)]), {"a": NOISE * 3, "b": NOISE}),
    _good("folders", _PLAIN, PAGE, Item("a/"), Item("a/", packed=b"\3\0", method=8), Item("none/"), _A_B),
    _good("nothing in it", {"a": b"", "b": b""}, Item("a"), Item("b", method=0)),
    _good(
        "dot and slash",
        _PLAIN,
        Item("./"),
        replace(PAGE, name="./index.html"),
        Item("./a/"),
        replace(_A_B, name="./a/b.css"),
    ),
    _good("streamed", _PLAIN, streamed("index.html", PAGE.data), streamed("a/b.css", b"b{}")),
    _good("streamed, no mark", _PLAIN, streamed("index.html", PAGE.data, mark=False), _A_B),
    _good("streamed, wide", _PLAIN, streamed("index.html", PAGE.data, wide=True), _A_B),
    _good("streamed, wide, no mark", _PLAIN, streamed("index.html", PAGE.data, wide=True, mark=False), _A_B),
    _good("flagged as streamed, sizes known", _PLAIN, replace(PAGE, flags=IN_DESCRIPTOR), _A_B),
    _good("zip64 sizes", _PLAIN, _A_B, replace(_WIDE_PAGE, central=_WIDE, extra=zip64_field(14, 14))),
    _good("zip64 sizes beside the data only", _PLAIN, _A_B, _WIDE_PAGE),
    _good("room between", _PLAIN, replace(PAGE, after=bytes(99)), _A_B),
    _good(
        "fields of any kind", _PLAIN, replace(PAGE, extra=extra_field(0xCAFE, b"") + b"\0\0\0", local_extra=b"\0"), _A_B
    ),
    _good("made by DOS", _PLAIN, replace(PAGE, system=0, mode=0, dos=0x20), replace(_A_B, system=10, mode=0)),
    _good("other level flags", {"a": b"x"}, Item("a", b"x", flags=2)),
    _good("UTF-8, not flagged", {"ü.html": b"x"}, Item("ü.html".encode(), b"x")),
    _good("code page 437", {"ü.html": b"x"}, Item(b"\x81.html", b"x")),
    _good("Unicode path", {"日.html": b"x"}, Item(b"?.html", b"x", extra=unicode_path(b"?.html", "日.html"))),
    _good("Unicode path of another", {"?.html": b"x"}, Item(b"?.html", b"x", extra=unicode_path(b"a", "日.html"))),
    _good(
        "wrapped",
        _PLAIN,
        Item("dist/"),
        Item("dist/index.html", PAGE.data),
        Item("dist/a/b.css", b"b{}"),
        wrapped="dist",
    ),
    _good("wrapped once", {"b/c": b"1"}, Item("a/b/c", b"1"), wrapped="a"),
    Good(
        "wrapped, beside what is left out",
        lambda: build(
            [Item("dist/a", b"1"), Item("dist/.DS_Store", b"2"), Item("__MACOSX/dist/._a", b"3"), Item(".git/")]
        ),
        {"a": b"1"},
        "dist",
        {".DS_Store": 1, ".git/": 1, "__MACOSX/": 1},
    ),
    _good("deep", {"x/" * 500 + "a": b"1", "b": b"2"}, Item("x/" * 500 + "a", b"1"), Item("b", b"2")),
    _good("two folders", {"a/x": b"1", "b/y": b"2"}, Item("a/x", b"1"), Item("b/y", b"2")),
    _good("only .well-known", {".well-known/x": b"1"}, Item(".well-known/x", b"1")),
    Good(
        "much left out",
        lambda: build(
            [PAGE, *(Item(f".git/objects/{n:02x}/{n}", b"x") for n in range(40)), Item(".git/HEAD", b"x")]
            + [Item(name, b"x") for name in LEFT_OUT]
        ),
        {"index.html": PAGE.data},
        None,
        {".git/": 41, **dict.fromkeys(LEFT_OUT.values(), 1)},
    ),
]
