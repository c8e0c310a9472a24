import os
from pathlib import Path

import pytest

from appliance.machine.trust import flaw

ME = os.geteuid()
NOBODY = 65534
as_root = pytest.mark.skipif(ME != 0, reason="needs root: gives files to other users")


@pytest.fixture
def way(tmp_path: Path) -> Path:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "file").touch()
    return tmp_path / "a" / "b" / "file"


def test_a_way_that_nobody_else_can_change(way: Path) -> None:
    assert flaw(way, {0, ME}) is None


def test_a_folder_on_the_way_that_others_may_write(way: Path) -> None:
    way.parents[1].chmod(0o775)
    assert flaw(way, {0, ME}) == f"others than {_me()} may write in {way.parents[1]}"
    way.parents[1].chmod(0o1777)
    assert flaw(way, {0, ME}) is None, "in a sticky folder, nobody can replace what is ours"
    way.parents[0].chmod(0o1777)
    assert flaw(way.parent, {0, ME}) is not None, "but they can add to it"


def test_the_way_behind_a_link_counts(way: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("a/b")
    (tmp_path / "again").symlink_to(tmp_path / "link")
    assert flaw(tmp_path / "again" / "file", {0, ME}) is None
    way.parents[1].chmod(0o777)
    assert flaw(tmp_path / "again" / "file", {0, ME}) == f"others than {_me()} may write in {way.parents[1]}"


@as_root
def test_whose_it_is(way: Path, tmp_path: Path) -> None:
    os.chown(way.parent, NOBODY, NOBODY)
    assert flaw(way) == f"{way.parent} belongs to nobody"
    assert flaw(way, {0, NOBODY}) is None
    link = tmp_path / "link"
    link.symlink_to("a")
    os.chown(link, NOBODY, NOBODY, follow_symlinks=False)
    assert flaw(link) == f"{link} belongs to nobody"


def test_a_way_that_leads_nowhere(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        flaw(tmp_path / "missing" / "file", {0, ME})


def _me() -> str:
    import pwd

    return pwd.getpwuid(ME).pw_name
