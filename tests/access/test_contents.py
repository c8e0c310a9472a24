"""Contents that others sent are not here for whoever may not see them: asking tells nothing, and they can't be used."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest

from appliance.deploy.arriving import KIND
from tests.access.cast import signed_in_as
from tests.api.test_contract import problem
from tests.appliance import Appliance, zipped

OWN = "/projects/own/environments/production/deployments"
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    with Appliance(tmp_path_factory.mktemp("contents") / "data") as running:
        for name in ("own", "foreign"):
            running.project(name)
        yield running


@pytest.fixture(scope="module")
def outsider(alone: Appliance) -> Iterator[httpx.Client]:
    """May deploy to `own`, by a key that is kept to it, and knows of nothing else."""
    made = alone.ask("POST", "/keys", json={"name": "own", "projects": ["own"]}).json()
    headers = {"Authorization": f"Bearer {made['key']}"}
    with httpx.Client(base_url=f"{alone.url}/api/v1", headers=headers, timeout=30) as client:
        yield client


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def told(files: Mapping[str, bytes]) -> dict[str, Any]:
    return {"files": {path: [sha(content), len(content)] for path, content in files.items()}}


def send(client: httpx.Client, *contents: bytes) -> dict[str, int]:
    batch = b"".join(hashlib.sha256(one).digest() + len(one).to_bytes(8, "big") + one for one in contents)
    answer = client.post("/contents", content=batch, headers={"Content-Type": KIND})
    assert answer.status_code == 201, answer.text
    found: dict[str, int] = answer.json()
    return found


def without_id(answer: httpx.Response) -> dict[str, Any]:
    return {name: value for name, value in answer.json().items() if name not in ("request_id", "instance")}


def test_a_content_of_others_is_asked_for_as_one_that_is_not_here(alone: Appliance, outsider: httpx.Client) -> None:
    secret, never = b"TOKEN=" + os.urandom(8).hex().encode(), b"TOKEN=" + os.urandom(8).hex().encode()
    alone.deploy("foreign", {"index.html": "x", "secret.txt": secret})
    there, missing = outsider.post(OWN, json=told({"a": secret})), outsider.post(OWN, json=told({"a": never}))
    assert there.json()["missing"] == [sha(secret)] and missing.json()["missing"] == [sha(never)]
    assert {**without_id(there), "missing": []} == {**without_id(missing), "missing": []}
    wrong_size = outsider.post(OWN, json={"files": {"a": [sha(secret), 3]}})
    assert wrong_size.status_code == 409 and wrong_size.json()["missing"] == [sha(secret)]
    assert alone.ask("POST", OWN, json={"files": {"a": [sha(secret), 3]}}).status_code == 422


def test_what_one_sends_is_new_whoever_had_it(alone: Appliance, outsider: httpx.Client) -> None:
    theirs, nobodys = os.urandom(20).hex().encode(), os.urandom(20).hex().encode()
    alone.deploy("foreign", {"index.html": theirs})
    assert send(outsider, theirs) == send(outsider, nobodys) == {"kept": 1, "known": 0}
    assert send(outsider, theirs) == send(outsider, nobodys) == {"kept": 0, "known": 1}
    done = outsider.post(f"{OWN}?wait=30", json=told({"index.html": theirs, "b.html": nobodys}))
    assert done.status_code == 201, done.text


def test_what_one_sent_counts_for_oneself_alone(alone: Appliance) -> None:
    content = os.urandom(20).hex().encode()
    with signed_in_as(alone, "none", "a@example.com") as first, signed_in_as(alone, "none", "b@example.com") as second:
        _grant(alone, "a@example.com", "b@example.com")
        send(first, content)
        assert second.post(OWN, json=told({"index.html": content})).status_code == 409
        assert first.post(f"{OWN}?wait=30", json=told({"index.html": content})).status_code == 201
        again = second.post(f"{OWN}?wait=30", json=told({"index.html": content}))
        assert again.status_code == 201, "it is in something that they may see by now"


def test_a_bundle_of_others_can_not_be_deployed_or_read_by_its_name(alone: Appliance, outsider: httpx.Client) -> None:
    bundle = alone.deploy("foreign", {"index.html": os.urandom(8).hex()})["bundle"]
    for method, path, body in (
        ("POST", OWN, {"bundle": "{}"}),
        ("GET", "/bundles/{}", None),
        ("GET", "/bundles/{}/download", None),
    ):
        answers = []
        for name in (bundle, "0" * 64):
            said = {"bundle": name} if body else None
            answer = outsider.request(method, path.format(name), json=said)
            answers.append({**without_id(answer), "detail": answer.json()["detail"].replace(name[:7], "…")})
            problem(answer, 404)
        assert answers[0] == answers[1]


def test_a_release_of_others_is_no_base(alone: Appliance, outsider: httpx.Client) -> None:
    mine, bundle = b"mine", alone.deploy("foreign", {"index.html": os.urandom(8).hex()})["bundle"]
    release = alone.get(f"/bundles/{bundle}")["release"]
    answers = []
    for name in (release, "0" * 64):
        answer = outsider.post(OWN, json={"base": name, **told({"more.html": mine})})
        assert problem(answer, 409)["type"] == "urn:homeport:no_base"
        answers.append({**without_id(answer), "detail": answer.json()["detail"].replace(name[:12], "…")})
    assert answers[0] == answers[1]


def test_the_same_files_lead_to_no_zip_of_others(alone: Appliance, outsider: httpx.Client) -> None:
    """A zip holds more than what is published of it, such as `.env`."""
    page = os.urandom(8).hex()
    theirs = alone.deploy("foreign", {"index.html": page, ".env": "PASSWORD=hunter2"})["bundle"]
    send(outsider, page.encode())
    mine = outsider.post(f"{OWN}?wait=30", json=told({"index.html": page.encode()})).json()["bundle"]
    assert mine != theirs
    assert outsider.get(f"/bundles/{theirs}/download").status_code == 404
    assert b".env" not in outsider.get(f"/bundles/{mine}/download").content


def test_the_same_zip_does_not_tell_who_had_it_first(alone: Appliance, outsider: httpx.Client) -> None:
    body = zipped({"index.html": os.urandom(8).hex()})
    with signed_in_as(alone, "developer", "first@example.com") as first:
        where = "/projects/foreign/environments/production/deployments?wait=30"
        before = first.post(where, files={"bundle": ("payroll.zip", body)}).json()
    mine = outsider.post(f"{OWN}?wait=30", content=body, headers={"Content-Type": "application/zip"}).json()
    shown = outsider.get(f"/bundles/{mine['bundle']}")
    assert shown.status_code == 200 and mine["bundle"] == before["bundle"]
    assert shown.json()["created_at"] == mine["created_at"]
    told_of = shown.text + str(outsider.get(f"/bundles/{mine['bundle']}/download").headers)
    assert "payroll" not in told_of and "first@example.com" not in told_of


def test_an_upload_in_pieces_is_its_senders_alone(alone: Appliance, outsider: httpx.Client) -> None:
    body = zipped({"index.html": os.urandom(8).hex()})
    headers = {
        "Tus-Resumable": "1.0.0",
        "Upload-Length": str(len(body)),
        "Content-Type": "application/offset+octet-stream",
    }
    where = alone.ask("POST", "/uploads", content=body, headers=headers).headers["location"].rpartition("/")[2]
    answers = [outsider.post(OWN, json={"upload": name}) for name in (where, "no-such-upload")]
    assert [one.status_code for one in answers] == [404, 404]
    assert without_id(answers[0]) == without_id(answers[1])


def test_whoever_may_read_every_bundle_sends_nothing_twice(alone: Appliance) -> None:
    page = os.urandom(8).hex()
    alone.deploy("foreign", {"index.html": page})
    assert alone.ask("POST", f"{OWN}?wait=30", json=told({"index.html": page.encode()})).status_code == 201


def _grant(server: Appliance, *people: str) -> None:
    for person in people:
        answer = server.ask("PUT", "/projects/own/grants", json={"person": person, "role": "developer"})
        assert answer.status_code < 300, answer.text
