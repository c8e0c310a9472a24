"""What every test may count on."""

import os
import shutil
from collections.abc import Iterator
from ctypes.util import find_library
from pathlib import Path

import pytest

from tests.appliance import Appliance

ROOT = Path(__file__).resolve().parent.parent
NEEDS = {
    "nginx": ["nginx"],
    "bind": ["named"],
    "acme": ["pebble"],
    "browser": ["chromium", "libatomic.so.1"],
    "load": ["wrk"],
}


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test whose real part is not on this machine is skipped by the name of that part."""
    for mark, things in NEEDS.items():
        for thing in things if item.get_closest_marker(mark) else ():
            if not is_there(thing):
                pytest.skip(f"{thing} is not on this machine")


def is_there(thing: str) -> bool:
    if thing.startswith("lib"):
        return find_library(thing.removeprefix("lib").partition(".")[0]) is not None
    return shutil.which(thing, path=f"{os.environ['PATH']}:/usr/sbin") is not None


@pytest.fixture(scope="session")
def built_file() -> Path:
    """dist/homeport, as `./build.sh test` made it."""
    path = Path(os.environ.get("HOMEPORT_TEST_FILE") or ROOT / "dist" / "homeport")
    if not path.exists():
        pytest.skip("dist/homeport is not built; ./build.sh makes it")
    return path


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    """One appliance for every test that needs no other; each test makes projects of its own."""
    with Appliance(tmp_path_factory.mktemp("server") / "data") as running:
        yield running


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Appliance]:
    """An appliance of one's own, started and set up."""
    with Appliance(tmp_path / "data") as running:
        yield running
