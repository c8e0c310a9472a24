"""Asked to end, it finishes what is in hand, tells whoever listens, and ends well."""

import threading
from pathlib import Path

import httpx

from tests.api.test_deployments import slow_zip
from tests.appliance import Appliance, zipped


def test_sigterm_finishes_what_is_in_hand(tmp_path: Path) -> None:
    with Appliance(tmp_path / "data") as server:
        server.project("ending")
        server.deploy("ending", {"index.html": "before"})
        started = server.send("ending", slow_zip("after"), wait=None).json()["id"]
        bearer = {"Authorization": f"Bearer {server.key}"}
        ended: dict[str, str] = {}
        listening = threading.Barrier(4)

        def listen(path: str, accept: str) -> None:
            with httpx.Client(timeout=30) as http:
                with http.stream("GET", server.url + path, headers={**bearer, "Accept": accept}) as stream:
                    listening.wait(20)
                    ended[path + accept] = "".join(stream.iter_text())

        log = f"/api/v1/deployments/{started}/log"
        for path, accept in (("/events", "text/event-stream"), (log, "text/event-stream"), (f"{log}?follow=1", "*/*")):
            threading.Thread(target=listen, args=(path, accept), daemon=True).start()
        listening.wait(20)
        assert server.stop() == 0
        assert "Traceback" not in "".join(server.output)
        server.start()
        assert server.get(f"/deployments/{started}")["status"] == "succeeded"
        assert server.visit("ending").text == "after"
        assert server.log(started).count("unpack") >= 1 and "begins again" not in server.log(started)


def test_a_request_that_waits_is_answered(tmp_path: Path) -> None:
    with Appliance(tmp_path / "data") as server:
        server.project("waits")
        answers: list[int] = []
        waiter = threading.Thread(
            target=lambda: answers.append(server.send("waits", slow_zip("x"), wait=60).status_code)
        )
        waiter.start()
        with httpx.Client() as http:
            bearer = {"Authorization": f"Bearer {server.key}"}
            while not http.get(f"{server.url}/api/v1/deployments", headers=bearer).json()["items"]:
                pass
        assert server.stop() == 0
        waiter.join(20)
        assert answers and answers[0] in {201, 202}


def test_it_starts_again_where_it_was(fresh: Appliance) -> None:
    fresh.project("stays")
    fresh.deploy("stays", {"index.html": "here"})
    assert fresh.stop() == 0
    fresh.start()
    assert fresh.visit("stays").text == "here"
    assert fresh.send("stays", zipped({"index.html": "there"})).status_code == 201
    assert "setup?token" not in "".join(fresh.output)
