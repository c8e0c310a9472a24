"""A second person before a deployment goes live."""

import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from appliance.access import keys
from appliance.access.actor import OPERATOR, Actor
from appliance.access.permissions import powers_of_role
from appliance.access.setup import add_person
from appliance.context import Context
from appliance.deploy import approvals, submit
from appliance.deploy.frozen import freeze, thaw
from appliance.deploy.receive import Incoming
from appliance.deploy.recover import recover
from appliance.errors import Conflict, Forbidden, HomeportError
from appliance.machine import clock
from appliance.model.approvals import ApprovalRule
from appliance.model.deployments import Deployment
from appliance.model.environments import Environment, NewFreeze
from appliance.model.keys import NewKey
from appliance.model.people import NewPerson
from appliance.projects.approval import change_approval
from appliance.projects.find import find_environment
from appliance.store import people
from tests import inside
from tests.access.cast import PASSWORD
from tests.access.cast import add_person as add_beside
from tests.appliance import Appliance, zipped
from tests.servers import eventually
from tests.ui.pages import Parsed, stranger_of

DAY = ApprovalRule()
PLACE = "/projects/seconded/environments/production"


@pytest.fixture
def ctx(tmp_path: Path) -> Iterator[Context]:
    with inside.context(tmp_path / "data") as made, inside.listening(made):
        yield made


def person(ctx: Context, name: str) -> Actor:
    made = add_person(ctx, OPERATOR, NewPerson(f"{name}@example.com", "a long password"))
    return Actor("person", made.email, "owner", made.id, powers=powers_of_role("owner"))


def asking(ctx: Context, rule: ApprovalRule = DAY) -> Environment:
    place = inside.project(ctx, "blog")
    return change_approval(ctx, OPERATOR, place.project, place.name, rule)


def deployed(ctx: Context, actor: Actor, place: Environment, word: str) -> Deployment:
    """Queued, as by a door, for somebody."""
    with Incoming(ctx) as incoming:
        incoming.write([zipped({"index.html": word})])
        return submit.upload(ctx, actor, place, incoming.finish(), filename="site.zip")


def ended(ctx: Context, deployment: Deployment, status: str) -> Deployment:
    eventually(lambda: inside.state(ctx, deployment).over)
    found = inside.state(ctx, deployment)
    assert found.status == status, found.error
    return found


def test_it_waits_until_somebody_else_approves_it(ctx: Context) -> None:
    ada, ben = person(ctx, "ada"), person(ctx, "ben")
    place = asking(ctx)
    with inside.working(ctx):
        waits = deployed(ctx, ada, place, "one")
        elsewhere = deployed(ctx, ada, inside.project(ctx, "other"), "x")
        ended(ctx, elsewhere, "succeeded")
        assert inside.state(ctx, waits).status == "queued"
        with pytest.raises(Forbidden, match="your own"):
            approvals.approve(ctx, ada, waits.id)
        found = approvals.approve(ctx, ben, waits.id, "read it")
        assert found.approval is not None
        assert (found.approval.status, found.approval.by, found.approval.reason) == ("approved", ben.name, "read it")
        ended(ctx, waits, "succeeded")


def test_the_asker_s_own_key_is_the_asker(ctx: Context) -> None:
    ada = person(ctx, "ada")
    key = keys.actor_of(ctx, keys.create_key(ctx, ada, NewKey("ci")).text, ip=None)
    place = asking(ctx)
    for asks, approves in ((ada, key), (key, ada), (key, key)):
        waits = deployed(ctx, asks, place, asks.kind + approves.kind)
        with pytest.raises(Forbidden, match="your own"):
            approvals.approve(ctx, approves, waits.id)
        with pytest.raises(Forbidden, match="your own"):
            approvals.reject(ctx, approves, waits.id, "no")
        assert inside.state(ctx, waits).status == "queued"


def test_one_of_two_who_decide_at_once_is_told_of_the_other(ctx: Context) -> None:
    place, people_ = asking(ctx), [person(ctx, name) for name in ("ben", "cleo", "dora", "eli")]
    waits = deployed(ctx, person(ctx, "ada"), place, "one")
    start, outcomes = threading.Barrier(len(people_)), list[str]()

    def decide(actor: Actor, number: int) -> None:
        start.wait(20)
        try:
            if number % 2:
                approvals.approve(ctx, actor, waits.id)
            else:
                approvals.reject(ctx, actor, waits.id, "no")
            outcomes.append("done")
        except HomeportError as why:
            outcomes.append(why.code)

    threads = [threading.Thread(target=decide, args=(one, number)) for number, one in enumerate(people_)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["decided", "decided", "decided", "done"]


def test_what_nobody_approves_in_time_ends(ctx: Context) -> None:
    ada, ben = person(ctx, "ada"), person(ctx, "ben")
    waits = deployed(ctx, ada, asking(ctx, ApprovalRule(hours=2)), "one")
    ctx.now = lambda: clock.now() + timedelta(hours=1, minutes=59)
    approvals.expire(ctx)
    assert inside.state(ctx, waits).status == "queued"
    ctx.now = lambda: clock.now() + timedelta(hours=2, minutes=1)
    with pytest.raises(Conflict, match="not approved in time"):
        approvals.approve(ctx, ben, waits.id)
    found = inside.state(ctx, waits)
    assert found.status == "cancelled" and found.error is not None and found.error.code == "approval_expired"
    assert found.approval is not None and found.approval.status == "expired"


def test_an_approver_who_was_removed_approves_nothing_and_what_they_approved_stays(ctx: Context) -> None:
    ada, ben = person(ctx, "ada"), person(ctx, "ben")
    place = asking(ctx)
    first = deployed(ctx, ada, place, "one")
    approvals.approve(ctx, ben, first.id)
    with ctx.db.write() as db:
        db.execute("DELETE FROM people WHERE id = ?", [ben.person_id])
    assert people.find(ctx.db.read(), ben.person_id) is None
    with inside.working(ctx):
        ended(ctx, first, "succeeded")
        second = deployed(ctx, ada, place, "two")
        with pytest.raises(Forbidden):
            approvals.approve(ctx, ben, second.id)
        assert inside.state(ctx, second).status == "queued"


def test_a_thaw_lets_go_of_nothing_that_nobody_approved(ctx: Context) -> None:
    ada, ben = person(ctx, "ada"), person(ctx, "ben")
    place = asking(ctx)
    waits = deployed(ctx, ada, place, "one")
    with inside.working(ctx):
        freeze(ctx, OPERATOR, place, NewFreeze("sale"))
        thaw(ctx, OPERATOR, place)
        ended(ctx, deployed(ctx, ada, inside.project(ctx, "other"), "x"), "succeeded")
        assert inside.state(ctx, waits).status == "queued"
        freeze(ctx, OPERATOR, place, NewFreeze("sale again"))
        approvals.approve(ctx, ben, waits.id)
        ended(ctx, deployed(ctx, ada, inside.project(ctx, "more"), "x"), "succeeded")
        assert inside.state(ctx, waits).status == "queued", "approved, and frozen still"
        thaw(ctx, OPERATOR, place)
        ended(ctx, waits, "succeeded")


def test_a_start_begins_nothing_that_nobody_approved(ctx: Context) -> None:
    ada, ben = person(ctx, "ada"), person(ctx, "ben")
    waits = deployed(ctx, ada, asking(ctx), "one")
    with ctx.db.write() as db:  # as if it had been claimed when the process was killed
        db.execute("UPDATE jobs SET status = 'running', run_at = ? WHERE kind = 'deploy'", [ctx.moment()])
    recover(ctx)
    with inside.working(ctx):
        ended(ctx, deployed(ctx, ada, inside.project(ctx, "other"), "x"), "succeeded")
        assert inside.state(ctx, waits).status == "queued"
        approvals.approve(ctx, ben, waits.id)
        ended(ctx, waits, "succeeded")


def test_a_newer_one_takes_the_request_of_an_older_one_away(ctx: Context) -> None:
    ada, ben = person(ctx, "ada"), person(ctx, "ben")
    place = asking(ctx)
    old, new = (deployed(ctx, ada, place, word) for word in ("old", "new"))
    found = inside.state(ctx, old)
    assert found.status == "skipped" and found.approval is not None and found.approval.status == "withdrawn"
    with pytest.raises(Conflict, match="ended before anybody decided"):
        approvals.approve(ctx, ben, old.id)
    assert inside.state(ctx, new).status == "queued"


def test_turning_it_off_lets_nothing_go_that_waits_and_asks_no_more(ctx: Context) -> None:
    ada = person(ctx, "ada")
    waits = deployed(ctx, ada, asking(ctx), "one")
    change_approval(ctx, OPERATOR, "blog", "production", None)
    with inside.working(ctx):
        ended(ctx, deployed(ctx, ada, inside.project(ctx, "other"), "x"), "succeeded")
        assert inside.state(ctx, waits).status == "queued"
        ended(ctx, deployed(ctx, ada, find_environment(ctx, "blog", "production"), "two"), "succeeded")
    assert inside.state(ctx, waits).status == "skipped"


@pytest.mark.parametrize("rollbacks", [False, True])
def test_a_rollback_goes_at_once_unless_it_is_said_otherwise(ctx: Context, rollbacks: bool) -> None:
    ada = person(ctx, "ada")
    place = inside.project(ctx, "blog")
    with inside.working(ctx):
        for word in ("one", "two"):
            ended(ctx, deployed(ctx, ada, place, word), "succeeded")
        place = change_approval(ctx, OPERATOR, "blog", "production", ApprovalRule(rollbacks=rollbacks))
        back = submit.rollback(ctx, ada, place, None)
        assert (back.approval is not None) == rollbacks
        if not rollbacks:
            ended(ctx, back, "succeeded")


# Through the doors


@pytest.fixture(scope="module")
def stage(server: Appliance) -> Appliance:
    server.project("seconded")
    server.ask("POST", "/projects/seconded/environments", json={"name": "staging"})
    server.deploy("seconded", {"index.html": "staged"}, "staging")
    made = server.ask("PUT", f"{PLACE}/approval", json={"hours": 5})
    assert made.json()["approval"] == {"hours": 5, "rollbacks": False}
    return server


@pytest.fixture(scope="module")
def second(stage: Appliance) -> Iterator[httpx.Client]:
    """The browser of an admin; the key of the stage is the owner's."""
    add_beside(stage, "second@approvals.example.com", "admin")
    browser = stranger_of(stage)
    answer = browser.post("/login", data={"email": "second@approvals.example.com", "password": PASSWORD})
    assert answer.status_code == 303
    with closing(browser):
        yield browser


def waiting(stage: Appliance, word: str) -> Any:
    answer = stage.send("seconded", zipped({"index.html": word}), wait=None)
    assert answer.status_code == 202
    return answer.json()


def test_the_api_says_that_it_waits_and_for_what(stage: Appliance) -> None:
    answer = stage.send("seconded", zipped({"index.html": "said"}), wait=1)
    assert answer.status_code == 202
    found = answer.json()
    assert found["status"] == "queued" and found["approval"]["status"] == "waiting"
    assert "somebody else has to approve it" in found["queue"]["cause"]
    assert "Waits: somebody else has to approve it" in stage.log(found["id"])
    own = stage.ask("POST", f"/deployments/{found['id']}/approve", json={})
    assert own.status_code == 403 and "second person" in own.json()["detail"]
    promoted = stage.ask("POST", f"{PLACE}/promote", json={"from": "staging"}).json()
    assert promoted["approval"]["status"] == "waiting"
    assert stage.get(f"/deployments/{found['id']}")["approval"]["status"] == "withdrawn"
    for body in ({"hours": 0}, {"hours": 721}, {"hours": "x"}, {"people": 2}):
        assert stage.ask("PUT", f"{PLACE}/approval", json=body).status_code == 422


def test_a_page_approves_and_a_link_that_is_only_opened_does_not(stage: Appliance, second: httpx.Client) -> None:
    found = waiting(stage, "by link")
    link = found["approval"]["link"]
    page = second.get(link)
    assert page.status_code == 200 and "Approve" in page.text
    assert stage.get(f"/deployments/{found['id']}")["status"] == "queued", "a scanner that opens it approves nothing"
    forged = link[:-1] + ("0" if link[-1] != "0" else "1")
    assert second.get(forged).status_code == second.post(forged, data={"decision": "approve"}).status_code == 404
    with closing(stranger_of(stage)) as nobody:
        assert nobody.get(link).headers["location"].startswith("/login?back=")
        assert nobody.post(link, data={"decision": "approve"}).status_code == 303
    assert stage.get(f"/deployments/{found['id']}")["status"] == "queued"
    assert second.post(link, data={"decision": "approve", "reason": "fine"}).status_code == 303
    eventually(lambda: stage.get(f"/deployments/{found['id']}")["status"] == "succeeded")
    again = second.post(link, data={"decision": "approve"})
    assert again.status_code == 409 and "already" in again.text


def test_a_page_rejects_with_a_reason(stage: Appliance, second: httpx.Client) -> None:
    found = waiting(stage, "no good")
    there = f"/deployments/{found['id']}"
    actions = {form.attrs.get("action") for form in Parsed(second.get(there).text).forms}
    assert f"{there}/approve" in actions
    bare = second.post(f"{there}/reject", data={"reason": ""})
    assert bare.status_code == 422 and "Say why" in bare.text
    assert second.post(f"{there}/reject", data={"reason": "Not on a <Friday>"}).status_code == 303
    said = stage.get(there)
    assert (said["status"], said["error"]["code"]) == ("cancelled", "rejected")
    page = second.get(there).text
    assert "second@approvals.example.com" in page and "Not on a &lt;Friday&gt;" in page
    verbs = [one["verb"] for one in stage.get("/activity?project=seconded")["items"]]
    assert "deployment.reject" in verbs


def test_the_environment_s_page_of_it(stage: Appliance, second: httpx.Client) -> None:
    there = "/projects/seconded/environments/staging"
    assert second.post(f"{there}/approval", data={"asks": "true", "hours": "none"}).status_code == 422
    assert second.post(f"{there}/approval", data={"asks": "true", "hours": "3", "rollbacks": "true"}).status_code == 303
    assert stage.get(there)["approval"] == {"hours": 3, "rollbacks": True}
    assert second.post(f"{there}/approval", data={"hours": "3"}).status_code == 303
    assert stage.get(there)["approval"] is None


def test_a_developer_may_neither_approve_nor_turn_it_off(stage: Appliance) -> None:
    add_beside(stage, "dev@approvals.example.com", "developer")
    found = waiting(stage, "not by a developer")
    token = stage.http.post(
        f"{stage.url}/api/v1/login", json={"email": "dev@approvals.example.com", "password": PASSWORD}
    ).json()["token"]
    headers = {"Authorization": f"Bearer {token}"}
    asked = (
        ("POST", f"/deployments/{found['id']}/approve"),
        ("POST", f"/deployments/{found['id']}/reject"),
        ("PUT", f"{PLACE}/approval"),
        ("DELETE", f"{PLACE}/approval"),
        ("PATCH", PLACE),
    )
    for method, path in asked:
        body = {"name": "aside"} if method == "PATCH" else None
        answer = stage.http.request(method, f"{stage.url}/api/v1{path}", headers=headers, json=body)
        assert answer.status_code == 403, path


def test_it_survives_a_kill(fresh: Appliance) -> None:
    fresh.project("seconded")
    fresh.ask("PUT", f"{PLACE}/approval", json={})
    add_beside(fresh, "second@example.com", "owner")
    found = waiting(fresh, "killed")
    fresh.kill()
    fresh.start()
    assert fresh.get(f"/deployments/{found['id']}")["status"] == "queued"
    token = fresh.http.post(
        f"{fresh.url}/api/v1/login", json={"email": "second@example.com", "password": PASSWORD}
    ).json()["token"]
    path = f"{fresh.url}/api/v1/deployments/{found['id']}/approve"
    answer = fresh.http.post(path, json={"reason": "after all"}, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200, answer.text
    eventually(lambda: fresh.visit("seconded").text == "killed")
