"""A tar that knows whether it is whole: what comes out is what went in, or nothing does."""

import io
import subprocess
import tarfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import BadBackup
from appliance.machine.tar import SUMS, Reader, Writer

MEMBERS = {"first.json": b"{}", "bundles/ab/zip": b"PK" * 700, "empty": b"", "block": b"x" * 512}


def written(members: dict[str, bytes], folder: Path = Path("/tmp")) -> bytes:
    to = io.BytesIO()
    tar = Writer(to, moment=1_800_000_000, aside=folder)
    for name, content in members.items():
        tar.add(name, len(content), [content[:300], content[300:]])
    tar.finish()
    tar.close()
    return to.getvalue()


def read(data: bytes, folder: Path = Path("/tmp")) -> dict[str, bytes]:
    tar = Reader(io.BytesIO(data), aside=folder)
    try:
        return {member.name: b"".join(member.chunks) for member in tar.members()}
    finally:
        tar.close()


GOOD = written(MEMBERS)


@given(
    st.dictionaries(
        st.text("abcdef/0.é", min_size=1, max_size=40).filter(lambda name: name != SUMS), st.binary(max_size=1600)
    )
)
def test_what_goes_in_comes_out(members: dict[str, bytes]) -> None:
    assert read(written(members)) == members


def test_any_tar_reads_it_and_the_sums_can_be_checked(tmp_path: Path) -> None:
    (tmp_path / "backup.tar").write_bytes(GOOD)
    subprocess.run(["tar", "xf", "backup.tar"], cwd=tmp_path, check=True)
    assert {name: (tmp_path / name).read_bytes() for name in MEMBERS} == MEMBERS
    checked = subprocess.run(["sha256sum", "-c", SUMS], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert checked.stdout.count(": OK\n") == len(MEMBERS)


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_one_byte_that_is_not_as_it_was_is_found(at: int, by: int) -> None:
    bad = bytearray(GOOD)
    bad[at] ^= by
    with pytest.raises(BadBackup):
        read(bytes(bad))


def test_every_byte_counts() -> None:
    """In the headers, the contents, the padding, the list and the empty end alike."""
    for at in range(len(GOOD)):
        bad = bytearray(GOOD)
        bad[at] ^= 1
        with pytest.raises(BadBackup):
            read(bytes(bad))


@given(st.integers(0, len(GOOD) - 1))
def test_one_that_is_cut_off_is_refused(length: int) -> None:
    with pytest.raises(BadBackup):
        read(GOOD[:length])


@pytest.mark.parametrize("more", [b"\0", b"x", bytes(512), bytes(10240), GOOD])
def test_nothing_may_come_after_the_end(more: bytes) -> None:
    with pytest.raises(BadBackup):
        read(GOOD + more)


def test_a_link_is_no_member() -> None:
    to = io.BytesIO()
    with tarfile.open(fileobj=to, mode="w", format=tarfile.GNU_FORMAT) as tar:
        link = tarfile.TarInfo("first.json")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    with pytest.raises(BadBackup):
        read(to.getvalue())


def test_a_file_that_grows_or_shrinks_while_it_is_read_is_not_taken(tmp_path: Path) -> None:
    for chunks in ([b"12"], [b"1234"]):
        with closing(Writer(io.BytesIO(), moment=0, aside=tmp_path)) as tar:
            with pytest.raises(ValueError, match="changed its size"):
                tar.add("name", 3, chunks)


def test_more_than_eight_gigabytes_fit_in_a_header(tmp_path: Path) -> None:
    class Nowhere:
        def write(self, data: bytes, /) -> None:
            self.last = data

    to = Nowhere()
    with closing(Writer(to, moment=0, aside=tmp_path)) as tar:
        with pytest.raises(ValueError, match="changed its size"):
            tar.add("name", 1 << 34, [])
    assert tarfile.TarInfo.frombuf(to.last, "utf-8", "strict").size == 1 << 34
