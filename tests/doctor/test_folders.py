import os
from pathlib import Path

import pytest

from appliance.doctor import folders
from appliance.model.checks import Check

NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: gives files to other users")
MOUNTS = r"""22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 22 0:40 / /srv rw,relatime shared:1 - nfs4 files:/srv rw
31 30 0:41 / /srv/with\040space rw - cifs //files/it rw
32 22 0:42 / /run rw,nosuid - tmpfs tmpfs rw
33 32 254:1 / /run rw - ext4 /dev/vdb rw
"""


def look(data: Path) -> dict[str, Check]:
    return {check.name: check for check in folders.checks(data)}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    folder.chmod(0o711)
    (folder / "homeport.db").touch(0o600)
    return folder


def test_a_folder_in_order(data: Path) -> None:
    found = look(data)
    assert {name: check.status for name, check in found.items() if name != "data.mount"} == {
        "data.folder": "ok",
        "data.owner": "ok",
        "data.mode": "ok",
    }


def test_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    found = look(tmp_path / "a" / "b")
    assert list(found) == ["data.folder"]
    assert found["data.folder"].status == "warn"


def test_a_file_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    assert look(tmp_path / "data")["data.folder"].text.endswith("is not a folder.")


@as_root
def test_files_left_behind_by_root(data: Path) -> None:
    for path in (data, data / "homeport.db"):
        os.chown(path, NOBODY, NOBODY)
    (data / "setup-link").touch()
    (data / "nginx").mkdir()  # root's where the root helper writes it
    found = look(data)
    assert found["data.folder"].text.endswith("can be written by nobody.")
    assert found["data.owner"].status == "failed"
    assert "setup-link (root)" in found["data.owner"].text
    assert "nginx" not in found["data.owner"].text.replace(str(data), "")


@as_root
def test_a_folder_that_its_user_can_not_write(data: Path) -> None:
    os.chown(data / "homeport.db", NOBODY, NOBODY)
    found = look(data)["data.folder"]
    assert (found.status, found.mend) == ("failed", f"As root: `chown nobody {data}`.")


@as_root
def test_the_folder_that_install_makes_is_in_order(data: Path) -> None:
    os.chown(data / "homeport.db", NOBODY, NOBODY)
    os.chown(data, 0, NOBODY)
    data.chmod(0o1771)
    found = look(data)
    assert (found["data.folder"].status, found["data.mode"].status) == ("ok", "ok")


@pytest.mark.parametrize(
    ("mode", "status", "words"),
    [
        (0o700, "ok", "closed"),
        (0o755, "warn", "may list"),
        (0o771, "failed", "group"),
        (0o777, "failed", "Anyone"),
        (0o1777, "failed", "Anyone"),
    ],
)
def test_what_others_may_do(data: Path, mode: int, status: str, words: str) -> None:
    data.chmod(mode)
    found = look(data)["data.mode"]
    assert found.status == status
    assert words in found.text


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib", "ext4"),
        ("/srv/data", "nfs4"),
        ("/srv/with space/x", "cifs"),
        ("/srvother", "ext4"),
        ("/run", "ext4"),
    ],
)
def test_the_file_system_below_a_path(path: str, kind: str) -> None:
    assert folders.file_system(Path(path), MOUNTS) == kind


def test_memory_is_no_place_to_keep_things() -> None:
    if not os.access("/dev/shm", os.W_OK):
        pytest.skip("/dev/shm can't be written here")
    assert look(Path("/dev/shm"))["data.mount"].status == "warn"
