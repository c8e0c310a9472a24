"""The process log by the API: what was done outside, as a list, as text and as events."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from appliance.client.events import parse_events
from tests.api.test_contract import problem
from tests.appliance import Appliance
from tests.servers import eventually

NASTY = "<img src=x onerror=document.title='ran'>\x1b[31m"


def lines(server: Appliance, **asked: str) -> list[dict[str, Any]]:
    """Newest first."""
    answer = server.ask("GET", "/log", params={"limit": "200", **asked})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def said(server: Appliance, **asked: str) -> list[dict[str, Any]]:
    """Once something is."""
    eventually(lambda: bool(lines(server, **asked)))
    return lines(server, **asked)


def failing_backup(server: Appliance, folder: Path) -> str:
    """Something that goes wrong outside, said in words: a backup to a folder that can't be made."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.parent.joinpath("taken").write_text("no folder")
    server.ask("PATCH", "/settings", json={"backup_folder": f"{folder.parent}/taken/within"})
    made = server.ask("POST", "/backups").json()
    eventually(lambda: server.get(f"/backups/{made['id']}")["status"] == "failed")
    server.ask("PATCH", "/settings", json={"backup_folder": None})
    return str(made["name"])


def test_it_begins_with_the_start(fresh: Appliance) -> None:
    first = said(fresh)[-1]
    assert (first["area"], first["level"]) == ("homeport", "info")
    assert first["text"].startswith("Homeport ") and first["text"].endswith(f"answers at {fresh.url}.")


def test_a_failure_says_what_to_do_and_is_found_by_each_filter(server: Appliance, tmp_path: Path) -> None:
    name = failing_backup(server, tmp_path / "a" / "b")
    (line,) = said(server, q=name)
    assert (line["area"], line["level"], line["subject"]) == ("backups", "error", name)
    for asked in ({"area": "backups"}, {"level": "warn"}, {"level": "error"}, {"since": "2020-01-01"}):
        assert line in lines(server, **asked)
    for asked in ({"area": "dns"}, {"project": "none-such"}, {"since": "2099-01-01"}, {"q": "no such words"}):
        assert line not in lines(server, **asked)


def test_a_url_says_when_it_is_in_force_and_when_no_more(server: Appliance) -> None:
    server.deploy(server.project("told-log"), {"index.html": "x"})
    place = "/projects/told-log/environments/production/urls"
    server.ask("POST", f"{place}?wait=20", json={"host": "told.example.org"})
    found = said(server, project="told-log")
    assert [(one["text"], one["subject"]) for one in found] == [("told.example.org is in force.", "told.example.org")]
    server.ask("DELETE", f"{place}/told.example.org")
    assert said(server, q="told.example.org is out of force")[0]["project"] == "told-log"


def test_pages_lead_on_to_the_oldest(server: Appliance) -> None:
    first = server.ask("GET", "/log", params={"limit": "1"}).json()
    second = server.ask("GET", "/log", params={"limit": "1", "cursor": first["next"]}).json()
    assert first["items"][0]["id"] > second["items"][0]["id"]


def test_what_is_asked_for_wrongly_is_said(server: Appliance) -> None:
    problem(server.ask("GET", "/log?area=weather"), 422, area="Choose one of homeport, nginx")
    problem(server.ask("GET", "/log?level=loud"), 422, level="Choose one of info, warn, error")
    problem(server.ask("GET", "/log?since=never"), 422, since="Enter a day")
    problem(server.ask("GET", "/log?cursor=x"), 422, cursor="")
    problem(server.ask("GET", f"/log?q={'x' * 201}"), 422, q="at most 200")


@pytest.fixture
def following(server: Appliance) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{server.url}/api/v1", headers={"Authorization": f"Bearer {server.key}"}) as http:
        yield http


def test_it_is_followed_by_events_and_taken_up_where_it_was(
    server: Appliance, following: httpx.Client, tmp_path: Path
) -> None:
    before = lines(server)[0]["id"]
    accept = {"Accept": "text/event-stream", "Last-Event-ID": str(before)}
    with following.stream("GET", "/log", params={"area": "backups"}, headers=accept, timeout=60) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        name = failing_backup(server, tmp_path / "c" / "d")
        event = next(one for one in parse_events(answer.iter_raw()) if one.name == "line")
    line = json.loads(event.data)
    assert (line["subject"], event.id) == (name, str(line["id"]))
    with following.stream("GET", "/log", headers={**accept, "Last-Event-ID": str(line["id"] - 1)}) as answer:
        again = next(one for one in parse_events(answer.iter_raw()) if one.name == "line")
    assert again.id == event.id, "what was seen is not told again"


def test_it_is_text_too(server: Appliance, following: httpx.Client, tmp_path: Path) -> None:
    name = failing_backup(server, tmp_path / "e" / "f")
    said(server, q=name)
    whole = following.get("/log", params={"download": "1", "area": "backups"})
    assert whole.headers["content-disposition"] == 'attachment; filename="homeport.log"'
    line = next(one for one in whole.text.splitlines() if name in one)
    assert " backups       Error: " in line and whole.text.endswith("\n")
    with following.stream("GET", "/log", params={"follow": "1", "q": name}) as answer:
        assert name in next(answer.iter_lines())


def test_secrets_and_line_ends_go_where_they_are_written(fresh: Appliance, tmp_path: Path) -> None:
    """A folder's name that holds a secret, an escape code and markup: said, without the first two."""
    fresh.ask("PATCH", "/settings", json={"cloudflare_token": "hidden-from-the-log"})
    failing_backup(fresh, tmp_path / f"hidden-from-the-log{NASTY.replace('/', '')}" / "x")
    (line,) = said(fresh, area="backups")
    assert "hidden-from-the-log" not in json.dumps(line) and "\x1b" not in line["text"]
    assert "<img src=x" in line["text"]
    with closing(sqlite3.connect(fresh.data / "homeport.db")) as db:
        assert "hidden-from-the-log" not in str(db.execute("SELECT * FROM process_log").fetchall())
