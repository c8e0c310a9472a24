"""Any good zip comes back as it was; any damaged one is refused or comes back as it was; neither writes elsewhere."""

import os
import tempfile
import zlib
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.errors import BadBundle
from appliance.machine import archive
from appliance.machine.unpack import unpack
from tests.archives import LIMITS, NOISE, Item, build, streamed, zip64_field, zipped
from tests.releases import shelf_in

_FEW = settings(max_examples=100, deadline=None)
_LETTERS = st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="/\\:")
_LEFT_OUT = {"__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini"}
_PART = st.text(_LETTERS, min_size=1, max_size=12).filter(lambda part: part[0] != "." and part.lower() not in _LEFT_OUT)
_PATH = st.lists(_PART, min_size=1, max_size=4).map("/".join)
_SITES = st.dictionaries(_PATH, st.binary(max_size=400), min_size=1, max_size=12)

_SEED = build(
    [
        Item("a/index.html", NOISE[:300] * 3),
        streamed("a/b.html", NOISE[:50] * 9),
        Item("c.css", b"c{}", method=0, extra=zip64_field(3, 3)),
        Item("d/"),
        Item(".git/x", b"x"),
    ],
    zip64=True,
)


@_FEW
@given(_SITES)
def test_any_good_zip_comes_back(files: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clash = any(other.startswith(f"{path}/") for path in files for other in files)
        outcome = take(zipped(files), folder)
        if clash:
            assert outcome == "twice"
            return
        assert isinstance(outcome, archive.Contents)
        cut = len(outcome.wrapped) + 1 if outcome.wrapped else 0
        assert {path[cut:]: data for path, data in files.items()} == found(folder / "release")


@_FEW
@given(st.lists(st.tuples(st.integers(0, len(_SEED) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_any_damaged_zip_is_refused_or_whole(changes: list[tuple[int, int]]) -> None:
    data = bytearray(_SEED)
    for at, value in changes:
        data[at] = value
    take_safely(bytes(data))


@_FEW
@given(st.integers(0, len(_SEED)), st.integers(0, len(_SEED)), st.binary(max_size=40))
def test_any_cut_or_patched_zip_is_refused_or_whole(begin: int, end: int, patch: bytes) -> None:
    take_safely(_SEED[:begin] + patch + _SEED[end:])


@_FEW
@given(st.binary(max_size=200), st.binary(max_size=30))
def test_any_bytes_are_refused(before: bytes, after: bytes) -> None:
    take_safely(before + b"PK\5\6" + after)


def take(data: bytes, folder: Path) -> archive.Contents | str:
    """What came of it: its contents, or the code that it was refused with."""
    path = folder / "bundle.zip"
    path.write_bytes(data)
    try:
        contents = archive.inspect(path, LIMITS)
        unpack(
            *(path, contents, folder / "release"),
            shelf=shelf_in(folder),
            limits=LIMITS,
            on_progress=lambda _: None,
            cancelled=lambda: False,
        )
    except BadBundle as why:
        return why.code
    return contents


def take_safely(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        outcome = take(data, folder)
        assert set(os.listdir(folder)) <= {"bundle.zip", "release", "files"}
        if isinstance(outcome, archive.Contents):
            written = found(folder / "release")
            assert {path: (len(data), zlib.crc32(data)) for path, data in written.items()} == {
                entry.path: (entry.size, entry.crc32) for entry in outcome.entries
            }


def found(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
