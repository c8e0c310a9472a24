"""Deploying file by file, as a client would that was written from the docs alone."""

import gzip
import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import httpx

from tests.appliance import Appliance

KIND = "application/vnd.homeport.contents"
Tree = Mapping[str, bytes]


def name_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def told(files: Tree) -> dict[str, list[str | int]]:
    return {path: [name_of(content), len(content)] for path, content in files.items()}


def framed(content: bytes, name: str | None = None) -> bytes:
    return bytes.fromhex(name or name_of(content)) + len(content).to_bytes(8) + content


def batch(contents: Iterable[bytes]) -> bytes:
    return b"".join(map(framed, contents))


def send(server: Appliance, body: bytes, *, packed: bool = False, **headers: str) -> httpx.Response:
    given = {"Content-Type": KIND, **({"Content-Encoding": "gzip"} if packed else {}), **headers}
    return server.ask("POST", "/contents", content=gzip.compress(body) if packed else body, headers=given)


def ask(server: Appliance, project: str, body: Any, *, wait: int | None = 30, once: str = "") -> httpx.Response:
    headers = {"Idempotency-Key": once} if once else {}
    query = f"?wait={wait}" if wait is not None else ""
    path = f"/projects/{project}/environments/production/deployments{query}"
    return server.ask("POST", path, json=body, headers=headers)


def deploy(server: Appliance, project: str, files: Tree, **more: Any) -> Any:
    """Ask, send what is missing, ask again, and see it live."""
    body = {"files": told(files), **more}
    asked = ask(server, project, body)
    if asked.status_code == 409:
        by_name = {name_of(content): content for content in files.values()}
        sent = send(server, batch(by_name[one] for one in asked.json()["missing"]))
        assert sent.status_code == 201, sent.text
        asked = ask(server, project, body)
    assert asked.status_code == 201, asked.text
    return asked.json()


def download(server: Appliance, sha256: str) -> bytes:
    answer = server.ask("GET", f"/bundles/{sha256}/download")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-length"] == str(len(answer.content))
    return answer.content
