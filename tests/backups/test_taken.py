"""Backups that the appliance takes, asked or by itself: through its doors."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from appliance.access.actor import OPERATOR
from appliance.backups import schedule, take
from appliance.backups.create import create_backup
from appliance.backups.write import sweep, write_backup
from appliance.context import Context
from appliance.errors import Cancelled, OutOfRoom
from appliance.machine import clock
from appliance.machine.served import until
from appliance.model.backups import last_due, next_due
from appliance.projects.settings import SettingsPatch, change_settings
from appliance.store import backups
from tests import inside
from tests.api.test_contract import problem
from tests.appliance import EMAIL, PASSWORD, Appliance
from tests.cli.drive import Cli
from tests.fakes import s3
from tests.ui.pages import owner_of


@pytest.fixture
def store() -> Iterator[s3.Store]:
    with s3.Store() as running:
        yield running


@pytest.fixture
def ctx(tmp_path: Path) -> Iterator[Context]:
    with inside.context(tmp_path / "data") as made:
        yield made


def ended(server: Appliance, backup_id: str) -> Any:
    """What became of one."""
    assert until(lambda: server.get(f"/backups/{backup_id}")["status"] in ("succeeded", "failed"), 60)
    return server.get(f"/backups/{backup_id}")


def taken(server: Appliance) -> Any:
    made = server.ask("POST", "/backups")
    assert made.status_code == 202, made.text
    return ended(server, made.json()["id"])


def choose(server: Appliance, **values: Any) -> None:
    answer = server.ask("PATCH", "/settings", json=values)
    assert answer.status_code == 200, answer.text


def test_by_the_api(fresh: Appliance, tmp_path: Path) -> None:
    """Taken, listed, downloaded, kept to so many, deleted; the file in its folder follows."""
    folder = tmp_path / "backups"
    folder.mkdir()
    (folder / "homeport-of-someone-else.tar").write_text("not ours")
    choose(fresh, backup_folder=str(folder), backup_keep="2")
    one = taken(fresh)
    assert (one["status"], one["error"], one["place"]) == ("succeeded", None, str(folder))
    file = folder / one["name"]
    assert file.stat().st_mode & 0o777 == 0o600
    assert (file.stat().st_size, hashlib.sha256(file.read_bytes()).hexdigest()) == (one["size"], one["sha256"])
    came = fresh.ask("GET", f"/backups/{one['id']}/download")
    assert came.content == file.read_bytes() and one["name"] in came.headers["content-disposition"]
    two, three = taken(fresh), taken(fresh)
    kept = [three["id"], two["id"]]
    assert until(lambda: [it["id"] for it in fresh.get("/backups")["items"]] == kept, 60), "older ones go after it"
    assert sorted(os.listdir(folder)) == sorted(["homeport-of-someone-else.tar", two["name"], three["name"]])
    assert fresh.ask("DELETE", f"/backups/{two['id']}").status_code == 204
    problem(fresh.ask("GET", f"/backups/{two['id']}"), 404)
    assert not (folder / two["name"]).exists()
    (folder / three["name"]).unlink()
    problem(fresh.ask("GET", f"/backups/{three['id']}/download"), 404)
    verbs = [it["verb"] for it in fresh.get("/activity")["items"]]
    assert {"backup.create", "backup.succeeded", "backup.delete"} <= set(verbs)
    assert httpx.get(f"{fresh.url}/api/v1/backups/{three['id']}/download").status_code == 401


def test_to_a_store_and_back_on_another_host(fresh: Appliance, store: s3.Store, tmp_path: Path) -> None:
    fresh.project("blog")
    fresh.deploy("blog", {"index.html": "kept elsewhere", "big.bin": os.urandom(3_000_000)})
    choose(fresh, **store.settings(backup_passphrase="an umbrella for the harbour"))
    done = taken(fresh)
    assert (done["status"], done["error"]) == ("succeeded", None)
    (key,) = store.objects
    assert key == f"homeport/{done['name']}"
    assert hashlib.sha256(store.objects[key]).hexdigest() == done["sha256"]
    assert fresh.ask("GET", f"/backups/{done['id']}/download").content == store.objects[key]
    assert s3.SECRET.encode() not in store.objects[key]
    (tmp_path / "b.tar").write_bytes(store.objects[key])
    cli = Cli({"XDG_DATA_HOME": str(tmp_path), "HOMEPORT_PASSPHRASE": "an umbrella for the harbour"})
    cli("restore", tmp_path / "b.tar", "--data", tmp_path / "again")
    again = Appliance(tmp_path / "again").start()
    try:
        again.key = fresh.key
        assert again.visit("blog").text == "kept elsewhere"
        assert taken(again)["status"] == "succeeded", "it knows the secret of the store"
    finally:
        again.kill()
        again.http.close()
    choose(fresh, backup_s3_bucket="elsewhere")
    problem(fresh.ask("GET", f"/backups/{done['id']}/download"), 409)


def test_what_fails_is_said_where_people_look(fresh: Appliance, store: s3.Store, tmp_path: Path) -> None:
    choose(fresh, backup_folder=str(tmp_path / "missing"))
    assert "There is no folder" in taken(fresh)["error"]
    store.allowed.remove("PutObject")
    choose(fresh, **store.settings())
    failed = taken(fresh)
    assert failed["status"] == "failed" and "s3:PutObject" in failed["error"]
    choose(fresh, backup_s3_secret="another-secret-altogether")
    failed = taken(fresh)
    assert "does not belong to the key id" in failed["error"]
    problem(fresh.ask("GET", f"/backups/{failed['id']}/download"), 409)
    with closing(owner_of(fresh)) as owner:
        page = owner.get("/settings/backups").text
        assert "The last backup failed" in page and "does not belong to the key id" in page
        assert "another-secret-altogether" not in page and s3.SECRET not in page
        tested = owner.post("/settings/backups/test", data={**store.settings(), "backup_s3_path_style": "true"}).text
        assert "s3:PutObject" in tested
        store.allowed.add("PutObject")
        tested = owner.post("/settings/backups/test", data={**store.settings(), "backup_s3_path_style": "true"}).text
        assert "can write, read and delete" in tested and not store.objects
        assert owner.post("/settings/backups", data={"backup_every": "hourly"}).status_code == 422
        assert owner.post("/settings/backups", data={"backup_folder": "here"}).status_code == 422
        saved = owner.post("/settings/backups", data={**store.settings(), "backup_s3_path_style": "true"})
        assert saved.status_code == 303
        assert owner.post("/settings/backups/take").status_code == 303
    assert ended(fresh, fresh.get("/backups")["items"][0]["id"])["status"] == "succeeded"
    assert "another-secret-altogether" not in str(fresh.get("/activity"))


def test_killed_in_the_middle_it_is_taken_by_the_next_start(fresh: Appliance, store: s3.Store) -> None:
    choose(fresh, **store.settings())
    store.hold.clear()
    made = fresh.ask("POST", "/backups").json()
    assert store.part_came.wait(30)
    problem(fresh.ask("POST", "/backups"), 409)
    problem(fresh.ask("DELETE", f"/backups/{made['id']}"), 409)
    fresh.kill()
    store.hold.set()
    assert not store.objects
    fresh.start()
    assert ended(fresh, made["id"])["status"] == "succeeded"
    assert list(store.objects) == [f"homeport/{made['name']}"] and not store.uploads


def test_by_the_command_line(fresh: Appliance, tmp_path: Path) -> None:
    cli = Cli({"XDG_CONFIG_HOME": str(tmp_path), "HOMEPORT_SERVER": fresh.url, "HOMEPORT_KEY": fresh.key})
    assert "No backups yet" in cli("backups", "list").stderr
    made = cli.json("backups", "create")
    assert made["status"] == "succeeded"
    assert made["id"] in cli("backups", "list").stdout
    assert made["sha256"] in cli("backups", "show", made["id"]).stdout
    cli("backups", "download", made["id"], "--output", tmp_path / "b.tar")
    assert hashlib.sha256((tmp_path / "b.tar").read_bytes()).hexdigest() == made["sha256"]
    assert "there already" in cli("backups", "download", made["id"], "-o", tmp_path / "b.tar", code=1).stderr
    cli("backups", "delete", made["id"], "--yes")
    choose(fresh, backup_folder=str(tmp_path / "missing"))
    assert "There is no folder" in cli("backups", "create", code=1).stderr


SUNDAY = datetime(2026, 11, 22, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "every", "last"),
    [
        (SUNDAY, "daily", SUNDAY),
        (SUNDAY - timedelta(seconds=1), "daily", SUNDAY - timedelta(days=1)),
        (SUNDAY + timedelta(hours=23), "daily", SUNDAY),
        (SUNDAY, "weekly", SUNDAY),
        (SUNDAY - timedelta(seconds=1), "weekly", SUNDAY - timedelta(days=7)),
        (SUNDAY + timedelta(days=6, hours=23), "weekly", SUNDAY),
    ],
)
def test_when_one_was_due(now: datetime, every: str, last: datetime) -> None:
    assert last_due(now, every, 2) == last
    assert next_due(now, every, 2) == last + timedelta(days=1 if every == "daily" else 7)


def test_by_itself(ctx: Context, tmp_path: Path) -> None:
    """At once when it is turned on, then each day; after a failure an hour later; never two at a time."""
    now = SUNDAY + timedelta(hours=5)
    ctx.now = lambda: now
    schedule.look(ctx)
    assert not backups.everyone(ctx.db.read()) and schedule.next_time(ctx) is None
    change_settings(ctx, OPERATOR, SettingsPatch.parse({"backup_every": "daily", "backup_hour": "2"}))
    schedule.look(ctx)
    schedule.look(ctx)
    (first,) = backups.everyone(ctx.db.read())
    assert first.created_by == "Homeport"
    take.take(ctx, first.id, 1)
    assert schedule.next_time(ctx) == SUNDAY + timedelta(days=1)
    now = SUNDAY + timedelta(days=1) - timedelta(seconds=1)
    schedule.look(ctx)
    assert len(backups.everyone(ctx.db.read())) == 1
    change_settings(ctx, OPERATOR, SettingsPatch.parse({"backup_folder": str(tmp_path / "missing")}))
    now += timedelta(seconds=1)
    schedule.look(ctx)
    second = backups.everyone(ctx.db.read())[0]
    take.take(ctx, second.id, 1)
    assert backups.everyone(ctx.db.read())[0].status == "failed"
    schedule.look(ctx)
    assert len(backups.everyone(ctx.db.read())) == 2 and schedule.next_time(ctx) == now + schedule.PATIENCE
    now += schedule.PATIENCE
    schedule.look(ctx)
    assert len(backups.everyone(ctx.db.read())) == 3


def test_one_that_ends_the_process_each_time_is_given_up(ctx: Context) -> None:
    made = create_backup(ctx, OPERATOR)
    take.take(ctx, made.id, take.MOST_TRIES + 1)
    failed = backups.find(ctx.db.read(), made.id)
    assert failed and failed.status == "failed" and "in the middle" in (failed.error or "")


def test_failures_are_not_kept_for_ever(ctx: Context, tmp_path: Path) -> None:
    change_settings(ctx, OPERATOR, SettingsPatch.parse({"backup_folder": str(tmp_path / "missing")}))
    for _ in range(take.FAILURES_KEPT + 3):
        take.take(ctx, create_backup(ctx, OPERATOR).id, 1)
    change_settings(ctx, OPERATOR, SettingsPatch.parse({"backup_folder": None}))
    take.take(ctx, create_backup(ctx, OPERATOR).id, 1)
    those = backups.everyone(ctx.db.read())
    assert [one.status for one in those] == ["succeeded"] + ["failed"] * take.FAILURES_KEPT


def test_a_full_disk_is_said_and_leaves_nothing(ctx: Context) -> None:
    """/dev/full takes no byte."""
    with pytest.raises(OutOfRoom, match="disk is full"), open("/dev/full", "wb", buffering=0) as full:
        write_backup(ctx.data, full, at=clock.now())
    assert os.listdir(ctx.data / "backups") == []


def test_it_stops_when_homeport_does(ctx: Context) -> None:
    ctx.stopping.set()
    made = create_backup(ctx, OPERATOR)
    take.take(ctx, made.id, 1)
    stopped = backups.find(ctx.db.read(), made.id)
    assert stopped and stopped.status == "failed" and "stopped" in (stopped.error or "")
    assert os.listdir(ctx.data / "backups") == []


def test_what_a_killed_process_left_is_swept_and_what_one_is_at_is_not(ctx: Context) -> None:
    left = ctx.data / "backups" / ".0.taking"
    left.mkdir()
    (left / "homeport.db").write_text("x")

    class Sweeping:
        def write(self, data: bytes, /) -> None:
            sweep(ctx.data)

    done = write_backup(ctx.data, Sweeping(), at=clock.now())
    assert done.size and not left.exists()
    with pytest.raises(Cancelled):
        write_backup(ctx.data, Sweeping(), at=clock.now(), stopped=lambda: True)


def test_memory_stays_flat(tmp_path: Path) -> None:
    """A backup of 300 MB takes no more memory than one of nothing, but for what each needs."""
    with Appliance(tmp_path / "data") as server:
        server.project("blog")
        taken(server)
        before = server.memory
        for number in range(3):
            server.deploy("blog", {"index.html": str(number), "big.bin": os.urandom(50_000_000)})
        resting = server.memory
        assert taken(server)["size"] > 150_000_000
        assert server.memory - max(before, resting) < 40_000_000


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Appliance]:
    """Started, and not set up."""
    running = Appliance(tmp_path / "bare").start()
    yield running
    running.kill()
    running.http.close()


def upload(server: Appliance, token: str, file: bytes, **fields: str) -> httpx.Response:
    """As a browser sends the form of the first page."""
    return server.http.post(
        f"{server.url}/setup/restore?token={token}",
        data=fields,
        files={"backup": ("b.tar", file)},
        headers={"Accept": "text/html"},
    )


def test_on_the_first_page(fresh: Appliance, bare: Appliance, tmp_path: Path) -> None:
    """A new host becomes the old one by an upload, without being started again by anyone."""
    fresh.project("blog")
    fresh.deploy("blog", {"index.html": "moved"})
    cli = Cli({"XDG_DATA_HOME": str(tmp_path), "HOMEPORT_PASSPHRASE": "an umbrella for the harbour"})
    cli("backup", tmp_path / "b.tar", "--data", fresh.data)
    file, token, process = (tmp_path / "b.tar").read_bytes(), bare.wait_for_token(), bare.process
    assert "Restore a backup instead" in bare.http.get(f"{bare.url}/setup?token={token}").text
    assert upload(bare, "wrong", file).status_code == 404
    assert upload(bare, "", file).status_code == 404
    for damaged in (file[:-600], b"no backup at all", file.replace(b"homeport.db.gz", b"homeport.db.gy", 1)):
        refused = upload(bare, token, damaged, passphrase="an umbrella for the harbour")
        assert refused.status_code == 422 and "backup" in refused.text
    refused = upload(bare, token, file, passphrase="another one altogether")
    assert refused.status_code == 422 and "does not open the keys" in refused.text
    assert sorted(os.listdir(bare.data / "incoming")) == []
    assert upload(bare, token, file, passphrase="an umbrella for the harbour").status_code == 200
    assert until(lambda: bare.visit("blog").text == "moved", 60)
    assert bare.process is process and process is not None and process.poll() is None
    signed_in = bare.http.post(f"{bare.url}/api/v1/login", json={"email": EMAIL, "password": PASSWORD})
    assert signed_in.status_code == 201
    assert upload(bare, token, file).status_code == 303, "once only"
    bare.key = fresh.key
    assert bare.get("/projects")["items"][0]["name"] == "blog"
    assert bare.deploy("blog", {"index.html": "goes on"})["status"] == "succeeded"
    assert bare.stop() == 0


def test_a_settings_file_can_say_it_too(tmp_path: Path) -> None:
    with Appliance(tmp_path / "data", HOMEPORT_BACKUP_EVERY="daily", HOMEPORT_BACKUP_KEEP="3") as server:
        found = {one["name"]: one["value"] for one in server.get("/settings")["items"]}
        assert (found["backup_every"], found["backup_keep"]) == ("daily", "3")
