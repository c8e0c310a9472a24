"""Zips that are taken and zips that are refused, all the way from bytes to files."""

import errno
import gc
import hashlib
import os
import stat
import threading
import tracemalloc
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.errors import BadBundle, Cancelled, HostFailed, OutOfRoom
from appliance.machine import archive, partner, process
from appliance.machine.archive import Contents, Limits
from appliance.machine.unpack import unpack
from appliance.model import manifests
from appliance.model.manifests import Piece
from tests.archives import EVIL, GOOD, LIMITS, NOISE, PAGE, Evil, Good, Item, build, many, zipped
from tests.releases import shelf_in


def quiet(_: int) -> None:
    pass


def never() -> bool:
    return False


def put(folder: Path, data: bytes) -> Path:
    path = folder / "bundle.zip"
    path.write_bytes(data)
    return path


def take(path: Path, folder: Path, limits: Limits = LIMITS) -> Contents:
    contents = archive.inspect(path, limits)
    unpack_to(folder, path, contents)
    return contents


def unpack_to(folder: Path, path: Path, contents: Contents) -> None:
    unpack(path, contents, folder, shelf=shelf_in(folder.parent), limits=LIMITS, on_progress=quiet, cancelled=never)


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def open_files() -> int:
    partner.send_all_away()
    gc.collect()  # what earlier tests let go of is closed by now
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize("evil", EVIL, ids=lambda evil: evil.name)
def test_evil_zips_are_refused(evil: Evil, tmp_path: Path) -> None:
    path = put(tmp_path, evil.make())
    before = open_files()
    with pytest.raises(BadBundle) as caught:
        take(path, tmp_path / "release", evil.limits)
    assert (caught.value.code, caught.value.entry) == (evil.code, evil.entry)
    assert evil.entry is None or evil.entry in caught.value.detail
    assert caught.value.detail.isprintable()
    assert caught.value.todo
    assert open_files() == before
    assert {entry.name for entry in tmp_path.iterdir()} <= {"bundle.zip", "release", "files"}
    assert not any(entry.is_symlink() for entry in tmp_path.rglob("*"))


def test_each_evil_has_its_own_name() -> None:
    assert len({evil.name for evil in EVIL}) == len(EVIL)


@pytest.mark.parametrize("good", GOOD, ids=lambda good: good.name)
def test_good_zips_come_back_byte_for_byte(good: Good, tmp_path: Path) -> None:
    contents = take(put(tmp_path, good.make()), tmp_path / "release")
    assert tree(tmp_path / "release") == good.files
    assert (contents.files, contents.wrapped) == (len(good.files), good.wrapped)
    assert contents.unpacked == sum(map(len, good.files.values()))
    assert {it.name: it.entries for it in contents.left_out} == good.left_out


def test_every_cut_of_a_zip_is_refused(tmp_path: Path) -> None:
    whole = zipped({"index.html": PAGE.data, "a/b.css": NOISE[:900]})
    for length in [*range(1, len(whole), 64), len(whole) - 1]:
        with pytest.raises(BadBundle) as caught:
            archive.inspect(put(tmp_path, whole[:length]), LIMITS)
        assert caught.value.code == "truncated"


def test_macos_counts_in_16_bits(tmp_path: Path) -> None:
    path = put(tmp_path, many(66_000, says=66_000 & 0xFFFF))
    contents = archive.inspect(path, replace(LIMITS, max_files=66_000))
    assert contents.files == 66_000


def test_portable_takes_what_differs(tmp_path: Path) -> None:
    files = {"a.html": b"1", "B/a.html": b"2", "é": b"3"}
    take(put(tmp_path, zipped(files)), tmp_path / "release", replace(LIMITS, names="portable"))
    assert tree(tmp_path / "release") == files


def test_limits_are_what_they_say(tmp_path: Path) -> None:
    path = put(tmp_path, zipped({"a": b"12345", "b/c": b"12345"}))
    assert archive.inspect(path, Limits(max_files=2, max_size=10)).unpacked == 10
    with pytest.raises(BadBundle, match="has 2 files, and may have 1"):
        archive.inspect(path, Limits(max_files=1, max_size=10))
    with pytest.raises(BadBundle, match="unpacks to 10 bytes, and may have 9 bytes"):
        archive.inspect(path, Limits(max_files=2, max_size=9))


def test_what_is_left_out_does_not_count(tmp_path: Path) -> None:
    files = {"index.html": b"x"} | {f".git/{number}": b"x" for number in range(50)}
    assert archive.inspect(put(tmp_path, zipped(files)), Limits(max_files=1, max_size=1)).files == 1


def test_a_release_is_read_only_and_dated_by_content(tmp_path: Path) -> None:
    old = os.umask(0o077)
    try:
        contents = take(put(tmp_path, zipped({"a/b.css": b"b{}"})), tmp_path / "release")
    finally:
        os.umask(old)
    file, folder = (tmp_path / "release/b.css").stat(), (tmp_path / "release").stat()
    assert (stat.S_IMODE(file.st_mode), stat.S_IMODE(folder.st_mode)) == (0o444, 0o755)
    name = hashlib.sha256(b"b{}").hexdigest()
    assert contents.files == 1
    assert file.st_mtime_ns == manifests.mtime(name) * 10**9
    assert manifests.etag(3, name) == f'"{int(file.st_mtime):x}-{file.st_size:x}"'


def test_folders_are_open_to_nginx(tmp_path: Path) -> None:
    old = os.umask(0o077)
    try:
        take(put(tmp_path, zipped({"x": b"1", "a/b/c": b"1"})), tmp_path / "release")
    finally:
        os.umask(old)
    for folder in ("release/a", "release/a/b"):
        assert stat.S_IMODE((tmp_path / folder).stat().st_mode) == 0o755


def test_it_says_what_every_file_is(tmp_path: Path) -> None:
    path = put(tmp_path, zipped({"a/b": b"123", "c": b"", "large": NOISE}))
    contents = archive.inspect(path, LIMITS)
    shelf = shelf_in(tmp_path)
    found = unpack(
        *(path, contents, tmp_path / "release"), shelf=shelf, limits=LIMITS, on_progress=quiet, cancelled=never
    )
    expected = {"a/b": b"123", "c": b"", "large": NOISE}
    assert found == {
        name: Piece(len(data), hashlib.sha256(data).hexdigest(), zlib.crc32(data)) for name, data in expected.items()
    }


def test_mtime_stays_in_range() -> None:
    assert manifests.mtime("0" * 64) == 1 << 28
    assert manifests.mtime("f" * 64) < (1 << 28) + (1 << 30)


def test_what_is_on_the_shelf_is_linked(tmp_path: Path) -> None:
    """One content is one file, however often it is published."""
    shelf = shelf_in(tmp_path)
    path = put(tmp_path, zipped({"a": b"same", "b/c": b"same", "d": b"other"}))
    shelf.put(hashlib.sha256(b"same").hexdigest(), b"same")
    unpack_to(tmp_path / "release", path, archive.inspect(path, LIMITS))
    inode = shelf.path(hashlib.sha256(b"same").hexdigest()).stat().st_ino
    assert [(tmp_path / "release" / name).stat().st_ino == inode for name in ("a", "b/c", "d")] == [True, True, False]


def test_more_links_than_a_file_may_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = shelf_in(tmp_path)
    shelf.put(hashlib.sha256(b"same").hexdigest(), b"same")
    path = put(tmp_path, zipped({"a": b"same"}))

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.EMLINK, "Too many links")

    monkeypatch.setattr("appliance.machine.unpack.os.link", full)
    unpack_to(tmp_path / "release", path, archive.inspect(path, LIMITS))
    assert tree(tmp_path / "release") == {"a": b"same"}


def test_progress_is_told_in_the_callers_thread(tmp_path: Path) -> None:
    path = put(tmp_path, many(900))
    contents = archive.inspect(path, LIMITS)
    told: list[tuple[int, int]] = []

    def tell(done: int) -> None:
        told.append((done, threading.get_ident()))

    shelf = shelf_in(tmp_path)
    unpack(path, contents, tmp_path / "release", shelf=shelf, limits=LIMITS, on_progress=tell, cancelled=never)
    assert told[-1] == (900, threading.get_ident())
    assert told == sorted(told)


@pytest.mark.parametrize("items", [[Item("a", NOISE)], [Item(f"{n}/a") for n in range(9)]], ids=["a file", "folders"])
@pytest.mark.parametrize("looks", [1, 2, 4])
def test_it_stops_when_asked(items: list[Item], looks: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.machine.unpack.LOOK_EVERY", 0)
    path = put(tmp_path, build(items))
    contents = archive.inspect(path, LIMITS)
    shelf = shelf_in(tmp_path)
    before = open_files()
    answers = iter([False] * (looks - 1))
    with pytest.raises(Cancelled):
        unpack(
            *(path, contents, tmp_path / "release"),
            shelf=shelf,
            limits=LIMITS,
            on_progress=quiet,
            cancelled=lambda: next(answers, True),
        )
    assert open_files() == before


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path) -> None:
    path = put(tmp_path, zipped({"a": b"1"}))
    (tmp_path / "release").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").mkdir()
    with pytest.raises(HostFailed, match="can't be made: File exists"):
        take(path, tmp_path / "release")
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_bundle_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(HostFailed, match="can't be read: No such file"):
        archive.inspect(tmp_path / "gone.zip", LIMITS)


def test_a_disk_that_takes_two_names_for_one(tmp_path: Path) -> None:
    path = put(tmp_path, zipped({"a.html": b"1"}))
    contents = archive.inspect(path, LIMITS)
    with pytest.raises(BadBundle, match=r'takes "a.html" for the name of another') as caught:
        unpack_to(tmp_path / "release", path, replace(contents, entries=contents.entries * 2))
    assert caught.value.code == "twice"


@pytest.mark.parametrize(("name", "why"), [("a" * 300, "File name too long"), ("gone/a", "No such file")])
def test_a_disk_that_says_no(name: str, why: str, tmp_path: Path) -> None:
    path = put(tmp_path, zipped({"a.html": b"1"}))
    contents = archive.inspect(path, LIMITS)
    before = open_files()
    with pytest.raises(HostFailed, match=why):
        unpack_to(tmp_path / "release", path, replace(contents, entries=(contents.entries[0]._replace(path=name),)))
    with pytest.raises(HostFailed, match=why):
        unpack_to(tmp_path / "other", path, replace(contents, folders=(name,)))
    assert open_files() == before


@pytest.mark.parametrize("bad", ["small/0", "small/299", "large/0", "large/11"])
def test_what_either_thread_finds_stops_both(bad: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.machine.unpack.LOOK_EVERY", 0)
    small = [Item(f"small/{n}", NOISE[:99]) for n in range(300)]
    large = [Item(f"large/{n}", NOISE, method=0) for n in range(12)]
    lie: dict[str, int | bytes] = {"crc": 1}
    items = [replace(it, local=lie, central=lie) if it.name == bad else it for it in small + large]
    before = open_files()
    with pytest.raises(BadBundle) as caught:
        take(put(tmp_path, build(items)), tmp_path / "release")
    assert (caught.value.code, caught.value.entry) == ("damaged", bad)
    assert open_files() == before
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("unpack")]


def test_a_bundle_cut_after_it_was_inspected(tmp_path: Path) -> None:
    path = put(tmp_path, build([PAGE, Item("a", NOISE), Item("b", NOISE, method=0)]))
    contents = archive.inspect(path, LIMITS)
    os.truncate(path, 2000)
    with pytest.raises(BadBundle, match=r"does not end where|holds"):
        unpack_to(tmp_path / "release", path, contents)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
@pytest.mark.parametrize("options", ["size=64k", "nr_inodes=300"])
def test_a_full_disk_says_so(options: str, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = process.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)])
    if not mounted.ok:
        pytest.skip(f"no small disk can be mounted here: {mounted.output}")
    try:
        with pytest.raises(OutOfRoom, match=r"disk of .*/disk has .* left"):
            take(put(tmp_path, zipped({f"{number}": NOISE[:2000] for number in range(50)})), disk / "release")
    finally:
        process.run(["umount", str(disk)])


def test_memory_stays_where_it_was(tmp_path: Path) -> None:
    noise = Item("noise", NOISE * 16, level=1)
    path = put(tmp_path, build([noise, Item("stored", NOISE * 16, method=0), Item("zeros", bytes(16 << 20))]))
    contents = archive.inspect(path, LIMITS)
    tracemalloc.start()
    try:
        unpack_to(tmp_path / "release", path, contents)
        assert tracemalloc.get_traced_memory()[1] < 2 << 20
    finally:
        tracemalloc.stop()
