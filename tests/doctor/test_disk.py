from pathlib import Path

import pytest

from appliance.doctor import disk

DATA = Path("/var/lib/homeport")
GB = 1000**3


@pytest.mark.parametrize(
    ("free", "total", "status", "words"),
    [
        (41 * GB, 100 * GB, "ok", "41.0 GB free of 100 GB in /var/lib/homeport."),
        (4 * GB, 100 * GB, "warn", "4.0 GB free"),
        (900 * 1000**2, 4 * GB, "warn", "900 MB free of 4.0 GB"),
        (1000, 4 * GB, "failed", "The disk is full: 1.0 kB free"),
        (0, 4 * GB, "failed", "0 bytes free"),
        (5000 * GB, 20000 * GB, "ok", "5.0 TB free of 20.0 TB"),
    ],
)
def test_bytes(free: int, total: int, status: str, words: str) -> None:
    found = disk.bytes_left(DATA, free=free, total=total)
    assert (found.status, words in found.text) == (status, True), found.text
    assert bool(found.mend) == (status != "ok")


@pytest.mark.parametrize(
    ("free", "total", "status"),
    [
        (500_000, 1_000_000, "ok"),
        (9_000, 10_000, "warn"),
        (40_000, 1_000_000, "warn"),
        (0, 1_000, "failed"),
        (0, 0, "off"),
    ],
)
def test_files(free: int, total: int, status: str) -> None:
    assert disk.files_left(DATA, free=free, total=total).status == status


def test_a_folder_that_is_not_there_yet_is_on_its_parents_disk(tmp_path: Path) -> None:
    assert [check.name for check in disk.checks(tmp_path / "a" / "b")] == ["disk.bytes", "disk.files"]
