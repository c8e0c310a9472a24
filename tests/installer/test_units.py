import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from appliance.installer.layout import asked, plan

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units as written, with a program and files that systemd can find."""
    program = tmp_path / "homeport"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    folder = tmp_path / "units"
    folder.mkdir()
    for file in plan(asked({}, {}, program, tmp_path)).files:
        if file.path.parent.name == "system":
            text = file.content.decode().replace("/usr/local/bin/homeport", str(program))
            (folder / file.path.name).write_text(text.replace("=homeport\n", "=daemon\n"))
    return folder


def sections(file: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",), comment_prefixes=("#",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(file)
    return parser


@needs_systemd
def test_systemd_takes_them(units: Path) -> None:
    for name in ("homeport.service", "homeport-nginx.socket", "homeport-nginx@.service"):
        ran = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(units / name)],
            capture_output=True,
            text=True,
            check=False,
            env={"SYSTEMD_UNIT_PATH": f"{units}:"},
        )
        ours = [line for line in ran.stderr.splitlines() if "homeport" in line]
        assert not ours, ran.stderr
        assert ran.returncode == 0, ran.stderr


@needs_systemd
@pytest.mark.parametrize(("name", "most"), [("homeport.service", 2.0), ("homeport-nginx@.service", 4.0)])
def test_little_is_left_to_attack(units: Path, name: str, most: float) -> None:
    ran = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(units / name)],
        capture_output=True,
        text=True,
        check=False,
        env={"SYSTEMD_UNIT_PATH": f"{units}:"},
    )
    found = re.search(r"exposure level for \S+: ([0-9.]+)", ran.stdout)
    assert found, ran.stdout + ran.stderr
    assert float(found[1]) <= most


def test_the_service_has_a_user_and_no_rights(units: Path) -> None:
    service = sections(units / "homeport.service")["Service"]
    assert service["User"] == "daemon"  # stands for homeport here
    assert service["CapabilityBoundingSet"] == ""
    assert service["NoNewPrivileges"] == "yes"
    assert service["ProtectSystem"] == "strict"
    assert service["ReadWritePaths"] == "/var/lib/homeport"
    assert service["ReadOnlyPaths"] == "-/var/lib/homeport/nginx"


def test_the_socket_lets_only_the_service_in(units: Path) -> None:
    listening = sections(units / "homeport-nginx.socket")["Socket"]
    assert (listening["SocketUser"], listening["SocketGroup"], listening["SocketMode"]) == ("root", "daemon", "0660")
    assert listening["Accept"] == "yes"


def test_the_helper_gets_the_connection_and_its_own_code(units: Path) -> None:
    helper = sections(units / "homeport-nginx@.service")["Service"]
    assert helper["StandardInput"] == "socket"
    assert helper["ExecStart"].endswith(" nginx-helper")
    assert helper["Environment"] == "HOMEPORT_RUNTIME=/var/cache/homeport-nginx"


def test_nothing_is_left_to_fill_in(units: Path) -> None:
    assert not [file.name for file in units.iterdir() if "{{" in file.read_text()]
