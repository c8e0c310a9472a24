import os
import resource
from pathlib import Path

import pytest

from appliance.doctor import program
from appliance.machine.trust import user_name


def test_what_it_runs_on() -> None:
    assert [check.name for check in program.checks()] == ["python", "sqlite", "open.files", "program"]
    assert program.python((3, 10)).status == "failed"
    assert program.sqlite((3, 31, 1)).text == "SQLite 3.31.1."
    assert program.sqlite((3, 31, 1)).status == "failed"


@pytest.mark.parametrize(("soft", "status"), [(256, "warn"), (1024, "ok"), (resource.RLIM_INFINITY, "ok")])
def test_open_files(soft: int, status: str) -> None:
    assert program.open_files(soft).status == status


def test_code_that_others_can_change(tmp_path: Path) -> None:
    home = tmp_path / "site-packages" / "appliance"
    home.mkdir(parents=True)
    assert program.code(home).status == "ok"
    home.parent.chmod(0o775)
    found = program.code(home)
    assert (found.status, found.text) == (
        "failed",
        f"Someone else can change what runs here: others than {user_name(os.geteuid())} may write in {home.parent}.",
    )
