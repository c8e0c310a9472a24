"""`homeport deploy FOLDER` sends what the server does not have, counts it, and survives whatever comes between."""

import json
import os
import random
import re
from pathlib import Path

import pytest

from appliance.cli.remembered import Memory
from tests.appliance import Appliance, zipped
from tests.cli.drive import Cli
from tests.cli.wire import Call, wire
from tests.relay import Relay

RANDOM = random.Random(3)
WORDS = [f"word{number}" for number in range(2_000)]


def page() -> str:
    return f"<h1>{RANDOM.random()}</h1>\n" + " ".join(RANDOM.choices(WORDS, k=500))


def pages(folder: Path, count: int) -> None:
    for number in range(count):
        place = folder / f"s{number % 20}" / f"{number}.html"
        place.parent.mkdir(exist_ok=True)
        place.write_text(page())


def test_the_second_time_only_what_changed_is_sent(server: Appliance, cli: Cli, name: str, site: Path) -> None:
    pages(site, 600)
    relay = Relay(server.port)
    try:
        first = cli("deploy", site, "--create", HOMEPORT_SERVER=relay.url)
        assert re.search("60[12] of 602 files were new: ", first.stderr)
        changed = [site / "s3" / "3.html", *(site / f"s{number}" / f"{number}.html" for number in range(4, 9))]
        for place in changed:
            place.write_text(page())
        (site / "s2" / "2.html").unlink()
        sent, got = relay.sent, relay.got
        second = cli("deploy", site, "--no-wait", HOMEPORT_SERVER=relay.url)
        moved = relay.sent - sent + relay.got - got
    finally:
        relay.close()
    assert "6 of 601 files were new: " in second.stderr
    bytes_changed = sum(place.stat().st_size for place in changed)
    assert moved <= bytes_changed * 1.02, f"{moved:,} bytes moved for {bytes_changed:,}"
    cli("logs", cli.json("deployments", "list", "-p", name)["items"][0]["id"], "--follow")
    assert server.visit(name, "/s3/3.html").text == changed[0].read_text()
    assert server.visit(name, "/s2/2.html").status_code == 404
    assert "none of 601 files were new" in cli("deploy", site).stderr


def test_what_changed_back_is_not_called_new(cli: Cli, name: str, site: Path) -> None:
    """A little is sent before the server was asked; what it had all along is known from its answer."""
    first = (site / "index.html").read_text()
    cli("deploy", site, "--create")
    (site / "index.html").write_text(page())
    assert "1 of 2 files was new" in cli("deploy", site).stderr
    (site / "index.html").write_text(first)
    assert "none of 2 files were new" in cli("deploy", site).stderr


def test_a_file_that_changed_without_its_time_is_seen(server: Appliance, cli: Cli, name: str, site: Path) -> None:
    """Its inode tells, and what was written in the last two seconds is never taken from memory."""
    place = site / "index.html"
    os.utime(place, (1_000_000_000, 1_000_000_000))
    cli("deploy", site, "--create")
    other = site.parent / "other.html"
    other.write_text("X" * place.stat().st_size)
    os.utime(other, (1_000_000_000, 1_000_000_000))
    other.replace(place)
    cli("deploy", site)
    assert server.visit(name).text == place.read_text()


def test_a_memory_that_is_spoilt_or_can_not_be_kept_only_costs_time(cli: Cli, name: str, site: Path) -> None:
    cli("deploy", site, "--create")
    (kept,) = (Path(cli.environ["XDG_CACHE_HOME"]) / "homeport" / "folders").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
    good = json.loads(kept.read_text())
    for spoilt in ("", "[]", "{", json.dumps({**good, "hashes": 1}), json.dumps({**good, "form": 99})):
        kept.write_text(spoilt)
        cli("deploy", site)
    cli("deploy", site, XDG_CACHE_HOME="/dev/null")


def test_a_server_that_lost_everything_gets_everything(tmp_path: Path, alone: Cli, site: Path, name: str) -> None:
    with Appliance(tmp_path / "one") as one:
        alone("deploy", site, "--create", HOMEPORT_SERVER=one.url, HOMEPORT_KEY=one.key)
        port = one.port
    fresh = Appliance(tmp_path / "two")
    fresh.port = port
    with fresh:
        said = alone("deploy", site, "--create", HOMEPORT_SERVER=fresh.url, HOMEPORT_KEY=fresh.key).stderr
        assert "2 of 2 files were new" in said
        assert fresh.visit(name).status_code == 200


def test_a_server_without_it_gets_a_zip(alone: Cli, site: Path) -> None:
    zips: list[bytes] = []
    done = {"id": "d1", "number": 1, "project": "p", "environment": "production", "status": "queued"}

    def script(call: Call) -> None:
        if not call.line.startswith("POST"):
            call.answer(200, b"{}")
            return
        body = call.body()
        if call.header("Content-Type") == "application/json":
            errors = {"bundle": "Name the bundle by its SHA-256", "files": "There is no such field"}
            problem = {"type": "urn:homeport:invalid", "status": 422, "detail": "no", "errors": errors}
            call.answer(422, json.dumps(problem).encode(), "application/problem+json")
        else:
            zips.append(body)
            told = {
                **done,
                "error": None,
                "live": False,
                "bundle": "b",
                "files": 2,
                "size": 1,
                "address": "",
                "overtaken_by": None,
            }
            more = {"source": "upload", "created_by": "me", "created_at": "2027-01-31T00:00:00Z"}
            call.answer(202, json.dumps({**told, **more, "started_at": None, "finished_at": None}).encode())

    with wire(script) as server:
        alone("deploy", site, "-p", "p", "--no-wait", HOMEPORT_SERVER=server.url, HOMEPORT_KEY="hp_k")
    assert len(zips) == 1 and zips[0][:2] == b"PK"


def test_a_file_that_changes_while_it_is_sent_deploys_nothing(
    server: Appliance, cli: Cli, name: str, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed = Memory.hashed

    def then_changed(*given: object) -> object:
        found = hashed(*given)  # type: ignore[arg-type]
        (site / "index.html").write_text("<h1>later</h1>")
        return found

    monkeypatch.setattr(Memory, "hashed", then_changed)
    refused = cli("deploy", site, "--create", code=1)
    assert "index.html changed while it was read. Nothing was deployed." in refused.stderr
    assert server.get(f"/deployments?project={name}")["items"] == []


def test_a_large_zip_is_taken_up_where_it_broke(server: Appliance, cli: Cli, name: str, tmp_path: Path) -> None:
    server.project(name)
    bundle = tmp_path / "site.zip"
    bundle.write_bytes(zipped({"index.html": name, "noise.bin": RANDOM.randbytes(40 << 20)}))
    relay = Relay(server.port, breaks_after=20 << 20)
    try:
        deployment = cli.json("deploy", bundle, "-p", name, HOMEPORT_SERVER=relay.url)
    finally:
        relay.close()
    assert relay.broken == 1
    assert relay.sent < bundle.stat().st_size + (16 << 20), "what had arrived was not sent again"
    assert deployment["size"] == bundle.stat().st_size
    assert server.visit(name).text == name


def test_a_large_zip_goes_on_in_the_next_run(server: Appliance, cli: Cli, name: str, tmp_path: Path) -> None:
    server.project(name)
    bundle = tmp_path / "site.zip"
    bundle.write_bytes(zipped({"index.html": name, "noise.bin": RANDOM.randbytes(40 << 20)}))
    relay = Relay(server.port, holds_after=24 << 20)
    running = cli.process("deploy", bundle, "-p", name, environ={**cli.environ, "HOMEPORT_SERVER": relay.url})
    try:
        assert relay.held.wait(60)
        running.kill()
        running.communicate()
        relay.let_go.set()
        (kept,) = (Path(cli.environ["XDG_CACHE_HOME"]) / "homeport" / "folders").iterdir()
        assert json.loads(kept.read_text())["uploads"]
        sent = relay.sent
        again = cli("deploy", bundle, "-p", name, HOMEPORT_SERVER=relay.url)
        assert "Going on after the " in again.stderr
        assert relay.sent - sent < 30 << 20
    finally:
        relay.close()
    assert server.visit(name).text == name
