import os
from pathlib import Path

import pytest

from appliance.doctor import secrets
from appliance.model.checks import Check


def look(data: Path) -> dict[str, Check]:
    return {check.name: check for check in secrets.checks(data)}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for name in ("secret.key", "homeport.db", "homeport.db-wal"):
        (tmp_path / name).touch(0o600)
    return tmp_path


def test_files_in_order(data: Path) -> None:
    assert {name: check.status for name, check in look(data).items()} == {"secret.key": "ok", "homeport.db": "ok"}


def test_before_the_first_start(tmp_path: Path) -> None:
    assert [check.status for check in secrets.checks(tmp_path)] == ["off"]
    assert secrets.checks(tmp_path / "missing") == []


def test_a_key_that_others_may_read(data: Path) -> None:
    (data / "secret.key").chmod(0o640)
    found = look(data)["secret.key"]
    assert (found.status, found.mend) == ("failed", f"`chmod 0600 {data}/secret.key`.")


def test_the_write_ahead_log_counts_as_the_database(data: Path) -> None:
    (data / "homeport.db-wal").chmod(0o644)
    assert "homeport.db-wal" in look(data)["homeport.db"].text


def test_a_key_that_is_gone(data: Path) -> None:
    (data / "secret.key").unlink()
    assert look(data)["secret.key"].status == "failed"
    assert look(data)["homeport.db"].status == "ok"


def test_a_link_in_place_of_the_key(data: Path) -> None:
    (data / "secret.key").rename(data / "elsewhere")
    (data / "secret.key").symlink_to("elsewhere")
    assert look(data)["secret.key"].text.endswith("is not a plain file.")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: gives files to other users")
def test_a_key_of_someone_else(data: Path) -> None:
    os.chown(data / "homeport.db", 65534, 65534)
    assert look(data)["secret.key"].text.endswith("belongs to root, not to nobody.")
