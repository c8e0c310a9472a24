"""A backup taken while serving, and an empty host that becomes the same appliance."""

import io
import json
import os
import sqlite3
import tarfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from appliance.backups.restore import BESIDE, WHOLE
from appliance.machine.tar import Writer
from tests import trees
from tests.appliance import EMAIL, PASSWORD, Appliance
from tests.cli.drive import Cli

PASSPHRASE = "an umbrella for the harbour"
HOMEPAGE = "<h1>Home</h1>"


@pytest.fixture
def alone(tmp_path: Path) -> Cli:
    return Cli({"XDG_CONFIG_HOME": str(tmp_path / "config"), "XDG_DATA_HOME": str(tmp_path / "share")})


@pytest.fixture
def again(tmp_path: Path) -> Iterator[Appliance]:
    """The host that a backup is restored on."""
    other = Appliance(tmp_path / "again")
    yield other
    other.kill()
    other.http.close()


def fill(server: Appliance) -> None:
    server.project("blog")
    server.deploy("blog", {"index.html": "first", "old.css": "old"})
    server.deploy("blog", {"index.html": HOMEPAGE, "a/page.html": "page", "app.css": "x" * 5000})
    server.ask("POST", "/projects/blog/environments", json={"name": "staging"})
    server.deploy("blog", {"index.html": "staging"}, "staging")
    server.project("empty")
    for one in server.get("/deployments")["items"]:
        server.get(f"/deployments/{one['id']}/xray?wait=30")  # what comes after a deployment has come


def record_of(server: Appliance) -> dict[str, Any]:
    """What people find in an appliance."""
    found = {name: server.get(f"/{name}")["items"] for name in ("projects", "deployments", "keys", "urls")}
    for one in (*found["projects"], *found["deployments"]):
        one["address"] = one["address"].rpartition(":")[0]  # the port is another
    for one in found["deployments"]:
        one.pop("permanent")  # only what is live is unpacked again
    for one in found["keys"]:
        one.pop("last_used_at")
    return found


def test_the_whole_way(fresh: Appliance, again: Appliance, alone: Cli, tmp_path: Path) -> None:
    fill(fresh)
    fresh.ask("PATCH", "/settings", json={"cloudflare_token": "a-token-that-nobody-knows", "dns_target": "192.0.2.7"})
    file, word = tmp_path / "backup.tar", tmp_path / "word"
    word.write_text(f"{PASSPHRASE}\n")
    made = alone.json("backup", file, "--data", fresh.data, "--passphrase-file", word)
    assert (made["bundles"], made["keys"], made["left_out"]) == (3, True, [])
    assert file.stat().st_mode & 0o777 == 0o600
    assert b"a-token-that-nobody-knows" not in file.read_bytes()
    before, done = record_of(fresh), fresh.get("/activity")["items"]
    logs = {one["id"]: fresh.log(one["id"]) for one in before["deployments"]}

    restored = alone.json("restore", file, "--data", again.data, HOMEPORT_PASSPHRASE=PASSPHRASE)
    assert (restored["bundles"], restored["to_enter"]) == (3, [])
    assert (again.data / "secret.key").read_bytes() == (fresh.data / "secret.key").read_bytes()
    again.start()
    again.key = fresh.key
    assert again.visit("blog").text == HOMEPAGE
    assert again.visit("blog", "/a/page.html").text == "page"
    assert again.visit("staging.blog").text == "staging"
    for path in ("/", "/app.css"):
        here, there = (one.visit("blog", path, headers={"Accept-Encoding": "identity"}) for one in (again, fresh))
        assert (here.content, here.headers["etag"]) == (there.content, there.headers["etag"])
    assert record_of(again) == before
    assert {one["id"]: again.log(one["id"]) for one in before["deployments"]} == logs
    assert again.get("/activity")["items"][-len(done) :] == done
    settings = {one["name"]: one for one in again.get("/settings")["items"]}
    assert settings["cloudflare_token"]["set"] and settings["dns_target"]["value"] == "192.0.2.7"
    signed_in = httpx.post(f"{again.url}/api/v1/login", json={"email": EMAIL, "password": PASSWORD})
    assert signed_in.status_code == 201
    rolled_back = again.ask("POST", "/projects/blog/environments/production/rollback?wait=30", json={})
    assert rolled_back.status_code == 201, rolled_back.text
    assert again.visit("blog").text == "first"
    assert not (again.data / WHOLE).exists() and not (again.data / BESIDE).exists()


def test_without_a_passphrase_saved_secrets_are_entered_again(
    fresh: Appliance, again: Appliance, alone: Cli, tmp_path: Path
) -> None:
    fresh.ask("PATCH", "/settings", json={"cloudflare_token": "a-token-that-nobody-knows"})
    said = alone("backup", tmp_path / "b.tar", "--data", fresh.data).stderr
    assert "can't be read after a restore" in said
    said = alone("restore", tmp_path / "b.tar", "--data", again.data).stderr
    assert "cloudflare_token" in said
    assert (again.data / "secret.key").read_bytes() != (fresh.data / "secret.key").read_bytes()
    again.start()
    again.key = fresh.key
    settings = {one["name"]: one for one in again.get("/settings")["items"]}
    assert not settings["cloudflare_token"]["set"]


def test_what_was_deployed_file_by_file_comes_back(
    fresh: Appliance, again: Appliance, alone: Cli, tmp_path: Path
) -> None:
    """Its contents are in the backup once each; the zip that is made of them is the same bytes."""
    fresh.project("blog")
    shared = os.urandom(200_000)
    first = trees.deploy(fresh, "blog", {"index.html": b"one", "big.bin": shared, "copy.bin": shared})
    second = trees.deploy(fresh, "blog", {"index.html": b"two", "big.bin": shared})
    fresh.send(fresh.project("zipped"), trees.download(fresh, second["bundle"]))
    made = alone.json("backup", tmp_path / "b.tar", "--data", fresh.data)
    assert (made["bundles"], made["left_out"]) == (2, []) and made["size"] < 500_000
    alone("restore", tmp_path / "b.tar", "--data", again.data)
    again.start()
    again.key = fresh.key
    assert again.visit("blog").text == again.visit("zipped").text == "two"
    for one in (first, second):
        assert trees.download(again, one["bundle"]) == trees.download(fresh, one["bundle"])
    rolled_back = again.ask("POST", "/projects/blog/environments/production/rollback?wait=30", json={})
    assert rolled_back.status_code == 201 and again.visit("blog", "/copy.bin").content == shared


def test_a_backup_while_deployments_come_in_is_of_one_moment(
    fresh: Appliance, again: Appliance, alone: Cli, tmp_path: Path
) -> None:
    """Every bundle that its database names is in it, and what it says is live is what answers."""
    fresh.project("busy")
    enough, begun = threading.Event(), threading.Event()

    def keep_deploying() -> None:
        number = 0
        while not enough.is_set():
            number += 1
            fresh.deploy("busy", {"index.html": f"number {number}", "big.bin": os.urandom(300_000)})
            begun.set()

    deploying = threading.Thread(target=keep_deploying)
    deploying.start()
    begun.wait(30)
    for number in range(4):
        alone("backup", tmp_path / f"{number}.tar", "--data", fresh.data)
    enough.set()
    deploying.join()
    alone("restore", tmp_path / "3.tar", "--data", again.data)
    with sqlite3.connect(again.data / "homeport.db") as db:
        (live,) = db.execute("SELECT live FROM environments").fetchone()
        (number,) = db.execute("SELECT number FROM deployments WHERE id = ?", [live]).fetchone()
    db.close()
    again.start()
    again.key = fresh.key
    assert int(again.visit("busy").text.removeprefix("number ")) >= number
    for one in again.get("/deployments")["items"]:
        assert again.ask("GET", f"/bundles/{one['bundle']}/download").status_code == 200


def test_a_bundle_that_is_damaged_is_named_and_the_rest_is_safe(
    fresh: Appliance, again: Appliance, alone: Cli, tmp_path: Path
) -> None:
    fresh.project("blog")
    lost = fresh.deploy("blog", {"index.html": "first"})["bundle"]
    kept = fresh.deploy("blog", {"index.html": "second"})["bundle"]
    bundle = fresh.data / "bundles" / lost[:2] / f"{lost}.zip"
    bundle.chmod(0o600)
    bundle.write_bytes(bundle.read_bytes()[:-1] + b"x")
    made = alone.json("backup", tmp_path / "b.tar", "--data", fresh.data)
    assert (made["bundles"], made["left_out"]) == (1, [lost])
    assert lost in alone("restore", tmp_path / "b.tar", "--data", again.data).stderr
    again.start()
    again.key = fresh.key
    assert again.visit("blog").text == "second"
    assert again.ask("GET", f"/bundles/{kept}/download").status_code == 200


def test_where_something_is_nothing_is_restored(fresh: Appliance, alone: Cli, tmp_path: Path) -> None:
    file = tmp_path / "b.tar"
    alone("backup", file, "--data", fresh.data)
    assert "Another Homeport is running" in alone("restore", file, "--data", fresh.data, code=1).stderr
    fresh.stop()
    assert "is set up" in alone("restore", file, "--data", fresh.data, code=1).stderr
    (tmp_path / "home" / "me").mkdir(parents=True)
    said = alone("restore", file, "--data", tmp_path / "home", code=1).stderr
    assert "is not empty: it holds me" in said
    assert sorted(os.listdir(tmp_path / "home")) == ["lock", "me"]


def test_a_host_that_was_started_but_not_set_up_counts_as_empty(
    fresh: Appliance, again: Appliance, alone: Cli, tmp_path: Path
) -> None:
    fill(fresh)
    alone("backup", tmp_path / "b.tar", "--data", fresh.data)
    again.start().stop()
    alone("restore", tmp_path / "b.tar", "--data", again.data)
    again.start()
    assert again.visit("blog").text == HOMEPAGE


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A small backup with keys."""
    folder = tmp_path_factory.mktemp("made")
    cli = Cli({"XDG_CONFIG_HOME": str(folder), "XDG_DATA_HOME": str(folder)})
    with Appliance(folder / "data") as running:
        running.project("blog")
        running.deploy("blog", {"index.html": HOMEPAGE})
        cli("backup", folder / "b.tar", "--data", folder / "data", HOMEPORT_PASSPHRASE=PASSPHRASE)
    return (folder / "b.tar").read_bytes()


def changed(made: bytes, change: Callable[[str, bytes], tuple[str, bytes] | None], folder: Path) -> Path:
    """The same backup with its members changed, and all its sums right."""
    to = io.BytesIO()
    out = Writer(to, moment=0, aside=folder)
    with tarfile.open(fileobj=io.BytesIO(made)) as tar:
        for member in tar.getmembers()[:-1]:
            content = tar.extractfile(member)
            assert content is not None
            if found := change(member.name, content.read()):
                out.add(found[0], len(found[1]), [found[1]])
    out.finish()
    out.close()
    (folder / "changed.tar").write_bytes(to.getvalue())
    return folder / "changed.tar"


def refused(alone: Cli, file: Path, data: Path, **environ: str) -> str:
    said = alone("restore", file, "--data", data, code=1, **{"HOMEPORT_PASSPHRASE": PASSPHRASE, **environ}).stderr
    assert sorted(os.listdir(data)) == ["lock"], "nothing is left of it"
    return said


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda name, data: (f"../{name}", data), "not a backup"),
        (lambda name, data: (name.replace("bundles/", "bundles/../"), data), "which no backup has"),
        (lambda name, data: (name.replace("bundles/", "/etc/"), data), "which no backup has"),
        (lambda name, data: (name.replace("logs/", "releases/"), data), "which no backup has"),
        (lambda name, data: None if name.startswith("bundles/") else (name, data), "lacks 1 of its bundles"),
        (lambda name, data: (name, data + b"x") if name.startswith("bundles/") else (name, data), "not what its name"),
        (lambda name, data: None if name == "homeport.db.gz" else (name, data), "not a backup"),
        (lambda name, data: (name, data[:-20]) if name == "homeport.db.gz" else (name, data), "not whole"),
        (lambda name, data: (name, b"no gzip" * 9) if name == "homeport.db.gz" else (name, data), "can't be unpacked"),
        (lambda name, data: (name, b"[]") if name == "homeport-backup.json" else (name, data), "not a backup"),
        (lambda name, data: (name, newer(data)) if name == "homeport-backup.json" else (name, data), "newer Homeport"),
    ],
)
def test_one_that_was_made_up_is_refused(made: bytes, alone: Cli, tmp_path: Path, change: Any, words: str) -> None:
    assert words in refused(alone, changed(made, change, tmp_path), tmp_path / "data")


def newer(text: bytes) -> bytes:
    found = json.loads(text)
    return json.dumps({**found, "form": [*found["form"], "m999_later"], "homeport": "9.0"}).encode()


def test_a_list_of_files_can_not_lead_out_of_its_release(made: bytes, alone: Cli, tmp_path: Path) -> None:
    name = "ab" + "0" * 62
    for path in ("../../x", "/etc/x", "a//b", "a/./b", ""):
        listed = json.dumps({"files": {path: [1, "0" * 64, 0]}}).encode()
        file = changed(made, lambda old, data: (old, data), tmp_path)
        to = io.BytesIO()
        out = Writer(to, moment=0, aside=tmp_path)
        with tarfile.open(file) as tar:
            for member in tar.getmembers()[:-1]:
                content = tar.extractfile(member)
                assert content is not None
                data = with_made(content.read(), name) if member.name == "homeport.db.gz" else content.read()
                out.add(member.name, len(data), [data])
        out.add(f"bundles/ab/{name}.json", len(listed), [listed])
        out.finish()
        out.close()
        file.write_bytes(to.getvalue())
        assert "no list of files" in refused(alone, file, tmp_path / "data")


def with_made(packed: bytes, sha256: str) -> bytes:
    """The database with one more bundle, deployed file by file."""
    import gzip

    with sqlite3.connect(":memory:") as db:
        db.deserialize(gzip.decompress(packed))
        db.execute("INSERT INTO bundles VALUES (?, 1, 1, 1, '', '2027-01-31', 'x', NULL, 1)", [sha256])
        db.commit()
        data = db.serialize()
    db.close()
    return gzip.compress(data)


def test_a_wrong_passphrase_changes_nothing(made: bytes, alone: Cli, tmp_path: Path) -> None:
    file = tmp_path / "b.tar"
    file.write_bytes(made)
    assert "does not open the keys" in refused(alone, file, tmp_path / "data", HOMEPORT_PASSPHRASE="something else")
    assert "Give it with" in refused(alone, file, tmp_path / "data", HOMEPORT_PASSPHRASE="")
    alone("restore", file, "--data", tmp_path / "data", "--without-keys")


def test_one_that_is_damaged_or_cut_off_changes_nothing(made: bytes, alone: Cli, tmp_path: Path) -> None:
    file, step = tmp_path / "b.tar", len(made) // 12
    for at in range(7, len(made), step):
        file.write_bytes(made[:at])
        assert "whole" in refused(alone, file, tmp_path / "data")
        file.write_bytes(made[:at] + bytes([made[at] ^ 16]) + made[at + 1 :])
        refused(alone, file, tmp_path / "data")
    file.write_bytes(os.urandom(20_000))
    refused(alone, file, tmp_path / "data")


@pytest.mark.parametrize("point", ["restore", "restore bundles", "restore logs", "restore database"])
def test_killed_in_the_middle_of_a_restore(
    made: bytes, alone: Cli, again: Appliance, tmp_path: Path, point: str
) -> None:
    """Nothing of it, or all of it: never a host that is half of one."""
    file = tmp_path / "b.tar"
    file.write_bytes(made)
    environ = {"HOMEPORT_FAULT": f"kill:{point}", "HOMEPORT_PASSPHRASE": PASSPHRASE}
    process = alone.process("restore", file, "--data", again.data, environ=environ)
    process.communicate(timeout=60)
    assert process.returncode == -9
    if point == "restore":
        alone("restore", file, "--data", again.data, HOMEPORT_PASSPHRASE=PASSPHRASE)
    again.start()
    assert again.visit("blog").text == HOMEPAGE
    assert not (again.data / WHOLE).exists() and not (again.data / BESIDE).exists()


def test_killed_in_the_middle_of_a_backup(fresh: Appliance, alone: Cli, tmp_path: Path) -> None:
    """What was there under that name stays; nothing half is called a backup."""
    fresh.project("blog")
    fresh.deploy("blog", {"index.html": "x"})
    file = tmp_path / "to" / "b.tar"
    file.parent.mkdir()
    alone("backup", file, "--data", fresh.data)
    whole = file.read_bytes()
    process = alone.process("backup", file, "--data", fresh.data, environ={"HOMEPORT_FAULT": "kill:backup"})
    process.communicate(timeout=60)
    assert process.returncode == -9
    assert file.read_bytes() == whole
    assert [one.name for one in file.parent.glob("*")] == [file.name, *(one.name for one in file.parent.glob(".*"))]


def test_what_can_not_be_is_said(alone: Cli, tmp_path: Path) -> None:
    assert "no database" in alone("backup", tmp_path / "b.tar", "--data", tmp_path / "none", code=1).stderr
    assert not (tmp_path / "b.tar").exists() and not (tmp_path / "none").exists()
    short = alone("backup", tmp_path / "b.tar", "--data", tmp_path, code=1, HOMEPORT_PASSPHRASE="short").stderr
    assert "at least 12" in short
    assert "no folder" in alone("backup", tmp_path / "no" / "b.tar", "--data", tmp_path, code=1).stderr
    (tmp_path / "empty").write_text("")
    assert (
        "no passphrase"
        in alone(
            "restore", tmp_path / "empty", "--data", tmp_path / "data", "--passphrase-file", tmp_path / "empty", code=1
        ).stderr
    )
    assert "before it is whole" in alone("restore", tmp_path / "empty", "--data", tmp_path / "data", code=1).stderr
