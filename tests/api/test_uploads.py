"""How a zip may arrive, and what stays when it doesn't."""

import hashlib
import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.api.test_contract import problem
from tests.appliance import Appliance, zipped

BOUNDARY = "----a1b2c3"
FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
ZIP = {"Content-Type": "application/zip"}


@pytest.fixture(scope="module")
def project(server: Appliance) -> str:
    return server.project("uploads")


@pytest.fixture
def path(project: str) -> str:
    return f"/projects/{project}/environments/production/deployments?wait=30"


@pytest.fixture
def nothing_stays(server: Appliance, project: str) -> Iterator[None]:
    """Whatever the test sends leaves no deployment, no bundle and no file."""
    before = kept(server, project)
    yield
    assert kept(server, project) == before


def kept(server: Appliance, project: str) -> tuple[object, ...]:
    deployments = [one["id"] for one in server.get(f"/deployments?project={project}&limit=200")["items"]]
    files = sorted(str(one) for name in ("bundles", "releases") for one in (server.data / name).rglob("*.zip"))
    return deployments, files, sorted(os.listdir(server.data / "incoming"))


def part(name: str, content: bytes, filename: str | None = None, *more: str) -> bytes:
    file = f'; filename="{filename}"' if filename is not None else ""
    head = [f'Content-Disposition: form-data; name="{name}"{file}', *more]
    return f"--{BOUNDARY}\r\n".encode() + "\r\n".join(head).encode() + b"\r\n\r\n" + content + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()


@pytest.mark.parametrize("kind", ["application/zip", "application/octet-stream", "application/x-zip-compressed", None])
def test_a_zip_as_the_body(server: Appliance, path: str, kind: str | None) -> None:
    body = zipped({"index.html": str(kind)})
    answer = server.ask("POST", path, content=body, headers={"Content-Type": kind} if kind else {})
    assert answer.status_code == 201, answer.text
    assert server.visit("uploads").text == str(kind)


def test_a_body_of_unknown_length(server: Appliance, path: str) -> None:
    body = zipped({"index.html": "in pieces", "more.bin": os.urandom(3_000_000)})
    pieces = (body[at : at + 70_001] for at in range(0, len(body), 70_001))
    answer = server.ask("POST", path, content=pieces, headers=ZIP)
    assert answer.status_code == 201, answer.text
    assert answer.json()["bundle"] == hashlib.sha256(body).hexdigest()


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('attachment; filename="my site.zip"', "my site.zip"),
        ("attachment; filename*=UTF-8''%C3%BCber%20site.zip", "über site.zip"),
        ('attachment; filename="C:\\\\sites\\\\old.zip"', "old.zip"),
        ('attachment; filename="/etc/passwd"', "passwd"),
        ("attachment; filename*=UTF-8''a%0Aforged%20line.zip", "a forged line.zip"),
    ],
)
def test_the_name_of_the_file_is_kept(server: Appliance, path: str, disposition: str, name: str) -> None:
    body = zipped({"index.html": disposition})
    answer = server.ask("POST", path, content=body, headers={**ZIP, "Content-Disposition": disposition})
    assert answer.status_code == 201, answer.text
    assert server.get(f"/bundles/{answer.json()['bundle']}")["filename"] == name
    assert f"Received {name}: " in server.log(answer.json()["id"])


def test_the_file_of_a_form_wherever_it_stands(server: Appliance, path: str) -> None:
    body = zipped({"index.html": "by form"})
    answer = server.ask("POST", path, content=part("bundle", body, "by form.zip") + END, headers=FORM)
    assert answer.status_code == 201, answer.text
    for fields in (
        (part("note", b"x"), part("bundle", body, "a.zip")),
        (part("bundle", body, "a.zip"), part("note", b"x")),
    ):
        problem(server.ask("POST", path, content=b"".join(fields) + END, headers=FORM), 422, note="no such field")


ZIPPED = zipped({"index.html": "in a form"})
FORMS: dict[str, tuple[bytes, dict[str, str], int, str]] = {
    "no file": (part("note", b"x") + END, FORM, 422, "bundle"),
    "not a file": (part("bundle", ZIPPED) + END, FORM, 422, "bundle"),
    "nothing": (END, FORM, 422, "bundle"),
    "another field": (part("file", ZIPPED, "a.zip") + END, FORM, 422, "file"),
    "two files": (part("bundle", ZIPPED, "a.zip") + part("bundle", ZIPPED, "b.zip") + END, FORM, 422, "bundle"),
    "no boundary": (part("bundle", ZIPPED, "a.zip") + END, {"Content-Type": "multipart/form-data"}, 400, ""),
    "another boundary": (
        part("bundle", ZIPPED, "a.zip") + END,
        {"Content-Type": "multipart/form-data; boundary=other"},
        400,
        "",
    ),
    "no end": (part("bundle", ZIPPED, "a.zip"), FORM, 400, ""),
    "cut off": (part("bundle", ZIPPED, "a.zip")[:-20], FORM, 400, ""),
    "no form": (b"hello", FORM, 400, ""),
    "a large field": (part("note", bytes(70_000)) + part("bundle", ZIPPED, "a.zip") + END, FORM, 413, ""),
    "a large header": (part("bundle", ZIPPED, "a" * 20_000) + END, FORM, 400, ""),
    "many fields": (b"".join(part(f"f{n}", b"x" * 1000) for n in range(500)) + END, FORM, 413, ""),
    "empty file": (part("bundle", b"", "a.zip") + END, FORM, 422, ""),
}


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.usefixtures("nothing_stays")
def test_a_form_that_is_not_right(server: Appliance, path: str, name: str) -> None:
    body, headers, status, field = FORMS[name]
    said = problem(server.ask("POST", path, content=body, headers=headers), status)
    assert list(said["errors"]) == ([field] if field else [])


@pytest.mark.usefixtures("nothing_stays")
@pytest.mark.parametrize(
    "body",
    [b"", b"no zip at all", b"PK\x03\x04 cut off", zipped({}), zipped({"index.html": "x" * 99})[:60]],
    ids=["nothing", "text", "a beginning", "an empty zip", "half a zip"],
)
def test_what_is_no_bundle_leaves_nothing(server: Appliance, path: str, body: bytes) -> None:
    said = problem(server.ask("POST", path, content=body, headers=ZIP), 422)
    assert said["title"] == "The bundle was not taken"


@pytest.mark.usefixtures("nothing_stays")
def test_a_refusal_names_the_entry(server: Appliance, path: str) -> None:
    body = zipped({"index.html": "x", "../../etc/cron.d/x": "* * * * * root id"})
    assert problem(server.ask("POST", path, content=body, headers=ZIP), 422)["entry"] == "../../etc/cron.d/x"


@pytest.mark.usefixtures("nothing_stays")
@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "text/html; charset=utf-8", "zip"])
def test_a_body_of_another_kind_is_refused(server: Appliance, path: str, kind: str) -> None:
    said = problem(server.ask("POST", path, content=ZIPPED, headers={"Content-Type": kind}), 415)
    assert "application/zip" in said["todo"][0]


def test_a_bundle_that_is_here_by_its_hash(server: Appliance, path: str) -> None:
    first = server.ask("POST", path, content=zipped({"index.html": "by hash"}), headers=ZIP).json()
    again = server.ask("POST", path, json={"bundle": first["bundle"]})
    assert again.status_code == 201 and again.json()["number"] == first["number"] + 1
    assert problem(server.ask("POST", path, json={"bundle": "0" * 64}), 404)["type"] == "urn:homeport:no_bundle"
    problem(server.ask("POST", path, json={"bundle": "short"}), 422, bundle="64 hex digits")
    problem(server.ask("POST", path, json={}), 422, bundle="SHA-256")


def test_the_place_is_looked_for_before_the_body_is_taken(server: Appliance) -> None:
    for where in ("/projects/uploads/environments/no-such", "/projects/no-such/environments/production"):
        problem(server.ask("POST", f"{where}/deployments", content=ZIPPED, headers=ZIP), 404)


def test_a_file_that_breaks_its_promise_is_a_failed_deployment_that_keeps_no_bundle(
    server: Appliance, path: str
) -> None:
    body = bytearray(zipped({"index.html": "the content of the page"}, compresslevel=0))
    at = body.index(b"content")
    body[at : at + 7] = b"CONTENT"
    answer = server.ask("POST", path, content=bytes(body), headers=ZIP)
    said = problem(answer, 422)
    assert said["deployment"]["status"] == "failed" and "index.html" in said["detail"]
    assert said["deployment"]["error"]["detail"] == said["detail"]
    problem(server.ask("GET", f"/bundles/{hashlib.sha256(body).hexdigest()}"), 404)
    assert not list((server.data / "bundles").rglob(f"{said['deployment']['bundle']}*"))


def until(true: Callable[[], bool]) -> None:
    """What another process will do in a moment."""
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def head_of(server: Appliance, path: str, *lines: str) -> bytes:
    said = (f"POST /api/v1{path} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {server.key}", *lines)
    return "".join(f"{line}\r\n" for line in said).encode() + b"\r\n"


@pytest.mark.usefixtures("nothing_stays")
@pytest.mark.parametrize(
    ("lines", "start"),
    [
        (("Content-Type: application/zip", "Content-Length: 5000000"), b""),
        (("Content-Type: application/zip", "Transfer-Encoding: chunked"), b"1e8480\r\n"),
        ((f"Content-Type: {FORM['Content-Type']}", "Content-Length: 5000000"), part("bundle", b"", "a.zip")[:-2]),
    ],
    ids=["raw", "chunked", "form"],
)
def test_an_upload_cut_off_half_way_leaves_nothing(
    server: Appliance, path: str, lines: tuple[str, ...], start: bytes
) -> None:
    incoming = server.data / "incoming"
    with socket.create_connection(("127.0.0.1", server.port)) as line:
        line.sendall(head_of(server, path, *lines) + start + bytes(1_500_000))
        until(lambda: any(one.stat().st_size > 0 for one in incoming.iterdir()))
    until(lambda: not list(incoming.iterdir()))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    """One that takes uploads of up to 2 MiB."""
    with Appliance(tmp_path_factory.mktemp("small") / "data", HOMEPORT_UPLOAD_MAX="2M") as running:
        running.project("small")
        yield running


SMALL = "/projects/small/environments/production/deployments"


def test_too_large_is_said_before_the_body_is_read(small: Appliance) -> None:
    head = head_of(small, SMALL, "Content-Type: application/zip", "Content-Length: 3000000000")
    with socket.create_connection(("127.0.0.1", small.port), timeout=10) as line:
        line.sendall(head)
        assert line.recv(65536).startswith(b"HTTP/1.1 413 ")
    assert not list((small.data / "incoming").iterdir())


def test_expect_100_continue_is_answered_with_the_refusal(small: Appliance) -> None:
    lines = ("Content-Type: application/zip", "Content-Length: 3000000000", "Expect: 100-continue")
    with socket.create_connection(("127.0.0.1", small.port), timeout=10) as line:
        line.sendall(head_of(small, SMALL, *lines))
        assert line.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_too_large_is_noticed_while_it_streams(small: Appliance) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(128):
            yield bytes(1 << 16)

    answer = small.ask("POST", SMALL, content=pieces(), headers=ZIP)
    assert problem(answer, 413)["detail"] == "The upload is larger than 2 MiB, the most that this host takes."
    until(lambda: not list((small.data / "incoming").iterdir()))


def test_one_that_just_fits_is_taken(small: Appliance) -> None:
    body = zipped({"index.html": "x", "fill.bin": os.urandom((2 << 20) - 1000)}, compresslevel=0)
    assert (2 << 20) - 1000 < len(body) <= 2 << 20
    assert small.send("small", body).status_code == 201
    files = {"bundle": ("a.zip", body, "application/zip")}
    assert small.ask("POST", f"{SMALL}?wait=30", files=files).status_code == 201


def test_a_form_may_not_smuggle_more_than_an_upload(small: Appliance) -> None:
    def pieces() -> Iterator[bytes]:
        for number in range(4000):
            yield part(f"field{number}", bytes(6_000))

    before = small.memory
    problem(small.ask("POST", SMALL, content=pieces(), headers=FORM), 413)
    assert small.memory - before < 24 << 20


@pytest.mark.slow
def test_memory_does_not_grow_with_an_upload(small: Appliance, tmp_path: Path) -> None:
    """300 MB here; the whole 2 GiB is for the built file."""
    with Appliance(tmp_path / "data") as roomy:
        roomy.project("small")
        before = roomy.memory
        most = before

        def pieces() -> Iterator[bytes]:
            nonlocal most
            yield b"PK\x03\x04"
            for number in range(300):
                if number % 20 == 0:
                    most = max(most, roomy.memory)
                yield os.urandom(1 << 16) * 16

        problem(roomy.ask("POST", SMALL, content=pieces(), headers=ZIP), 422)
        assert max(most, roomy.memory) - before < 32 << 20


READ_BY_NGINX = {"files", "releases", "sites", "earlier", "nginx", "challenges"}


def test_no_file_holds_a_secret_that_others_can_read(tmp_path: Path) -> None:
    """Whatever the umask of whoever starts it."""
    before = os.umask(0)
    try:
        with Appliance(tmp_path / "data") as running:
            running.project("open")
            running.deploy("open", {"index.html": "x"})
            open_to_others = [
                str(one.relative_to(running.data))
                for one in running.data.rglob("*")
                if one.relative_to(running.data).parts[0] not in READ_BY_NGINX
                and not one.is_symlink()
                and one.stat().st_mode & 0o077
            ]
            assert open_to_others == []
            assert running.data.stat().st_mode & 0o022 == 0
    finally:
        os.umask(before)
