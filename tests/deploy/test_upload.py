"""Uploads: large ones, ones that are cut off, and what they cost."""

import http.client
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from appliance.machine.served import until
from tests.appliance import Appliance, zipped

MB = 1 << 20


@contextmanager
def raw(server: Appliance, *headers: str) -> Iterator[socket.socket]:
    """A connection on which a deployment has begun to be sent."""
    head = (
        "POST /api/v1/projects/{0}/environments/production/deployments HTTP/1.1",
        f"Host: 127.0.0.1:{server.port}",
        f"Authorization: Bearer {server.key}",
        "Content-Type: application/zip",
        *headers,
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall("\r\n".join(head).format("cut").encode() + b"\r\n\r\n")
        yield connection


def answer_on(connection: socket.socket) -> tuple[int, str]:
    with closing(http.client.HTTPResponse(connection)) as response:
        response.begin()
        return response.status, response.read().decode()


def incoming(server: Appliance) -> list[str]:
    return [path.name for path in (server.data / "incoming").iterdir()]


def wait_until_empty(server: Appliance) -> bool:
    """The server notices a closed connection by itself."""
    return until(lambda: not incoming(server), 20)


def test_an_upload_cut_off_halfway_leaves_nothing(fresh: Appliance) -> None:
    fresh.project("cut")
    with raw(fresh, f"Content-Length: {50 * MB}") as connection:
        for _ in range(25):
            connection.sendall(bytes(MB))
        assert incoming(fresh)
    assert wait_until_empty(fresh)
    assert fresh.get("/deployments")["items"] == []
    assert list((fresh.data / "bundles").iterdir()) == []


def test_too_large_is_said_before_it_is_sent(tmp_path_factory: pytest.TempPathFactory) -> None:
    with Appliance(tmp_path_factory.mktemp("small") / "data", HOMEPORT_UPLOAD_MAX="1M") as server:
        server.project("cut")
        with raw(server, f"Content-Length: {2 * MB}") as connection:
            status, answer = answer_on(connection)
        assert status == 413 and "larger than 1 MiB" in answer
        with raw(server, "Transfer-Encoding: chunked") as connection:
            chunk = b"%x\r\n%b\r\n" % (MB, bytes(MB))
            connection.sendall(chunk + chunk)
            assert answer_on(connection)[0] == 413
        assert wait_until_empty(server)


@pytest.mark.slow
def test_memory_does_not_grow_with_an_upload(fresh: Appliance) -> None:
    """2 GiB go through; the process stays within 32 MiB of where it was."""
    fresh.project("cut")
    fresh.deploy("cut", {"index.html": "warm"})
    before = fresh.memory
    total, most = 2 * 1024 * MB - MB, before
    piece = bytes(8 * MB)
    with raw(fresh, f"Content-Length: {total}") as connection:
        sent = 0
        while sent < total:
            connection.sendall(piece[: total - sent])
            sent += min(len(piece), total - sent)
            most = max(most, fresh.memory)
        assert answer_on(connection)[0] == 422  # two gigabytes of nothing are no zip
    assert most - before < 32 * MB
    assert wait_until_empty(fresh)


def test_a_bundle_of_many_files_and_a_large_one_come_back_byte_for_byte(fresh: Appliance) -> None:
    fresh.project("cut")
    files: dict[str, str | bytes] = {f"d{n % 10}/{n}.txt": f"{n}" * (n % 50) for n in range(1500)}
    files["large.bin"] = bytes(range(256)) * 40_000
    body = zipped(files)
    assert fresh.send("cut", body).status_code == 201
    for name, content in files.items():
        assert fresh.visit("cut", f"/{name}").content == (content if isinstance(content, bytes) else content.encode())
