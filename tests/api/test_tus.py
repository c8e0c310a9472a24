"""Uploads in pieces, by tus 1.0: as the protocol says, and with a client that others wrote."""

import base64
import hashlib
import io
import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from tusclient.client import TusClient
from tusclient.exceptions import TusUploadFailed

from appliance.access.actor import OPERATOR
from appliance.deploy import uploads
from appliance.errors import NotFound
from appliance.machine import clock
from appliance.model.uploads import NewUpload
from tests import inside
from tests.appliance import PATIENCE, Appliance, zipped
from tests.relay import Relay
from tests.servers import eventually
from tests.trees import ask

RANDOM = random.Random(5)
TUS = {"Tus-Resumable": "1.0.0"}
PIECE = {**TUS, "Content-Type": "application/offset+octet-stream"}


def create(server: Appliance, length: int, **headers: str) -> str:
    answer = server.ask("POST", "/uploads", headers={**TUS, "Upload-Length": str(length), **headers})
    assert answer.status_code == 201, answer.text
    assert answer.headers["tus-resumable"] == "1.0.0" and answer.headers["upload-expires"].endswith("GMT")
    return answer.headers["location"].removeprefix("/api/v1")


def patch(server: Appliance, where: str, at: int, body: Any, **headers: str) -> httpx.Response:
    return server.ask("PATCH", where, content=body, headers={**PIECE, "Upload-Offset": str(at), **headers})


def head(server: Appliance, where: str) -> httpx.Response:
    return server.ask("HEAD", where, headers=TUS)


def offset(server: Appliance, where: str) -> int:
    answer = head(server, where)
    assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store"
    return int(answer.headers["upload-offset"])


def site(size: int = 300_000) -> bytes:
    return zipped({"index.html": f"tus {RANDOM.random()}", "noise.bin": RANDOM.randbytes(size)})


def test_what_is_spoken_is_said(server: Appliance) -> None:
    answer = server.ask("OPTIONS", "/uploads")
    assert answer.status_code == 204
    assert answer.headers["tus-version"] == "1.0.0"
    assert answer.headers["tus-extension"] == "creation,creation-with-upload,expiration,checksum,termination"
    assert int(answer.headers["tus-max-size"]) == 2 << 30
    assert "sha1" in answer.headers["tus-checksum-algorithm"].split(",")


def test_a_zip_in_pieces_is_deployed(server: Appliance) -> None:
    name, body = server.project("in-pieces"), site()
    said = "filename " + base64.b64encode(b"site.zip").decode()
    where = create(server, len(body), **{"Upload-Metadata": said})
    assert head(server, where).headers["upload-length"] == str(len(body))
    assert head(server, where).headers["upload-metadata"] == said
    for begin in range(0, len(body), 100_000):
        answer = patch(server, where, begin, body[begin : begin + 100_000])
        assert answer.status_code == 204, answer.text
        assert int(answer.headers["upload-offset"]) == min(begin + 100_000, len(body))
    upload = where.rpartition("/")[2]
    done = ask(server, name, {"upload": upload}).json()
    assert done["status"] == "succeeded" and done["bundle"] == hashlib.sha256(body).hexdigest()
    assert server.get(f"/bundles/{done['bundle']}")["filename"] == "site.zip"
    assert server.get(where)["bundle"] == done["bundle"]
    again = ask(server, name, {"upload": upload})
    assert again.status_code == 201, "once deployed it can be deployed again, as the bundle that it is"


def test_creation_with_upload(server: Appliance) -> None:
    body = site()
    answer = server.ask("POST", "/uploads", content=body, headers={**PIECE, "Upload-Length": str(len(body))})
    assert (answer.status_code, answer.headers["upload-offset"]) == (201, str(len(body)))
    where = answer.headers["location"].removeprefix("/api/v1")
    assert ask(server, server.project("with-upload"), {"upload": where.rpartition("/")[2]}).status_code == 201


def test_an_idempotency_key_holds_for_an_upload(server: Appliance) -> None:
    name, body = server.project("tus-once"), site()
    where = create(server, len(body))
    patch(server, where, 0, body)
    answers = [ask(server, name, {"upload": where.rpartition("/")[2]}, once="tus-1").json()["id"] for _ in range(2)]
    assert answers[0] == answers[1]


def test_what_is_not_tus_is_refused_in_its_own_way(server: Appliance) -> None:
    where = create(server, 10)
    assert server.ask("POST", "/uploads", headers={"Upload-Length": "1"}).status_code == 412
    refused = server.ask("HEAD", where, headers={"Tus-Resumable": "0.2.2"})
    assert (refused.status_code, refused.headers["tus-version"]) == (412, "1.0.0")
    for length in ("", "x", "-1", "1e3", "9" * 19):
        assert server.ask("POST", "/uploads", headers={**TUS, "Upload-Length": length}).status_code == 400
    assert server.ask("POST", "/uploads", headers=TUS).status_code == 400
    bad = {**TUS, "Upload-Length": "1", "Upload-Metadata": "filename not+base64!"}
    assert server.ask("POST", "/uploads", headers=bad).status_code == 400
    assert patch(server, where, 1, b"x").status_code == 409
    assert patch(server, where, 0, b"x", **{"Upload-Offset": "x"}).status_code == 400
    assert patch(server, where, 0, b"x", **{"Content-Type": "text/plain"}).status_code == 415
    too_long = patch(server, where, 0, b"x" * 11)
    assert (too_long.status_code, too_long.headers["tus-resumable"]) == (413, "1.0.0")
    assert head(server, "/uploads/none").status_code == 404
    assert server.ask("POST", "/uploads", headers={**TUS, "Upload-Length": str((2 << 30) + 1)}).status_code == 413


def test_unfinished_can_not_be_deployed(server: Appliance) -> None:
    where = create(server, 10)
    answer = ask(server, server.project("unfinished"), {"upload": where.rpartition("/")[2]})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:homeport:unfinished")
    assert ask(server, "unfinished", {"upload": "none"}).status_code == 404
    assert ask(server, "unfinished", {"upload": ""}).status_code == 422


def test_an_upload_that_is_no_zip_is_gone_once_that_is_known(server: Appliance) -> None:
    where = create(server, 5)
    patch(server, where, 0, b"hello")
    answer = ask(server, server.project("no-zip"), {"upload": where.rpartition("/")[2]})
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:homeport:not_a_zip")
    assert head(server, where).status_code == 404
    assert not (server.data / where.removeprefix("/")).exists()


def test_only_whoever_began_it_may_go_on(server: Appliance) -> None:
    where = create(server, 5)
    other = server.ask("POST", "/keys", json={"name": f"other {RANDOM.random()}"}).json()["key"]
    headers = {**TUS, "Authorization": f"Bearer {other}"}
    assert server.http.head(f"{server.url}/api/v1{where}", headers=headers).status_code == 404
    assert server.http.head(f"{server.url}/api/v1{where}", headers=TUS).status_code == 401


def test_a_checksum_that_fails_throws_the_piece_away(server: Appliance) -> None:
    where = create(server, 10)
    assert patch(server, where, 0, b"hello", **{"Upload-Checksum": checksum("sha1", b"hallo")}).status_code == 460
    assert offset(server, where) == 0
    for algorithm in ("sha1", "sha256", "md5"):
        answer = patch(server, where, 0, b"", **{"Upload-Checksum": checksum(algorithm, b"")})
        assert answer.status_code == 204
    assert patch(server, where, 0, b"hello", **{"Upload-Checksum": checksum("sha1", b"hello")}).status_code == 204
    assert offset(server, where) == 5
    for bad in ("crc99 AAAA", "sha1 !!", "sha1"):
        assert patch(server, where, 5, b"world", **{"Upload-Checksum": bad}).status_code in (400, 460)
    assert offset(server, where) == 5
    assert list((server.data / "incoming").iterdir()) == []


def checksum(algorithm: str, data: bytes) -> str:
    return f"{algorithm} {base64.b64encode(hashlib.new(algorithm, data, usedforsecurity=False).digest()).decode()}"


def test_termination(server: Appliance) -> None:
    where = create(server, 5)
    assert server.ask("DELETE", where, headers=TUS).status_code == 204
    assert head(server, where).status_code == 404
    assert not (server.data / where.removeprefix("/")).exists()


def test_where_only_post_gets_through(server: Appliance) -> None:
    where = create(server, 5)
    at = {**PIECE, "X-HTTP-Method-Override": "PATCH", "Upload-Offset": "0"}
    assert server.ask("POST", where, content=b"hello", headers=at).status_code == 204
    assert offset(server, where) == 5
    assert server.ask("POST", where, headers={**TUS, "X-HTTP-Method-Override": "DELETE"}).status_code == 204
    assert server.ask("POST", where, headers={**TUS, "X-HTTP-Method-Override": "PUT"}).status_code == 400


def test_what_arrived_before_the_line_broke_is_kept(server: Appliance) -> None:
    body = RANDOM.randbytes(400_000)
    where = create(server, len(body))
    with sending(server, where, len(body)) as line:
        line.sendall(body[:300_000])
    eventually(lambda: 0 < offset(server, where) <= 300_000)
    at = offset(server, where)
    assert (server.data / where.removeprefix("/")).read_bytes() == body[:at]
    assert patch(server, where, at, body[at:]).status_code == 204
    assert (server.data / where.removeprefix("/")).read_bytes() == body


def test_who_comes_back_takes_over_from_a_line_that_hangs(server: Appliance) -> None:
    """The old connection is dead without the server knowing; nothing more comes, and nothing says so."""
    body = RANDOM.randbytes(100_000)
    where = create(server, len(body))
    with sending(server, where, len(body), expect="100-continue") as hanging:
        assert hanging.recv(1000).split()[1] == b"100", "it has the upload for itself, and is ready for what comes"
        hanging.sendall(body[:60_000])
        begin = offset(server, where)
        assert begin <= 60_000
        assert hanging.recv(1000).split(b"\r\n")[0].split()[1] == b"423"
        assert patch(server, where, begin, body[begin:]).status_code == 204
    assert (server.data / where.removeprefix("/")).read_bytes() == body


@contextmanager
def sending(server: Appliance, where: str, length: int, at: int = 0, *, expect: str = "") -> Iterator[socket.socket]:
    """A PATCH whose body is up to the test."""
    lines = [f"PATCH /api/v1{where} HTTP/1.1", f"Host: 127.0.0.1:{server.port}", f"Authorization: Bearer {server.key}"]
    lines += [f"{name}: {value}" for name, value in PIECE.items()]
    lines += [f"Upload-Offset: {at}", f"Content-Length: {length}", *([f"Expect: {expect}"] if expect else []), "", ""]
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as line:
        line.sendall("\r\n".join(lines).encode())
        yield line


def test_an_offset_survives_being_killed(fresh: Appliance) -> None:
    body = site(2 << 20)
    where = create(fresh, len(body))
    assert patch(fresh, where, 0, body[:1_000_000]).status_code == 204
    with sending(fresh, where, len(body) - 1_000_000, 1_000_000) as line:
        line.sendall(body[1_000_000:1_900_000])
        fresh.kill()
    fresh.start()
    at = offset(fresh, where)
    assert at >= 1_000_000, "what was answered for is there"
    assert (fresh.data / where.removeprefix("/")).read_bytes() == body[:at]
    assert patch(fresh, where, at, body[at:]).status_code == 204
    fresh.project("killed")
    assert ask(fresh, "killed", {"upload": where.rpartition("/")[2]}).status_code == 201


def test_what_is_unfinished_expires(tmp_path: Path) -> None:
    with inside.context(tmp_path) as ctx:
        made = uploads.create(ctx, OPERATOR, NewUpload(5, ""))
        ctx.now = lambda: clock.now() + timedelta(hours=23)
        uploads.forget_expired(ctx)
        assert uploads.find(ctx, OPERATOR, made.id).length == 5
        with uploads.Appending(ctx, made, 0) as appending:
            appending.write([b"hel"])
            appending.finish()
        ctx.now = lambda: clock.now() + timedelta(hours=46)
        uploads.forget_expired(ctx)
        assert uploads.find(ctx, OPERATOR, made.id).id == made.id, "the last piece counts"
        ctx.now = lambda: clock.now() + timedelta(hours=48)
        with pytest.raises(NotFound):
            uploads.find(ctx, OPERATOR, made.id)
        uploads.forget_expired(ctx)
        assert list((tmp_path / "uploads").iterdir()) == []


@pytest.mark.parametrize("checks", [False, True], ids=["plain", "checksums"])
def test_a_client_that_others_wrote_uploads_across_a_break(server: Appliance, checks: bool) -> None:
    name, body = server.project(f"tuspy-{'checks' if checks else 'plain'}"), site(3 << 20)
    relay = Relay(server.port, breaks_after=1_500_000)
    try:
        headers = {"Authorization": f"Bearer {server.key}"}
        client = TusClient(f"http://127.0.0.1:{relay.port}/api/v1/uploads", headers=headers)
        uploader = client.uploader(
            file_stream=io.BytesIO(body), chunk_size=500_000, metadata={"filename": "site.zip"}, upload_checksum=checks
        )
        with suppress(TusUploadFailed, OSError):
            uploader.upload()
        assert relay.broken == 1
        resumed = client.uploader(
            file_stream=io.BytesIO(body), chunk_size=500_000, url=uploader.url, upload_checksum=checks
        )
        assert 0 < resumed.offset < len(body)
        resumed.upload()
    finally:
        relay.close()
    upload = str(uploader.url).rpartition("/")[2]
    done = ask(server, name, {"upload": upload}).json()
    assert done["status"] == "succeeded" and done["bundle"] == hashlib.sha256(body).hexdigest()
