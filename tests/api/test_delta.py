"""Deploying file by file: what is missing is asked for, liars are caught, and the zip is the same every time."""

import gzip
import io
import json
import os
import random
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest

from tests.appliance import Appliance
from tests.trees import KIND, ask, batch, deploy, download, framed, name_of, send, told

RANDOM = random.Random(11)
PAGE = b"<h1>One</h1>"
SITE = {
    "index.html": PAGE,
    "css/site.css": b"body{}",
    "\u00fc/\U0001f600 #%+.txt": b"odd name",
    "copy.html": PAGE,
    "empty.txt": b"",
}


def unique(text: str) -> bytes:
    return f"{text} {RANDOM.random()}".encode()


def test_what_is_missing_is_asked_for_sent_and_live(server: Appliance) -> None:
    name = server.project("by-file")
    files = {**SITE, "fresh.html": unique("fresh")}
    asked = ask(server, name, {"files": told(files)})
    assert asked.status_code == 409
    problem = asked.json()
    assert problem["type"] == "urn:homeport:contents_missing"
    assert name_of(files["fresh.html"]) in problem["missing"] and problem["more"] == 0
    assert len(problem["missing"]) == len(set(problem["missing"])) <= 5, "the same content is asked for once"
    assert server.get("/deployments?project=by-file")["items"] == [], "nothing was created"

    sent = send(server, batch(content for content in set(files.values())), packed=True)
    assert sent.status_code == 201, sent.text
    assert sent.json()["kept"] >= 1

    done = ask(server, name, {"files": told(files)}).json()
    assert done["status"] == "succeeded" and done["files"] == len(files)
    assert server.visit(name).content == PAGE
    assert server.visit(name, "/%C3%BC/%F0%9F%98%80%20%23%25%2B.txt").content == b"odd name"


def test_the_zip_is_the_same_bytes_every_time_and_its_name_is_their_hash(server: Appliance) -> None:
    name = server.project("zipped-later")
    files = {**SITE, "big.bin": RANDOM.randbytes(5 << 20)}
    done = deploy(server, name, files)
    body = download(server, done["bundle"])
    assert body == download(server, done["bundle"])
    assert name_of(body) == done["bundle"] and len(body) == done["size"]
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert archive.testzip() is None
        assert {one: archive.read(one) for one in archive.namelist()} == files
        assert archive.namelist() == sorted(files, key=str.encode)
    facts = server.get(f"/bundles/{done['bundle']}")
    assert facts["made"] and facts["files"] == len(files) and facts["unpacked"] == sum(map(len, files.values()))

    other = server.project("zipped-again")
    again = server.send(other, body)
    assert again.status_code == 201 and again.json()["bundle"] == done["bundle"]
    assert server.visit(other).content == PAGE


def test_a_folder_that_holds_everything_stays_a_folder(server: Appliance) -> None:
    files = {"docs/index.html": unique("docs"), "docs/a/b.html": b"b"}
    done = deploy(server, server.project("one-folder"), files)
    assert server.visit("one-folder", "/docs/").content == files["docs/index.html"]
    again = server.send(server.project("one-folder-zip"), download(server, done["bundle"]))
    assert again.status_code == 201
    assert server.visit("one-folder-zip", "/docs/a/b.html").content == b"b", "the zip unpacks to the same tree"


def test_the_same_files_are_the_same_bundle(server: Appliance) -> None:
    files = {"index.html": unique("same")}
    first = deploy(server, server.project("same-one"), files)
    second = deploy(server, server.project("same-two"), files)
    assert first["bundle"] == second["bundle"]
    zipped = server.deploy(server.project("same-zip"), {"index.html": "from a zip", "b": "c"})
    third = deploy(server, server.project("same-three"), {"index.html": b"from a zip", "b": b"c"})
    assert third["bundle"] == zipped["bundle"], "a zip of the same files is the bundle of these files"


def test_only_what_differs_from_a_release_is_told(server: Appliance) -> None:
    name = server.project("by-base")
    files = {f"p/{number}.html": unique(str(number)) for number in range(20)}
    base = server.get(f"/bundles/{deploy(server, name, files)['bundle']}")["release"]
    changed = unique("changed")
    send(server, batch([changed]))
    body = {"base": base, "files": told({"p/0.html": changed}), "removed": ["p/1.html", "never/was.html"]}
    done = ask(server, name, body).json()
    assert done["status"] == "succeeded" and done["files"] == 19
    assert server.visit(name, "/p/0.html").content == changed
    assert server.visit(name, "/p/1.html").status_code == 404
    assert server.visit(name, "/p/2.html").content == files["p/2.html"]


def test_a_zip_that_has_just_gone_live_is_a_base(server: Appliance) -> None:
    name = server.project("zip-base")
    pages = {f"{number}.html": unique(str(number)) for number in range(50)}
    base = server.get(f"/bundles/{server.deploy(name, pages)['bundle']}")["release"]
    done = ask(server, name, {"base": base, "files": {}, "removed": ["0.html"]})
    assert done.status_code == 201, done.text
    assert done.json()["files"] == 49


def test_a_base_that_is_gone_is_said_so_that_all_is_sent(server: Appliance) -> None:
    answer = ask(server, server.project("no-base"), {"base": "0" * 64, "files": {}})
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:homeport:no_base"


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("../evil.html", "outside"),
        ("/etc/passwd", "outside"),
        ("c:evil.html", "outside"),
        ("a\\b.html", "outside"),
        ("a\0b", "outside"),
        ("a//b.html", "name"),
        ("a/", "name"),
        ("", "name"),
        ("a\nb", "name"),
        ("x" * 300, "name"),
    ],
)
def test_paths_are_judged_as_those_of_a_zip(server: Appliance, path: str, code: str) -> None:
    send(server, batch([PAGE]))
    server.ask("POST", "/projects", json={"name": "judged"})
    answer = ask(server, "judged", {"files": told({"index.html": PAGE, path: PAGE})})
    assert answer.status_code == 422
    assert answer.json()["type"] == f"urn:homeport:{code}"
    assert server.get("/deployments?project=judged")["items"] == []


def test_two_files_on_one_path_are_refused(server: Appliance) -> None:
    server.project("one-path")
    for files in ({"./a.html": PAGE, "a.html": PAGE}, {"a": PAGE, "a/b.html": PAGE}):
        answer = ask(server, "one-path", {"files": told(files)})
        assert (answer.status_code, answer.json()["type"]) == (422, "urn:homeport:twice")
    path = "/projects/one-path/environments/production/deployments"
    entry = json.dumps(told({"a": PAGE})["a"])
    body = f'{{"files": {{"a": {entry}, "a": {entry}}}}}'
    answer = server.ask("POST", path, content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:homeport:twice")


def test_what_is_never_published_is_left_out_unasked(server: Appliance) -> None:
    name = server.project("left-out")
    secret = unique("secret")
    send(server, batch([PAGE]))
    done = ask(server, name, {"files": told({"index.html": PAGE, ".env": secret, ".git/config": secret})}).json()
    assert done["status"] == "succeeded" and done["files"] == 1
    assert "Left out .env" in server.log(done["id"]) and "Left out .git/" in server.log(done["id"])


@pytest.mark.parametrize(
    "files",
    [
        [],
        "all",
        {"a": 1},
        {"a": ["0" * 63, 1]},
        {"a": ["G" * 64, 1]},
        {"a": ["0" * 64, -1]},
        {"a": ["0" * 64, True]},
        {"a": ["0" * 64, 1.0]},
        {"a": ["0" * 64]},
        {"a": {"sha256": "0" * 64}},
        {"a": {"sha256": "0" * 64, "size": 1, "what": 1}},
        {"a": {"sha256": "0" * 64, "size": 1, "mode": 0o120777}},
    ],
)
def test_what_is_no_list_of_files_is_said_so(server: Appliance, files: Any) -> None:
    server.ask("POST", "/projects", json={"name": "no-list"})
    answer = ask(server, "no-list", {"files": files})
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == ["files"]


def test_nothing_at_all_is_no_site(server: Appliance) -> None:
    answer = ask(server, server.project("nothing"), {"files": {}})
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:homeport:empty")


def test_a_size_that_is_a_lie_is_refused_by_the_name_of_the_file(server: Appliance) -> None:
    content = unique("ten")
    send(server, batch([content]))
    answer = ask(server, server.project("liar"), {"files": {"index.html": [name_of(content), 5]}})
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:homeport:size")
    assert answer.json()["entry"] == "index.html"


@pytest.mark.parametrize("size", [10, 3 << 20])
def test_a_content_that_is_not_its_name_is_refused_by_name_and_nothing_of_it_is_kept(
    server: Appliance, size: int
) -> None:
    good, evil = RANDOM.randbytes(size), RANDOM.randbytes(size)
    claimed = name_of(RANDOM.randbytes(size))
    answer = send(server, framed(good) + framed(evil, claimed) + framed(b"later"))
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:homeport:content")
    assert claimed in answer.json()["detail"]
    assert [one for one in (name_of(good), name_of(evil), claimed) if one in on_the_shelf(server)] == [name_of(good)]
    assert list((server.data / "incoming").iterdir()) == []


@pytest.mark.parametrize("cut", [1, 39, 40, 41, 1 << 20, (3 << 20) + 50])
def test_a_batch_that_ends_too_early_leaves_only_what_was_whole(server: Appliance, cut: int) -> None:
    first, second = RANDOM.randbytes(5), RANDOM.randbytes(3 << 20)
    body = batch([first, second, b"third"])
    answer = send(server, body[: 45 + cut])
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:homeport:cut_off")
    kept = {name_of(first)} | ({name_of(second)} if cut > len(second) + 40 else set())
    assert on_the_shelf(server) & {name_of(first), name_of(second)} == kept
    assert list((server.data / "incoming").iterdir()) == []


def test_gzip_is_held_to_its_word(server: Appliance) -> None:
    packed = gzip.compress(batch([unique("packed")]))
    headers = {"Content-Type": KIND, "Content-Encoding": "gzip"}
    for body in (b"no gzip", packed[:-9], packed + b"more"):
        answer = server.ask("POST", "/contents", content=body, headers=headers)
        assert answer.status_code == 400, answer.text
    assert (
        server.ask("POST", "/contents", content=packed, headers={**headers, "Content-Encoding": "br"}).status_code
        == 415
    )
    assert server.ask("POST", "/contents", content=b"x").status_code == 415


def test_limits_of_an_upload_hold_for_contents(tmp_path: Path) -> None:
    with Appliance(tmp_path / "data", HOMEPORT_UPLOAD_MAX="1M") as small:
        huge = bytes.fromhex("0" * 64) + (1 << 62).to_bytes(8)
        assert send(small, huge).status_code == 413
        bomb = send(small, batch([bytes(800_000), bytes(700_000)]), packed=True)
        assert bomb.status_code == 413, "counted as it unpacks, not as it is packed"
        assert on_the_shelf(small) == {name_of(bytes(800_000))}


def test_a_list_of_files_may_be_gzip_but_not_a_bomb(tmp_path: Path) -> None:
    with Appliance(tmp_path / "data", HOMEPORT_BUNDLE_MAX_FILES="100") as small:
        small.project("packed")
        send(small, batch([PAGE]))
        path = "/projects/packed/environments/production/deployments?wait=30"
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        body = gzip.compress(json.dumps({"files": told({"index.html": PAGE})}).encode())
        assert small.ask("POST", path, content=body, headers=headers).status_code == 201
        bomb = gzip.compress(b'{"files": {' + b" " * (64 << 20))
        assert small.ask("POST", path, content=bomb, headers=headers).status_code == 413
        assert small.ask("POST", path, content=body[:-4], headers=headers).status_code == 400
        many = {f"{number}.html": PAGE for number in range(101)}
        assert ask(small, "packed", {"files": told(many)}).json()["type"] == "urn:homeport:too_many_files"


def test_contents_that_vanish_between_asking_and_deploying_are_asked_for_again(fresh: Appliance) -> None:
    name = fresh.project("vanished")
    content = unique("gone")
    send(fresh, batch([content]))
    (fresh.data / "files" / name_of(content)[:2] / name_of(content)).unlink()
    answer = ask(fresh, name, {"files": told({"index.html": content})})
    assert (answer.status_code, answer.json()["missing"]) == (409, [name_of(content)])
    assert list((fresh.data / "bundles").glob("??/*")) == []


def test_a_damaged_content_is_asked_for_again(fresh: Appliance) -> None:
    name, content = fresh.project("damaged"), unique("whole")
    send(fresh, batch([content]))
    place = fresh.data / "files" / name_of(content)[:2] / name_of(content)
    os.chmod(place, 0o600)
    place.write_bytes(b"")
    assert ask(fresh, name, {"files": told({"index.html": content})}).json()["missing"] == [name_of(content)]
    deploy(fresh, name, {"index.html": content})
    assert fresh.visit(name).content == content


def test_a_refused_deployment_leaves_no_bundle_behind(fresh: Appliance) -> None:
    name, content = fresh.project("cold"), unique("cold")
    send(fresh, batch([content]))
    frozen = fresh.ask("POST", f"/projects/{name}/environments/production/freeze", json={"message": "sale"})
    assert frozen.status_code == 200, frozen.text
    for once in ("", "key"):
        answer = ask(fresh, name, {"files": told({"index.html": content})}, once=once)
        assert (answer.status_code, answer.json()["type"]) == (409, "urn:homeport:frozen")
    unsent = ask(fresh, name, {"files": told({"index.html": b"not sent yet"})})
    assert unsent.json()["type"] == "urn:homeport:frozen", "said before anything is sent in vain"
    assert list((fresh.data / "bundles").glob("??/*")) == []


def test_an_idempotency_key_gives_the_same_deployment(server: Appliance) -> None:
    name, files = server.project("once-by-file"), {"index.html": unique("once")}
    send(server, batch(files.values()))
    answers = [ask(server, name, {"files": told(files)}, once="k1").json() for _ in range(2)]
    assert answers[0]["id"] == answers[1]["id"]


def test_a_bundle_made_of_files_can_be_deployed_after_a_restart(fresh: Appliance) -> None:
    files = {"index.html": unique("kept"), "a/b.txt": b"b"}
    done = deploy(fresh, fresh.project("kept"), files)
    body = download(fresh, done["bundle"])
    fresh.kill()
    fresh.start()
    assert download(fresh, done["bundle"]) == body
    fresh.project("kept-two")
    again = ask(fresh, "kept-two", {"bundle": done["bundle"]})
    assert again.status_code == 201, again.text
    assert fresh.visit("kept-two").content == files["index.html"]


def test_memory_stays_flat_under_large_contents(fresh: Appliance) -> None:
    large = [RANDOM.randbytes(8 << 20) * 8 for _ in range(3)]
    send(fresh, batch([b"warm"]))
    before = fresh.memory

    def flow() -> Any:
        packer = zlib.compressobj(1, wbits=31)
        for content in large:
            frame = framed(content)
            for at in range(0, len(frame), 1 << 20):
                yield packer.compress(frame[at : at + (1 << 20)])
        yield packer.flush()

    headers = {"Content-Type": KIND, "Content-Encoding": "gzip"}
    answer = fresh.ask("POST", "/contents", content=flow(), headers=headers)
    assert answer.status_code == 201, answer.text
    deploy(fresh, fresh.project("large"), {str(at): content for at, content in enumerate(large)})
    assert fresh.memory - before < 40 << 20


def on_the_shelf(server: Appliance) -> set[str]:
    return {path.name for path in (server.data / "files").glob("??/*")}
