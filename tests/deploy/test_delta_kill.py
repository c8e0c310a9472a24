"""Killed while files come one by one or a zip in pieces: nothing half is kept, and it can be taken up."""

import sqlite3
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.appliance import Appliance, zipped
from tests.servers import eventually
from tests.trees import ask, batch, deploy, download, name_of, send

TUS = {"Tus-Resumable": "1.0.0"}
PIECE = {**TUS, "Content-Type": "application/offset+octet-stream"}
CONTENTS = ("content", "contents kept", "bundle listed")
UPLOADS = ("upload begun", "piece", "upload deployed")


def armed(server: Appliance, fault: str) -> None:
    server.stop()
    server.environ["HOMEPORT_FAULT"] = fault
    server.start()


def calm(server: Appliance) -> None:
    if server.process is not None:
        server.stop()
    del server.environ["HOMEPORT_FAULT"]
    server.start()


def nothing_left(server: Appliance) -> None:
    assert list((server.data / "incoming").iterdir()) == []
    eventually(
        lambda: not list((server.data / "files").glob("??/.*"))
    )  # jobs after a deployment make some for a moment
    known = {one["bundle"] for one in server.get("/deployments?limit=200")["items"]}
    assert {path.stem for path in (server.data / "bundles").glob("??/*")} <= known
    with closing(sqlite3.connect(server.data / "homeport.db")) as db:
        uploads = {name for (name,) in db.execute("SELECT id FROM uploads WHERE bundle IS NULL")}
    assert {path.name for path in (server.data / "uploads").iterdir()} == uploads
    for path in (server.data / "files").glob("??/*"):
        if "." not in path.name:  # not a smaller form of one
            assert name_of(path.read_bytes()) == path.name


@pytest.mark.slow
@pytest.mark.parametrize("how", ["kill", "eio", "enospc"])
def test_files_one_by_one(tmp_path: Path, how: str) -> None:
    with Appliance(tmp_path / "data") as server:
        server.project("blog")
        deploy(server, "blog", {"index.html": b"before"})
        for point in CONTENTS:
            files = {"index.html": point.encode(), "large.bin": point.encode() * 200_000}
            armed(server, f"{how}:{point}")
            try:
                answer = send(server, batch(files.values()))
                if answer.is_success:
                    answer = ask(
                        server, "blog", {"files": {path: [name_of(it), len(it)] for path, it in files.items()}}
                    )
                assert answer.status_code in (500, 507), answer.text
            except httpx.TransportError:
                assert how == "kill"
                assert server.process is not None
                server.process.wait(20)
                server.process = None
            calm(server)
            assert server.visit("blog").status_code == 200, "what was live stays live"
            nothing_left(server)
            done = deploy(server, "blog", files)
            assert server.visit("blog").text == point
            assert name_of(download(server, done["bundle"])) == done["bundle"]


@pytest.mark.slow
@pytest.mark.parametrize("how", ["kill", "eio", "enospc"])
def test_a_zip_in_pieces(tmp_path: Path, how: str) -> None:
    with Appliance(tmp_path / "data") as server:
        server.project("blog")
        for point in UPLOADS:
            body = zipped({"index.html": point, "more.txt": point * 1000})
            armed(server, f"{how}:{point}")
            where = ""
            try:
                answer = server.ask("POST", "/uploads", headers={**TUS, "Upload-Length": str(len(body))})
                if answer.is_success:
                    where = answer.headers["location"].removeprefix("/api/v1")
                    answer = server.ask("PATCH", where, content=body, headers={**PIECE, "Upload-Offset": "0"})
                if answer.is_success:
                    answer = ask(server, "blog", {"upload": where.rpartition("/")[2]})
                assert answer.status_code in (500, 507), answer.text
            except httpx.TransportError:
                assert how == "kill"
                assert server.process is not None
                server.process.wait(20)
                server.process = None
            calm(server)
            nothing_left(server)
            if point == "piece":
                at = int(server.ask("HEAD", where, headers=TUS).headers["upload-offset"])
                answer = server.ask("PATCH", where, content=body[at:], headers={**PIECE, "Upload-Offset": str(at)})
                assert answer.status_code == 204, answer.text
                assert ask(server, "blog", {"upload": where.rpartition("/")[2]}).status_code == 201
            else:
                assert server.send("blog", body).status_code == 201
            assert server.visit("blog").text == point
