"""Variables, as the API shows and changes them, and as they are frozen with deployments."""

import json
import os
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance import app
from appliance.access import secrets
from appliance.access.actor import OPERATOR
from appliance.context import Context
from appliance.deploy.variables import made_with, variables_for
from appliance.errors import Conflict
from appliance.model.variables import NewVariable, VariablesPatch
from appliance.projects.find import find_environment
from appliance.projects.variables import change_variables, holder_of
from appliance.settings import Settings
from appliance.store import projects
from appliance.store.sealed import every
from tests import inside
from tests.access.cast import signed_in_as
from tests.appliance import Appliance

TEXTS = st.text(alphabet="ab \t\n\r'\"\\$`#=%é😀\u2028\u0085\ufeff\x01<>&", max_size=30) | st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60
)


@pytest.fixture
def project(server: Appliance) -> str:
    return server.project(f"variables-{os.urandom(3).hex()}")


def at(project: str, environment: str | None = "production") -> str:
    within = f"/environments/{environment}" if environment else ""
    return f"/projects/{project}{within}/variables"


def put(server: Appliance, project: str, name: str, environment: str | None = "production", **body: Any) -> Any:
    answer = server.ask("PUT", f"{at(project, environment)}/{name}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def listed(server: Appliance, project: str, environment: str | None = "production") -> dict[str, Any]:
    return {one["name"]: one for one in server.get(at(project, environment))["items"]}


def waiting(server: Appliance, project: str) -> dict[str, str]:
    return {one["name"]: one["change"] for one in server.get(f"{at(project)}/changes")["items"]}


def refused(answer: httpx.Response, status: int = 422) -> dict[str, str]:
    assert answer.status_code == status, answer.text
    errors: dict[str, str] = answer.json()["errors"]
    return errors


def test_its_own_come_before_shared_ones(server: Appliance, project: str) -> None:
    put(server, project, "REGION", None, value="eu")
    put(server, project, "SHARED", None, value="for all")
    put(server, project, "REGION", value="us")
    found = listed(server, project)
    assert (found["REGION"]["value"], found["REGION"]["shared"], found["REGION"]["overrides"]) == ("us", False, True)
    assert (found["SHARED"]["value"], found["SHARED"]["shared"], found["SHARED"]["overrides"]) == (
        "for all",
        True,
        False,
    )
    assert listed(server, project, None)["REGION"]["value"] == "eu"
    assert server.ask("DELETE", f"{at(project)}/REGION").status_code == 204
    assert listed(server, project)["REGION"]["value"] == "eu"
    assert server.ask("DELETE", f"{at(project)}/REGION").status_code == 404, "a shared one is not the environment's"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=TEXTS)
def test_every_byte_survives(server: Appliance, project: str, value: str) -> None:
    assert put(server, project, "ODD", value=value)["value"] == value
    assert listed(server, project)["ODD"]["value"] == value
    file = server.ask("GET", f"{at(project)}/export").content.decode()
    server.ask("DELETE", f"{at(project)}/ODD")
    assert server.ask("POST", f"{at(project)}/import", json={"text": file}).status_code == 200
    assert listed(server, project)["ODD"]["value"] == value


def test_a_secret_is_never_shown(server: Appliance, project: str) -> None:
    made = put(server, project, "KEY", value="correct horse", secret=True)
    assert (made["value"], made["secret"], made["lost"]) == (None, True, False)
    assert put(server, project, "KEY", value="battery staple")["secret"] is True, "it stays one"
    exported = server.ask("GET", f"{at(project)}/export").text
    assert exported == "# KEY is a secret: its value is not in this file.\nKEY=\n"
    plain = refused(server.ask("PUT", f"{at(project)}/KEY", json={"secret": False}))
    assert plain == {"value": "KEY is a secret: enter its value again to have it shown from now on"}
    many = {"variables": [{"name": "KEY", "secret": False}, {"name": "A", "value": "1"}]}
    assert "KEY" in refused(server.ask("PATCH", at(project), json=many))
    assert put(server, project, "KEY", value="typed again", secret=False)["value"] == "typed again"
    assert put(server, project, "KEY", secret=True)["value"] is None, "no value is needed to hide it"


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({"value": "a\0b"}, {"value": "A value can't hold a NUL character: no program could read what is after it"}),
        ({"value": "é" * 32769}, {"value": "Keep a value to 64 KiB"}),
        ({"value": 1}, {"value": "This must be text"}),
        ({"value": "x", "odd": 1}, {"odd": "There is no such field"}),
        ({}, {"value": "Give NAME a value; it may be empty"}),
    ],
)
def test_what_can_not_be_a_value(server: Appliance, project: str, body: object, errors: dict[str, str]) -> None:
    assert refused(server.ask("PUT", f"{at(project)}/NAME", json=body)) == errors
    assert listed(server, project) == {}


def test_half_a_character_is_refused(server: Appliance, project: str) -> None:
    answer = server.ask("PUT", f"{at(project)}/NAME", content=b'{"value": "\\ud800"}')
    assert refused(answer) == {"value": "This has half a character in it; type it again"}


@pytest.mark.parametrize("name", ["1A", "A-B", "É", "A B", "HOMEPORT_KEY", "A" * 129])
def test_what_can_not_be_a_name(server: Appliance, project: str, name: str) -> None:
    assert "name" in refused(server.ask("PUT", f"{at(project)}/{name}", json={"value": "x"}))
    assert "variables" in refused(server.ask("PATCH", at(project), json={"variables": [{"name": name, "value": "x"}]}))


def test_several_at_once_are_all_of_it_or_nothing(server: Appliance, project: str) -> None:
    some = {"variables": [{"name": "A", "value": "1"}, {"name": "B", "value": "", "secret": True}]}
    assert server.ask("PATCH", at(project), json=some).status_code == 200
    for wrong in (
        {"variables": [{"name": "C", "value": "1"}, {"name": "D"}]},
        {"variables": [{"name": "C", "value": "1"}, {"name": "C", "value": "2"}]},
        {"variables": [{"name": "C", "value": "1"}], "remove": ["C"]},
    ):
        refused(server.ask("PATCH", at(project), json=wrong))
    gone = server.ask("PATCH", at(project), json={"variables": [{"name": "C", "value": "1"}], "remove": ["NOT_THERE"]})
    assert gone.status_code == 404
    assert set(listed(server, project)) == {"A", "B"}
    whole = {"variables": [{"name": "B"}, {"name": "C", "value": "3"}]}
    assert server.ask("PUT", at(project), json=whole).status_code == 200
    found = listed(server, project)
    assert (set(found), found["B"]["secret"], found["C"]["value"]) == ({"B", "C"}, True, "3")
    refused(server.ask("PUT", at(project), json={}))
    assert server.ask("PUT", at(project), json={"variables": []}).json()["items"] == []


def test_there_is_an_end_to_it(server: Appliance, project: str) -> None:
    large = [{"name": f"N{number}", "value": "x" * 65536} for number in range(10)]
    assert server.ask("PATCH", at(project), json={"variables": large}).status_code == 200
    more = [{**one, "name": f"M{one['name']}"} for one in large]
    assert "1 MiB" in refused(server.ask("PATCH", at(project), json={"variables": more}))["variables"]
    many = {"variables": [{"name": f"A{number}", "value": ""} for number in range(191)]}
    assert "Keep it to 200 variables" in refused(server.ask("PATCH", at(project), json=many))["variables"]
    assert len(listed(server, project)) == 10


def test_a_deployment_freezes_them_and_applying_is_a_deployment(server: Appliance, project: str) -> None:
    assert waiting(server, project) == {}, "nothing is live"
    put(server, project, "KEPT", value="1")
    put(server, project, "CHANGED", value="1", secret=True)
    put(server, project, "REMOVED", None, value="1")
    first = server.deploy(project, {"index.html": "hello"})
    assert first["variables"]
    assert waiting(server, project) == {}
    put(server, project, "CHANGED", value="2")
    put(server, project, "ADDED", None, value="1")
    server.ask("DELETE", f"{at(project, None)}/REMOVED")
    assert waiting(server, project) == {"ADDED": "added", "CHANGED": "changed", "REMOVED": "removed"}
    answer = server.ask("POST", f"{at(project)}/apply?wait=30", json={})
    assert answer.status_code == 201, answer.text
    applied = answer.json()
    assert (applied["source"], applied["origin"], applied["live"]) == ("variables", first["id"], True)
    assert applied["variables"] != first["variables"]
    assert waiting(server, project) == {}
    put(server, project, "CHANGED", value="3")
    put(server, project, "CHANGED", value="2")
    assert waiting(server, project) == {}, "what is as it was is not waiting"
    again = server.deploy(project, {"index.html": "new"})
    assert again["variables"] == applied["variables"], "the same values are the same version"
    assert server.visit(project).text == "new"
    back = server.ask("POST", f"/projects/{project}/environments/production/rollback?wait=30", json={}).json()
    assert (back["variables"], server.visit(project).text) == (applied["variables"], "hello")


def test_there_is_nothing_to_apply_where_nothing_is_live(server: Appliance, project: str) -> None:
    answer = server.ask("POST", f"{at(project)}/apply", json={})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:homeport:nothing_live")


def test_what_is_live_answers_as_it_did(server: Appliance, project: str) -> None:
    """New variables are all that is new about it."""
    server.deploy(project, {"index.html": "home"})
    site = f"/projects/{project}/environments/production/site"
    assert server.ask("PUT", site, json={"fallback": True}).status_code == 200
    assert server.ask("POST", f"{at(project)}/apply?wait=30", json={}).status_code == 201
    assert server.visit(project, "/nowhere").status_code == 404


def test_a_rollback_passes_over_new_variables(server: Appliance, project: str) -> None:
    for text in ("one", "two", "three"):
        server.deploy(project, {"index.html": text})
    rollback = f"/projects/{project}/environments/production/rollback?wait=30"
    server.ask("POST", rollback, json={})
    assert server.visit(project).text == "two"
    assert server.ask("POST", f"{at(project)}/apply?wait=30", json={}).status_code == 201
    server.ask("POST", rollback, json={})
    assert server.visit(project).text == "one"


def test_an_import_is_seen_before_it_is_made(server: Appliance, project: str) -> None:
    put(server, project, "KEY", value="correct horse", secret=True)
    put(server, project, "SAME", value="1")
    put(server, project, "OTHER", value="stays")
    body = {"text": "KEY=\nSAME=1\nNEW='a b'\n", "secret": True}
    changes = [
        {"name": "KEY", "change": "kept"},
        {"name": "SAME", "change": "same"},
        {"name": "NEW", "change": "added"},
    ]
    seen = server.ask("POST", f"{at(project)}/import?dry-run=1", json=body).json()
    assert seen == {"applied": False, "changes": changes}
    assert "NEW" not in listed(server, project)
    assert server.ask("POST", f"{at(project)}/import", json=body).json() == {"applied": True, "changes": changes}
    found = listed(server, project)
    assert (found["NEW"]["secret"], found["SAME"]["secret"], found["OTHER"]["value"]) == (True, False, "stays")
    before = listed(server, project)
    wrong = server.ask("POST", f"{at(project)}/import", json={"text": "GOOD=1\nbad\nKEY='x"})
    assert set(refused(wrong)) == {"line 2", "line 3"}
    assert listed(server, project) == before
    assert "text" in refused(server.ask("POST", f"{at(project)}/import", json={}))


def test_an_export_can_have_the_shared_ones(server: Appliance, project: str) -> None:
    put(server, project, "A", None, value="1")
    put(server, project, "B", value="2")
    assert server.ask("GET", f"{at(project)}/export").text == "B=2\n"
    answer = server.ask("GET", f"{at(project)}/export?shared=1")
    assert answer.text == "A=1\nB=2\n"
    assert answer.headers["content-disposition"] == f'attachment; filename="{project}-production.env"'
    assert answer.headers["cache-control"] == "no-store"
    assert server.ask("GET", f"{at(project, None)}/export").text == "A=1\n"


def test_activity_has_the_names_and_no_values(server: Appliance, project: str) -> None:
    put(server, project, "KEY", value="correct horse battery", secret=True)
    put(server, project, "PLAIN", None, value="staple in plain sight")
    server.ask("DELETE", f"{at(project)}/KEY")
    found = server.get(f"/activity?project={project}&verb=variable")["items"]
    assert [(one["verb"], one["subject"], one["environment"]) for one in found] == [
        ("variable.remove", "KEY", "production"),
        ("variable.set", "PLAIN", None),
        ("variable.set", "KEY", "production"),
    ]
    said = json.dumps(found)
    assert "horse" not in said and "staple" not in said


def test_values_go_with_what_was_made_with_them(tmp_path: Path) -> None:
    with inside.context(tmp_path / "data") as ctx:
        place = inside.project(ctx, "blog")
        holder = holder_of(ctx, "blog", "production")

        def now(value: str) -> None:
            change_variables(ctx, OPERATOR, holder, VariablesPatch((NewVariable(value, True, "KEY"),)))

        now("one")
        first = inside.upload(ctx, place, {"index.html": "1"})
        now("two")
        assert variables_for(ctx, place) == {"KEY": "two"}
        assert made_with(ctx, first.id) == {"KEY": "one"}
        second = inside.upload(ctx, place, {"index.html": "2"})
        assert made_with(ctx, second.id) == {"KEY": "two"}
        assert made_with(ctx, first.id) == {}, "it was overtaken, so nobody needs them any more"


def test_another_key_opens_them_and_a_lost_one_is_told(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with inside.context(data) as ctx:
        place = inside.project(ctx, "blog")
        holder = holder_of(ctx, "blog", "production")
        new = (NewVariable("", False, "A"), NewVariable("x", True, "B"))
        change_variables(ctx, OPERATOR, holder, VariablesPatch(new))
        secrets.rotate(ctx)
        assert variables_for(ctx, place) == {"A": "", "B": "x"}
    (data / "secret.key").unlink()
    app.rotate_key(Settings(data=data), lost=True)
    with inside.context(data) as ctx:
        place = find_environment(ctx, "blog", "production")
        with pytest.raises(Conflict, match="A, B in blog production can't be opened any more"):
            variables_for(ctx, place)
        inside.upload(ctx, place, {"index.html": "a site goes live all the same"})


def test_who_may_see_and_change_them(server: Appliance, project: str) -> None:
    put(server, project, "PLAIN", None, value="1")
    put(server, project, "KEY", value="correct horse", secret=True)
    mark = os.urandom(3).hex()
    for role, status in (("viewer", 403), ("developer", 200)):
        with signed_in_as(server, role, f"{role}-{mark}@example.com") as client:
            assert client.get(at(project)).status_code == status
            assert client.put(f"{at(project)}/A", json={"value": "2"}).status_code == status
            assert client.get(f"{at(project)}/export").status_code == status
    with signed_in_as(server, "none", f"one-place-{mark}@example.com") as client:
        grant = {"person": f"one-place-{mark}@example.com", "role": "developer", "environment": "production"}
        assert server.ask("PUT", f"/projects/{project}/grants", json=grant).is_success
        found = {one["name"]: one["value"] for one in client.get(at(project)).json()["items"]}
        assert found == {"A": "2", "KEY": None, "PLAIN": "1"}
        assert client.put(f"{at(project)}/B", json={"value": "3"}).status_code == 200
        assert client.put(f"{at(project, None)}/PLAIN", json={"value": "3"}).status_code == 403
        assert client.post(f"{at(project, None)}/import?dry-run=1", json={"text": "A=1"}).status_code == 403
        assert client.get(at(server.project(f"other-{mark}"))).status_code == 404


def test_a_frozen_environment_takes_no_new_variables_live(server: Appliance, project: str) -> None:
    server.deploy(project, {"index.html": "hello"})
    place = f"/projects/{project}/environments/production"
    server.ask("POST", f"{place}/freeze", json={"message": "Sale until Friday"})
    put(server, project, "A", value="1")
    answer = server.ask("POST", f"{at(project)}/apply", json={})
    assert answer.status_code == 409 and "Sale until Friday" in answer.text
    assert waiting(server, project) == {"A": "added"}


def test_they_go_with_their_environment_and_project(tmp_path: Path) -> None:
    with inside.context(tmp_path / "data") as ctx:
        place = inside.project(ctx, "blog")
        for environment in (None, "production"):
            new = VariablesPatch((NewVariable("correct horse", True, "KEY"),))
            change_variables(ctx, OPERATOR, holder_of(ctx, "blog", environment), new)
        inside.upload(ctx, place, {"index.html": "1"})
        assert kept_in(ctx) == {"variables": 2, "variable_sets": 1}
        with ctx.db.write() as db:
            projects.remove(db, place.project_id)
        assert kept_in(ctx) == {"variables": 0, "variable_sets": 0}


def kept_in(ctx: Context) -> dict[str, int]:
    db = ctx.db.read()
    return {name: sum(table == name for table, _, _ in every(db)) for name in ("variables", "variable_sets")}
