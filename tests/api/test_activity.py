"""Activity by the API: who may see which of it, narrowed, as a file, verified; and who was turned away."""

import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from appliance.access import setup
from appliance.access.actor import OPERATOR
from appliance.access.record import record
from appliance.context import Context
from appliance.model.grants import Grant
from appliance.model.people import NewPerson
from appliance.projects.find import find_project
from appliance.store import grants, people
from tests import inside
from tests.appliance import ROOT, Appliance

WORD = "another long password"


@pytest.fixture(scope="module")
def ctx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Context]:
    with inside.context(tmp_path_factory.mktemp("activity") / "data") as ctx, inside.listening(ctx):
        setup.add_person(ctx, OPERATOR, NewPerson.parse({"email": "owner@example.com", "password": WORD}))
        setup.add_person(
            ctx, OPERATOR, NewPerson.parse({"email": "none@example.com", "password": WORD, "role": "none"})
        )
        for name in ("seen", "hidden"):
            inside.project(ctx, name)
        mine = find_project(ctx, "seen")
        with ctx.write() as db:
            found = people.find_by_email(db, "none@example.com")
            assert found
            grants.put(
                db,
                Grant(
                    uuid.uuid4().hex, None, None, found[0].id, None, "seen", None, mine.id, None, "viewer", "", "owner"
                ),
            )
        yield ctx


@pytest.fixture(scope="module")
def owner(ctx: Context) -> Iterator[httpx.Client]:
    yield from signed_in(ctx, "owner@example.com")


@pytest.fixture(scope="module")
def guest(ctx: Context) -> Iterator[httpx.Client]:
    """With a role that may nothing, and one project to look at."""
    yield from signed_in(ctx, "none@example.com")


def signed_in(ctx: Context, email: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{ctx.base.port}/api/v1", timeout=30) as client:
        answer = client.post("/login", json={"email": email, "password": WORD})
        client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        yield client


def items(client: httpx.Client, **asked: str | int) -> list[dict[str, Any]]:
    answer = client.get("/activity", params={"limit": 200, **asked})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def lines(client: httpx.Client, **asked: str) -> list[dict[str, Any]]:
    answer = client.get("/activity/export", params=asked)
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


def test_whoever_sees_one_project_sees_its_entries_alone(owner: httpx.Client, guest: httpx.Client) -> None:
    for found in (items(guest), lines(guest)):
        assert found and {one["project"] for one in found} == {"seen"}
    assert items(guest, project="hidden") == lines(guest, project="hidden") == []
    assert {"seen", "hidden"} <= {one["project"] for one in items(owner)}
    assert guest.get("/activity/verify").status_code == 403


def test_the_page_shows_and_offers_no_more_than_that(ctx: Context, owner: httpx.Client, guest: httpx.Client) -> None:
    page = f"http://127.0.0.1:{ctx.base.port}/activity"
    words = (">hidden<", "hidden production", "/projects/hidden", "owner@example.com", "/activity/verify")
    mine, all_of_it = guest.get(page).text, owner.get(page).text
    assert ">seen<" in mine and [word for word in words if word in mine] == []
    assert [word for word in words[3:] if word not in all_of_it] == [] and ">hidden<" in all_of_it
    narrowed = guest.get(f"{page}?project=hidden&q=hidden").text
    assert [word for word in words if word in narrowed] == []
    assert guest.get(f"{page}/verify").status_code == 403
    assert "Each is as it was written" in owner.get(f"{page}/verify").text
    assert "Nothing fits" in owner.get(f"{page}?until=2020-01-01").text
    assert owner.get(f"{page}?since=rubbish&until=%00").status_code == 200


def test_another_project_of_the_name_shows_nothing_of_the_one_before(
    ctx: Context, owner: httpx.Client, guest: httpx.Client
) -> None:
    owner.patch("/projects/hidden", json={"name": "moved"})
    assert owner.patch("/projects/seen", json={"name": "hidden"}).status_code == 200
    found = items(guest)
    assert {one["verb"] for one in found if one["project"] == "hidden"} == {"project.rename"}
    owner.patch("/projects/hidden", json={"name": "seen"})
    owner.patch("/projects/moved", json={"name": "hidden"})


def test_being_turned_away_from_a_change_is_on_record(ctx: Context, owner: httpx.Client, guest: httpx.Client) -> None:
    assert guest.delete("/projects/seen").status_code == 403
    assert guest.delete("/projects/hidden").status_code == 404
    assert guest.post("/projects/hidden/environments/production/freeze", json={"message": "x"}).status_code == 404
    assert guest.delete("/projects/nowhere").status_code == 404
    assert guest.get("/projects/hidden").status_code == 404
    found = items(owner, verb="access.refused", person="none@example.com")
    assert [(one["subject"], one["data"]["permission"], one["project"]) for one in found] == [
        ("POST /api/v1/projects/hidden/environments/production/freeze", "environments.freeze", "hidden"),
        ("DELETE /api/v1/projects/hidden", "projects.delete", "hidden"),
        ("DELETE /api/v1/projects/seen", "projects.delete", "seen"),
    ]


def test_a_flood_of_refusals_is_counted_not_written(owner: httpx.Client, guest: httpx.Client) -> None:
    for _ in range(30):
        guest.delete("/projects/seen")
    assert len(items(owner, verb="access.refused")) <= 11


def test_a_failed_sign_in_is_on_record_but_not_what_was_typed(ctx: Context, owner: httpx.Client) -> None:
    for email in ("owner@example.com", "my secret password"):
        owner.post("/login", json={"email": email, "password": "wrong wrong wrong"})
    found = items(owner, verb="session.failed")
    assert [one["subject"] for one in found] == ["somebody who is not known here", "owner@example.com"]
    assert found[0]["ip"] == "127.0.0.1" and "my secret" not in json.dumps(found)


def test_with_which_key_and_whose(owner: httpx.Client, ctx: Context) -> None:
    made = owner.post("/keys", json={"name": "robot"}).json()
    headers = {"Authorization": f"Bearer {made['key']}"}
    assert owner.post("/projects", json={"name": "by-key"}, headers=headers).status_code == 201
    (one,) = items(owner, key=made["id"], verb="project.create")
    assert (one["actor"], one["actor_kind"], one["person"]) == ("robot key", "key", "owner@example.com")
    assert items(owner, key="robot key", verb="project.create") == [one]
    assert one in items(owner, person="owner@example.com")


def test_narrowed_by_verb_time_and_text(ctx: Context, owner: httpx.Client) -> None:
    everything = items(owner)
    assert items(owner, verb="project") == [one for one in everything if one["verb"].startswith("project.")]
    assert items(owner, verb="proj") == []
    middle = everything[len(everything) // 2]["at"]
    assert items(owner, since=middle) == [one for one in everything if one["at"] >= middle]
    assert items(owner, until=middle) == [one for one in everything if one["at"] < middle]
    assert items(owner, until=middle[:10]) == everything and items(owner, until="2020-01-01") == []
    assert (
        items(owner, q="hidden", environment="production")
        == [one for one in everything if one["environment"] == "production" and "hidden" in json.dumps(one)][
            : len(items(owner, q="hidden", environment="production"))
        ]
    )
    wrong = owner.get("/activity", params={"since": "yesterday"})
    assert wrong.status_code == 422 and "since" in wrong.json()["errors"]


def test_what_is_exported_is_what_is_listed(ctx: Context, owner: httpx.Client) -> None:
    for number in range(2500):
        with ctx.db.write(lasting=False) as db:
            record(ctx, db, OPERATOR, "releases.cleanup", f"many-{number}")
    found = lines(owner, verb="releases.cleanup")
    assert [one["subject"] for one in found] == [f"many-{number}" for number in range(2500)]
    assert found[-1] == items(owner)[0]


def test_it_is_verified(ctx: Context, owner: httpx.Client) -> None:
    found = owner.get("/activity/verify").json()
    assert found["whole"] and found["flaws"] == [] and found["hash"] == items(owner)[0]["hash"]


def test_a_secret_never_gets_into_it(ctx: Context, owner: httpx.Client) -> None:
    secret = "S3NT1NEL-0123456789-abcdef"
    assert owner.patch("/settings", json={"cloudflare_token": secret}).status_code == 200
    with ctx.write() as db:
        record(ctx, db, OPERATOR, "releases.cleanup", f"said {secret}", why=f"because of {secret}")
    assert secret not in json.dumps(items(owner)[:5])
    assert items(owner, verb="settings.change")[0]["data"]["now"].startswith("(secret")


def test_on_the_host_the_command_says_which_entry_and_fails(fresh: Appliance) -> None:
    from tests.access.test_chain import meddle_at

    ran = verify(fresh)
    assert ran.returncode == 0 and "Each is as it was written" in ran.stdout
    meddle_at(fresh.data / "homeport.db", "UPDATE activity SET actor = 'nobody' WHERE id = 2")
    ran = verify(fresh)
    assert ran.returncode == 1 and "edited" in ran.stdout and "#2:" in ran.stdout
    assert fresh.get("/activity/verify")["flaws"][0]["first"] == 2


def verify(at: Appliance) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "appliance", "activity", "verify", "--data", str(at.data)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
