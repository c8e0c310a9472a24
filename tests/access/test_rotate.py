"""Another key for everything secret: while serving, and broken off anywhere."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from appliance.access import chain, secrets
from appliance.context import Context
from appliance.errors import Conflict, HomeportError
from appliance.machine import keyring
from appliance.model.activity import link
from tests import inside
from tests.appliance import EMAIL, PASSWORD, Appliance
from tests.cli.drive import Cli

TOKEN = "a-token-that-nobody-knows"
POINTS = ("rotate laid", "rotate sealed", "rotate committed", "rotate placed")


@pytest.fixture
def ctx(tmp_path: Path) -> Iterator[Context]:
    with inside.context(tmp_path / "data") as made:
        inside.save(made, cloudflare_token=TOKEN)
        yield made


@pytest.fixture
def alone(tmp_path: Path) -> Cli:
    return Cli({"XDG_CONFIG_HOME": str(tmp_path / "config"), "XDG_DATA_HOME": str(tmp_path / "share")})


def kept(data: Path, name: str = "cloudflare_token") -> str:
    db = sqlite3.connect(data / "homeport.db", timeout=20)
    try:
        (text,) = db.execute("SELECT value FROM saved WHERE name = ?", [name]).fetchone()
    finally:
        db.close()
    return str(text)


def put(data: Path, sql: str, *values: str) -> None:
    db = sqlite3.connect(data / "homeport.db", timeout=20, isolation_level=None)
    db.execute(sql, values)
    db.close()


def is_set(server: Appliance, name: str = "cloudflare_token") -> bool:
    found = next(one for one in server.get("/settings")["items"] if one["name"] == name)
    return bool(found["set"])


def test_while_serving(fresh: Appliance, alone: Cli) -> None:
    """Secrets go on, keys go on, sessions end; nothing restarts."""
    fresh.ask("PATCH", "/settings", json={"cloudflare_token": TOKEN, "backup_passphrase": "an umbrella or two"})
    old, sealed = (fresh.data / "secret.key").read_bytes(), kept(fresh.data)
    said = alone("rotate-key", "--data", fresh.data).output
    assert said == "There is a new key, and 2 secrets are sealed with it.\nEverybody has to sign in again.\n"
    assert (fresh.data / "secret.key").read_bytes() != old
    assert (fresh.data / "secret.key").stat().st_mode & 0o777 == 0o600
    assert not (fresh.data / "secret.key.next").exists()
    assert sealed.split(".")[3] == kept(fresh.data).split(".")[3], "what is inside was not touched"
    assert is_set(fresh) and is_set(fresh, "backup_passphrase")
    bearer = {"Authorization": f"Bearer {fresh.token}"}
    assert fresh.http.get(f"{fresh.url}/api/v1/me", headers=bearer).status_code == 401
    again = fresh.http.post(f"{fresh.url}/api/v1/login", json={"email": EMAIL, "password": PASSWORD})
    assert again.status_code == 201
    assert fresh.get("/activity?limit=5")["items"][1]["verb"] == "secret.rotate"
    assert alone.json("rotate-key", "--data", fresh.data) == {"secrets": 3, "to_enter": []}
    fresh.stop()
    fresh.start()
    assert is_set(fresh)


def test_where_none_runs(ctx: Context, alone: Cli) -> None:
    ctx.db.close()
    assert alone.json("rotate-key", "--data", ctx.data)["secrets"] == 1
    with inside.context(ctx.data) as again:
        assert again.settings.cloudflare_token == TOKEN


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_any_point(tmp_path: Path, alone: Cli, point: str) -> None:
    with inside.context(tmp_path / "data") as ctx:
        inside.save(ctx, cloudflare_token=TOKEN)
        chain = ctx.key("activity")
    died = alone.process("rotate-key", "--data", tmp_path / "data", environ={"HOMEPORT_FAULT": f"kill:{point}"})
    died.communicate(timeout=60)
    assert died.returncode == -9
    with inside.context(tmp_path / "data") as beside:  # a command that comes before the next start
        assert beside.settings.cloudflare_token == TOKEN
        assert chain in beside.keys("activity")
    with Appliance(tmp_path / "data") as server:
        assert is_set(server)
        assert not (server.data / "secret.key.next").exists()


@pytest.mark.parametrize("point", POINTS[:3])
def test_failed_at_any_point(ctx: Context, point: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk says no, and it all goes on."""
    monkeypatch.setattr("appliance.machine.faults._WANTED", f"eio:{point}")
    with pytest.raises(OSError, match="Input/output error"):
        secrets.rotate(ctx)
    assert not (ctx.data / "secret.key.next").exists()
    monkeypatch.setattr("appliance.machine.faults._WANTED", "")
    inside.save(ctx, backup_passphrase="an umbrella or two")
    assert secrets.rotate(ctx).secrets >= 2
    with inside.context(ctx.data) as again:
        assert (again.settings.cloudflare_token, again.settings.backup_passphrase) == (TOKEN, "an umbrella or two")


def test_one_at_a_time(ctx: Context) -> None:
    class Twice(Exception):
        pass

    def again(_: object) -> None:
        with pytest.raises(Conflict, match="already"):
            secrets.rotate(ctx)
        raise Twice

    ctx.bus.listen(again)
    with suppress(Twice):
        secrets.rotate(ctx)
    assert ctx.settings.cloudflare_token == TOKEN


def test_another_process_sees_it_at_once(ctx: Context) -> None:
    """A command beside the appliance seals with the key that is in force by then."""
    with inside.context(ctx.data) as beside:
        assert beside.settings.cloudflare_token == TOKEN
        secrets.rotate(ctx)
        assert beside.settings.cloudflare_token == TOKEN
        inside.save(beside, cloudflare_token=f"{TOKEN}-2")
    assert ctx.settings.cloudflare_token == f"{TOKEN}-2"
    with inside.context(ctx.data) as again:
        assert again.settings.cloudflare_token == f"{TOKEN}-2"


def test_keys_of_what_lasts_are_kept_in_their_order(ctx: Context) -> None:
    made = [ctx.key("activity")]
    for _ in range(3):
        secrets.rotate(ctx)
        made.append(ctx.key("activity"))
    assert ctx.keys("activity") == made
    with inside.context(ctx.data) as again:
        assert again.keys("activity") == made


def test_the_record_is_verified_with_the_key_of_its_time(ctx: Context) -> None:
    """Through every exchange; and with an old key nothing can be added at the end."""
    for number in range(3):
        inside.save(ctx, dns_target=f"192.0.2.{number}")
        secrets.rotate(ctx)
    inside.save(ctx, dns_target="192.0.2.9")
    assert chain.verify(ctx).whole
    with inside.context(ctx.data) as again:
        assert chain.verify(again).whole
    values = (
        "id, at, actor, actor_kind, verb, subject, project, environment, deployment, door, ip, data, person, key_id"
    )
    columns = f"{values}, project_id, environment_id"
    db = sqlite3.connect(ctx.data / "homeport.db", timeout=20, isolation_level=None)
    row = list(db.execute(f"SELECT {columns}, hash FROM activity ORDER BY id DESC LIMIT 1").fetchone())
    made_up = [row[0] + 1, *row[1:-1]]
    forged = link(ctx.keys("activity")[0], row[-1], made_up)
    db.execute(f"INSERT INTO activity ({columns}, hash) VALUES ({', '.join('?' * 17)})", [*made_up, forged])
    db.close()
    assert not chain.verify(ctx).whole


def test_a_secret_opens_in_its_own_row_alone(ctx: Context) -> None:
    put(ctx.data, "INSERT INTO saved SELECT 'backup_s3_secret', value, updated_at, updated_by FROM saved")
    assert (ctx.settings.cloudflare_token, ctx.settings.backup_s3_secret) == (TOKEN, "")
    whole = kept(ctx.data)
    for at in (len(whole) - 3, len(whole) // 2, 40, 8):
        other = "A" if whole[at] != "A" else "B"
        put(
            ctx.data, "UPDATE saved SET value = ? WHERE name = 'cloudflare_token'", whole[:at] + other + whole[at + 1 :]
        )
        assert ctx.settings.cloudflare_token == "", at
    put(ctx.data, "UPDATE saved SET value = ? WHERE name = 'cloudflare_token'", whole)
    assert ctx.settings.cloudflare_token == TOKEN


def test_the_same_secret_is_never_sealed_the_same(ctx: Context) -> None:
    before = kept(ctx.data)
    inside.save(ctx, cloudflare_token=TOKEN)
    assert not set(before.split(".")[2:]) & set(kept(ctx.data).split(".")[2:])


def test_what_an_earlier_version_sealed_is_sealed_anew(tmp_path: Path) -> None:
    import base64
    import hashlib
    import hmac

    from cryptography.fernet import Fernet

    with inside.context(tmp_path / "data") as ctx:
        inside.save(ctx, cloudflare_token=TOKEN)
        key = hmac.new(ctx.secret, b"settings", hashlib.sha256).digest()
    old = Fernet(base64.urlsafe_b64encode(key)).encrypt(TOKEN.encode()).decode()
    put(tmp_path / "data", "UPDATE saved SET value = ? WHERE name = 'cloudflare_token'", old)
    put(tmp_path / "data", "DELETE FROM meta WHERE name = 'secret'")
    with inside.context(tmp_path / "data") as again:
        assert again.settings.cloudflare_token == TOKEN
        assert kept(again.data).startswith("hp1.")


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda key: key.unlink(), "is missing"),
        (lambda key: key.chmod(0o640), "chmod 600"),
        (lambda key: key.chmod(0o604), "chmod 600"),
        (lambda key: key.write_bytes(b"short"), "not whole: it holds 5 bytes"),
        (lambda key: key.write_bytes(bytes(33)), "not whole: it holds 33 bytes"),
        (lambda key: key.write_bytes(bytes(32)), "not the key that this database was sealed with"),
        (lambda key: key.rename(key.with_name("x")) and key.symlink_to("x"), "not a plain file"),
    ],
    ids=["missing", "group", "others", "short", "long", "other", "link"],
)
def test_a_key_that_is_not_in_order_stops_the_start(ctx: Context, harm: Any, words: str) -> None:
    ctx.db.close()
    harm(ctx.data / keyring.NAME)
    with pytest.raises(HomeportError) as why, inside.context(ctx.data):
        pass
    assert words in " ".join((why.value.detail, *why.value.todo))
    assert why.value.todo


def test_a_key_that_is_lost(tmp_path: Path, alone: Cli) -> None:
    """What it sealed is forgotten and named; everything else goes on."""
    with Appliance(tmp_path / "data") as server:
        server.ask("PATCH", "/settings", json={"cloudflare_token": TOKEN, "dns_target": "192.0.2.7"})
        assert "Another Homeport is running" in alone("rotate-key", "--lost", "--data", server.data, code=1).stderr
        server.stop()
        assert "nothing is lost" in alone("rotate-key", "--lost", "--data", server.data, code=1).stderr
        (server.data / "secret.key").unlink()
        assert "rotate-key --lost" in alone("user", "list", "--data", server.data, code=1).stderr
        said = alone("rotate-key", "--lost", "--data", server.data).output
        assert "Enter again in Settings: A Cloudflare API token\n" in said
        server.start()
        assert not is_set(server)
        assert is_set(server, "dns_target")
        server.ask("PATCH", "/settings", json={"cloudflare_token": TOKEN})
        assert is_set(server)


def test_a_backup_from_before_and_one_from_after(ctx: Context, alone: Cli, tmp_path: Path) -> None:
    """Each has the key that it goes with."""
    for name in ("before", "after"):
        alone("backup", tmp_path / f"{name}.tar", "--data", ctx.data, HOMEPORT_PASSPHRASE="an umbrella or two")
        secrets.rotate(ctx)
    for name in ("before", "after"):
        file, data = tmp_path / f"{name}.tar", tmp_path / name
        restored = alone.json("restore", file, "--data", data, HOMEPORT_PASSPHRASE="an umbrella or two")
        assert restored["to_enter"] == []
        with inside.context(data) as there:
            assert there.settings.cloudflare_token == TOKEN
            assert there.keys("activity") == ctx.keys("activity")[: 1 + (name == "after")]


def test_a_backup_while_the_key_is_exchanged(ctx: Context, alone: Cli, tmp_path: Path) -> None:
    enough = threading.Event()

    def keep_rotating() -> None:
        while not enough.is_set():
            secrets.rotate(ctx)

    rotating = threading.Thread(target=keep_rotating)
    rotating.start()
    try:
        for number in range(5):
            file = tmp_path / f"{number}.tar"
            alone("backup", file, "--data", ctx.data, HOMEPORT_PASSPHRASE="an umbrella or two")
    finally:
        enough.set()
        rotating.join()
    for number in range(5):
        file, data = tmp_path / f"{number}.tar", tmp_path / f"{number}"
        alone("restore", file, "--data", data, HOMEPORT_PASSPHRASE="an umbrella or two")
        with inside.context(data) as there:
            assert there.settings.cloudflare_token == TOKEN


def test_a_backup_without_keys_goes_on_with_new_ones(ctx: Context, alone: Cli, tmp_path: Path) -> None:
    secrets.rotate(ctx)
    alone("backup", tmp_path / "b.tar", "--data", ctx.data)
    restored = alone.json("restore", tmp_path / "b.tar", "--data", tmp_path / "there")
    assert restored["to_enter"] == ["cloudflare_token"]
    with inside.context(tmp_path / "there") as there:
        assert there.settings.cloudflare_token == ""
        inside.save(there, cloudflare_token=TOKEN)
        assert secrets.rotate(there).secrets == 1
        assert there.settings.cloudflare_token == TOKEN
