"""An environment that was rolled back says so until that is undone, or something newer is live."""

from typing import Any

from tests.appliance import Appliance


def place(name: str) -> str:
    return f"/projects/{name}/environments/production"


def back(server: Appliance, name: str, to: str | None = None) -> Any:
    answer = server.ask("POST", f"{place(name)}/rollback?wait=30", json={"to": to} if to else {})
    assert answer.status_code == 201, answer.text
    return answer.json()


def state(server: Appliance, name: str) -> Any:
    return server.get(place(name))["rolled_back"]


def named(deployment: Any) -> dict[str, object]:
    return {"id": deployment["id"], "number": deployment["number"]}


def three(server: Appliance, name: str) -> list[Any]:
    server.project(name)
    return [server.deploy(name, {"index.html": word}) for word in ("one", "two", "three")]


def test_a_rollback_is_said_and_undone(server: Appliance) -> None:
    one, two, last = three(server, "undone")
    assert state(server, "undone") is None
    back(server, "undone")
    found = state(server, "undone")
    assert (found["from"], found["to"], found["by"]) == (named(last), named(two), "ci key")
    back(server, "undone", to=one["id"])
    found = state(server, "undone")
    assert (found["from"], found["to"]) == (named(last), named(one)), "however often, it is the same that was left"
    back(server, "undone", to=found["from"]["id"])
    assert state(server, "undone") is None
    assert server.visit("undone").text == "three"


def test_rolling_back_again_after_an_undo_is_a_rollback_once_more(server: Appliance) -> None:
    _, two, last = three(server, "again-back")
    back(server, "again-back", to=two["id"])
    back(server, "again-back", to=last["id"])
    back(server, "again-back", to=two["id"])
    found = state(server, "again-back")
    assert (found["from"], found["to"]) == (named(last), named(two))


def test_to_a_deployment_that_was_a_rollback_itself(server: Appliance) -> None:
    one, _, last = three(server, "through")
    first = back(server, "through", to=one["id"])
    back(server, "through", to=last["id"])
    back(server, "through", to=first["id"])
    found = state(server, "through")
    assert (found["from"], found["to"]) == (named(last), named(one))


def test_something_newer_that_goes_live_ends_it(server: Appliance) -> None:
    three(server, "newer")
    back(server, "newer")
    assert state(server, "newer") is not None
    server.deploy("newer", {"index.html": "four"})
    assert state(server, "newer") is None


def test_a_promotion_ends_it_too(server: Appliance) -> None:
    three(server, "promoted")
    server.ask("POST", "/projects/promoted/environments", json={"name": "staging"})
    server.deploy("promoted", {"index.html": "next"}, "staging")
    back(server, "promoted")
    answer = server.ask("POST", f"{place('promoted')}/promote?wait=30", json={"from": "staging"})
    assert answer.status_code == 201
    assert state(server, "promoted") is None


def test_an_environment_that_was_never_rolled_back_says_nothing(server: Appliance) -> None:
    server.project("plain")
    assert state(server, "plain") is None
    server.deploy("plain", {"index.html": "x"})
    assert state(server, "plain") is None
