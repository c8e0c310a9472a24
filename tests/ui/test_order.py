"""What the pages say of a freeze and of a rollback, and what they offer."""

import httpx

from tests.appliance import Appliance
from tests.ui.pages import Parsed

PLACE = "/projects/{}/environments/production"


def two(server: Appliance, name: str) -> str:
    server.project(name)
    for word in ("one", "two"):
        server.deploy(name, {"index.html": word})
    return PLACE.format(name)


def actions(page: str) -> set[str]:
    return {form.attrs.get("action", "") for form in Parsed(page).forms}


def test_an_environment_is_frozen_and_thawed_without_script(server: Appliance, owner: httpx.Client) -> None:
    place = two(server, "ui-frozen")
    assert "is frozen" not in owner.get(place).text
    empty = owner.post(f"{place}/freeze", data={"message": ""})
    assert empty.status_code == 422 and "Say why" in empty.text
    assert owner.post(f"{place}/freeze", data={"message": "Sale <until> Friday"}).status_code == 303
    for path in (place, "/projects/ui-frozen"):
        page = owner.get(path).text
        assert "Sale &lt;until&gt; Friday" in page and f"{place}/thaw" in actions(page)
    assert "thaw it before you deploy" in owner.get(place).text
    refused = owner.post(f"{place}/rollback", data={})
    assert refused.status_code == 409 and "is frozen by owner@example.com" in refused.text
    again = owner.post(f"{place}/freeze", data={"message": "another"})
    assert again.status_code == 409 and "Sale" in again.text
    assert owner.post(f"{place}/thaw").status_code == 303
    assert "is frozen" not in owner.get(place).text


def test_a_rollback_is_said_everywhere_and_undone_with_one_button(server: Appliance, owner: httpx.Client) -> None:
    place = two(server, "ui-back")
    server.ask("POST", f"{place}/rollback?wait=30", json={})
    live = server.get(place)["live"]["id"]
    for path in (place, "/projects/ui-back", f"/deployments/{live}"):
        page = owner.get(path).text
        assert "is rolled back" in page and "Undo: #2 goes live again" in page
    form = next(one for one in Parsed(owner.get(place).text).forms if one.attrs.get("action") == f"{place}/rollback")
    to = next(field["value"] for field in form.fields if field.get("name") == "to")
    assert owner.post(f"{place}/rollback", data={"to": to}).status_code == 303
    made = server.get("/deployments?project=ui-back&limit=1")["items"][0]
    server.ask("GET", f"/deployments/{made['id']}/log?follow=1")
    assert "is rolled back" not in owner.get(place).text
    assert server.visit("ui-back").text == "two"


def test_the_page_of_clean_ups(server: Appliance, owner: httpx.Client) -> None:
    page = owner.get("/settings/cleanup").text
    assert "What a clean-up frees" in page and "/settings/cleanup" in actions(page)
    wrong = owner.post("/settings/cleanup/keep", data={"releases_kept": "none"})
    assert wrong.status_code == 422
    assert owner.post("/settings/cleanup/keep", data={"releases_kept": "5"}).status_code == 303
    assert owner.post("/settings/cleanup").status_code == 303
