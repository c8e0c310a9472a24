"""The log: as text, to the end, and as events that can be taken up again."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.test_contract import problem
from tests.api.test_deployments import slow_zip
from tests.appliance import Appliance, zipped

SSE = {"Accept": "text/event-stream"}


@pytest.fixture(scope="module")
def done(server: Appliance) -> str:
    server.project("logs")
    found: str = server.deploy("logs", {"index.html": "x"})["id"]
    return found


def events(server: Appliance, deployment: str, **headers: str) -> list[dict[str, str]]:
    """Every event up to the end of the stream."""
    url = f"{server.url}/api/v1/deployments/{deployment}/log"
    bearer = {"Authorization": f"Bearer {server.key}"}
    with server.http.stream("GET", url, headers={**bearer, **SSE, **headers}) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        return list(parsed(stream.iter_lines()))


def parsed(lines: Iterator[str]) -> Iterator[dict[str, str]]:
    event: dict[str, str] = {}
    for line in lines:
        if not line:
            if event:
                yield event
            event = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(": ")
            event[name] = value


def test_as_text(server: Appliance, done: str) -> None:
    answer = server.ask("GET", f"/deployments/{done}/log")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    lines = answer.text.splitlines()
    assert "upload" in lines[0] and "Received" in lines[0]
    assert "is live in logs production" in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    download = server.ask("GET", f"/deployments/{done}/log?download=1")
    assert download.headers["content-disposition"] == 'attachment; filename="logs-1.log"'
    assert download.text == answer.text
    problem(server.ask("GET", "/deployments/no-such/log"), 404)


def test_followed_to_the_end(server: Appliance) -> None:
    server.project("follow")
    started = server.send("follow", slow_zip("follow"), wait=None).json()
    text = server.ask("GET", f"/deployments/{started['id']}/log?follow=1").text
    assert server.get(f"/deployments/{started['id']}")["status"] == "succeeded"
    assert text == server.log(started["id"])
    assert "is live in follow production" in text


def test_as_events_with_ids_to_the_end(server: Appliance) -> None:
    server.project("events")
    started = server.send("events", slow_zip("events"), wait=None).json()
    *lines, end = events(server, started["id"])
    assert [int(one["id"]) for one in lines] == list(range(1, len(lines) + 1))
    assert {one["event"] for one in lines} == {"line"}
    data = [json.loads(one["data"]) for one in lines]
    assert all(one.keys() == {"number", "at", "step", "level", "text"} for one in data)
    assert [one["text"] for one in data] == [line[25 + 10 :] for line in server.log(started["id"]).splitlines()]
    assert end["event"] == "end" and json.loads(end["data"])["status"] == "succeeded"


def test_events_are_taken_up_where_they_broke_off(server: Appliance, done: str) -> None:
    everything = events(server, done)
    assert events(server, done, **{"Last-Event-ID": "3"}) == everything[3:]
    assert events(server, done, **{"Last-Event-ID": "99999"}) == everything[-1:]
    for nonsense in ("x", "-1", "9" * 30, "9" * 5000):
        assert events(server, done, **{"Last-Event-ID": nonsense})[-1] == everything[-1]


def test_several_can_follow_one(server: Appliance) -> None:
    server.project("crowded")
    started = server.send("crowded", slow_zip("crowded"), wait=None).json()
    heard: list[list[dict[str, str]]] = []
    threads = [threading.Thread(target=lambda: heard.append(events(server, started["id"]))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(heard) == 6 and all(one == heard[0] for one in heard)


def test_what_is_said_first_stands_first(server: Appliance) -> None:
    """A quick worker never writes before the upload has said its lines."""
    server.project("order")
    for number in range(10):
        made = server.deploy("order", {"index.html": str(number)})
        steps = [line.split()[1] for line in server.log(made["id"]).splitlines()]
        assert steps[:2] == ["upload", "upload"]
        assert "upload" not in steps[2:]


def test_a_line_can_not_be_forged(server: Appliance) -> None:
    """Names that others chose stand in one line, and can't speak to a terminal."""
    server.project("forge")
    name = "a.zip\u2028b\x85c\x1b]8;;javascript:alert(1)\x07d\x1b[2Je\rf\x0bg\x00h\u202ei"
    disposition = "attachment; filename*=UTF-8''" + "".join(f"%{byte:02X}" for byte in name.encode())
    headers = {"Content-Type": "application/zip", "Content-Disposition": disposition}
    url = "/projects/forge/environments/production/deployments?wait=30"
    made = server.ask("POST", url, content=zipped({"index.html": "x"}), headers=headers).json()
    log = server.log(made["id"])
    received = [line for line in log.splitlines() if "Received" in line]
    assert len(received) == 1
    assert all(letter.isprintable() or letter == "\n" for letter in log)


def test_markup_stays_text(server: Appliance) -> None:
    server.project("markup")
    body = zipped({"index.html": "x", "<img src=x onerror=alert(1)>.txt": "x", ".git/config": "x"})
    made = server.send("markup", body).json()
    answer = server.ask("GET", f"/deployments/{made['id']}/log")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    page = server.http.get(f"{server.url}/deployments/{made['id']}", headers={"Authorization": f"Bearer {server.key}"})
    assert page.status_code == 200
    assert "<img src=x" not in page.text


def test_a_torn_line_hides_no_others(server: Appliance, done: str) -> None:
    """What a power cut leaves of a line."""
    path = server.data / "logs" / f"{done}.log"
    whole: Any = path.read_bytes()
    path.write_bytes(b"2027-01-31T00:00:0\n" + whole + b"\xff\xfe half")
    assert "is live in logs production" in server.log(done)
    assert events(server, done)[-1]["event"] == "end"
    path.write_bytes(whole)
