"""The command line, signed in to the server by the environment, as in CI."""

import os
from pathlib import Path

import pytest

from tests.appliance import Appliance
from tests.cli.drive import Cli


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the machine of the tests has set doesn't steer them."""
    for name in os.environ:
        if name.startswith("HOMEPORT_") or name == "NO_COLOR":
            monkeypatch.delenv(name)


@pytest.fixture
def alone(tmp_path: Path) -> Cli:
    """Signed in nowhere."""
    return Cli({f"XDG_{name}_HOME": str(tmp_path / name.lower()) for name in ("CONFIG", "DATA", "CACHE")})


@pytest.fixture
def cli(server: Appliance, alone: Cli) -> Cli:
    return Cli({**alone.environ, "HOMEPORT_SERVER": server.url, "HOMEPORT_KEY": server.key})


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A project's name that no other test uses."""
    words = request.node.name.partition("[")[0].removeprefix("test_").replace("_", "-")
    return f"{words[:24].strip('-')}-{os.urandom(3).hex()}"


@pytest.fixture
def site(tmp_path: Path, name: str) -> Path:
    """A folder that is called as the project."""
    folder = tmp_path / name
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(f"<h1>{name}</h1>")
    (folder / "assets" / "app.css").write_text("body { color: teal }\n" * 100)
    return folder
