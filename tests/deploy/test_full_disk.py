"""A disk that runs full stops one deployment, and nothing else."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.appliance import Appliance, zipped

MIB = 1 << 20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 110 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = os.geteuid() == 0 and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=110m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if not mounted or mounted.returncode != 0:
        pytest.skip("a small file system can't be mounted by this user")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk(small_disk: Path, tmp_path: Path) -> None:
    with Appliance(small_disk / "data", HOMEPORT_RUNTIME=str(tmp_path / "runtime")) as server:
        server.project("full")
        server.deploy("full", {"index.html": "before"})
        big = {f"{n}.bin": os.urandom(MIB >> 6) * 512 for n in range(16)}  # 128 MiB that pack well
        answer = server.send("full", zipped({"index.html": "big", **big}))
        assert answer.status_code == 422, answer.text
        said = answer.json()
        assert said["type"] == "urn:homeport:out_of_room" and "disk" in said["detail"] and said["todo"]
        assert said["deployment"]["status"] == "failed"
        assert server.visit("full").text == "before"
        assert [one.name for one in (server.data / "releases").iterdir() if one.name.startswith(".")] == []
        filler = small_disk / "filler"
        filler.write_bytes(bytes(60 * MIB))
        refused = server.send("full", zipped({"index.html": "x"}))
        assert refused.status_code == 507, "less than what is kept free for everything else"
        assert refused.headers["content-type"] == "application/problem+json"
        filler.unlink()
        assert server.deploy("full", {"index.html": "after"})["status"] == "succeeded"
        assert server.visit("full").text == "after"
        assert server.stop() == 0
