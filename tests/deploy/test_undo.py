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
    one, two, last = three(server, "undo-undone")
    assert state(server, "undo-undone") is None
    back(server, "undo-undone")
    found = state(server, "undo-undone")
    assert (found["from"], found["to"], found["by"]) == (named(last), named(two), "ci key")
    back(server, "undo-undone", to=one["id"])
    found = state(server, "undo-undone")
    assert (found["from"], found["to"]) == (named(last), named(one)), "however often, it is the same that was left"
    back(server, "undo-undone", to=found["from"]["id"])
    assert state(server, "undo-undone") is None
    assert server.visit("undo-undone").text == "three"


def test_rolling_back_again_after_an_undo_is_a_rollback_once_more(server: Appliance) -> None:
    _, two, last = three(server, "undo-again-back")
    back(server, "undo-again-back", to=two["id"])
    back(server, "undo-again-back", to=last["id"])
    back(server, "undo-again-back", to=two["id"])
    found = state(server, "undo-again-back")
    assert (found["from"], found["to"]) == (named(last), named(two))


def test_to_a_deployment_that_was_a_rollback_itself(server: Appliance) -> None:
    one, _, last = three(server, "undo-through")
    first = back(server, "undo-through", to=one["id"])
    back(server, "undo-through", to=last["id"])
    back(server, "undo-through", to=first["id"])
    found = state(server, "undo-through")
    assert (found["from"], found["to"]) == (named(last), named(one))


def test_something_newer_that_goes_live_ends_it(server: Appliance) -> None:
    three(server, "undo-newer")
    back(server, "undo-newer")
    assert state(server, "undo-newer") is not None
    server.deploy("undo-newer", {"index.html": "four"})
    assert state(server, "undo-newer") is None


def test_a_promotion_ends_it_too(server: Appliance) -> None:
    three(server, "undo-promoted")
    server.ask("POST", "/projects/undo-promoted/environments", json={"name": "staging"})
    server.deploy("undo-promoted", {"index.html": "next"}, "staging")
    back(server, "undo-promoted")
    answer = server.ask("POST", f"{place('undo-promoted')}/promote?wait=30", json={"from": "staging"})
    assert answer.status_code == 201
    assert state(server, "undo-promoted") is None


def test_an_environment_that_was_never_rolled_back_says_nothing(server: Appliance) -> None:
    server.project("undo-plain")
    assert state(server, "undo-plain") is None
    server.deploy("undo-plain", {"index.html": "x"})
    assert state(server, "undo-plain") is None
