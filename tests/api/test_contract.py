"""The contract, row by row: what people script against."""

import hashlib
import re
from typing import Any

import pytest

from tests.appliance import EMAIL, PASSWORD, Appliance, zipped

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
DEPLOYMENT = {
    "id", "number", "project", "environment", "status", "live", "source", "bundle", "size", "files", "steps", "error",
    "address", "created_by", "created_at", "started_at", "finished_at",
}  # fmt: skip
PROBLEM = {"type", "title", "status", "detail", "errors"}


def problem(answer: Any, status: int, **errors: str) -> Any:
    """An answer that must be a problem of this status, with a sentence for each of these fields."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    said = answer.json()
    assert PROBLEM <= said.keys()
    assert said["status"] == status
    assert said["type"].startswith("urn:homeport:")
    assert said["title"] and said["detail"]
    assert said["request_id"] == answer.headers["x-request-id"]
    assert said["errors"].keys() >= errors.keys()
    for name, words in errors.items():
        assert words in said["errors"][name]
    return said


def test_login_me_logout(server: Appliance) -> None:
    login = server.http.post(f"{server.url}/api/v1/login", json={"email": EMAIL.upper(), "password": PASSWORD})
    assert login.status_code == 201
    assert login.json().keys() == {"token", "expires_at"}
    assert MOMENT.fullmatch(login.json()["expires_at"])
    bearer = {"Authorization": f"Bearer {login.json()['token']}"}
    me = server.http.get(f"{server.url}/api/v1/me", headers=bearer)
    assert me.status_code == 200
    assert (me.json()["email"], me.json()["kind"], me.json()["role"]) == (EMAIL, "person", "owner")
    assert server.http.post(f"{server.url}/api/v1/logout", headers=bearer).status_code == 204
    problem(server.http.get(f"{server.url}/api/v1/me", headers=bearer), 401)


def test_a_key_is_someone_too(server: Appliance) -> None:
    me = server.get("/me")
    assert (me["kind"], me["name"], me["email"]) == ("key", "ci key", EMAIL)
    assert "deployments.create" in me["permissions"]
    assert problem(server.ask("POST", "/logout"), 400)["type"] == "urn:homeport:no_session"


def test_a_wrong_password_is_401_in_words(server: Appliance) -> None:
    answer = server.http.post(f"{server.url}/api/v1/login", json={"email": EMAIL, "password": "wrong"})
    assert "wrong" in problem(answer, 401)["detail"]


def test_keys(server: Appliance) -> None:
    made = server.ask("POST", "/keys", json={"name": "nightly", "expires_at": "2999-01-01T00:00:00+02:00"})
    assert made.status_code == 201
    key = made.json()
    assert key["key"].startswith("hp_") and key["key"].startswith(key["prefix"])
    assert key["expires_at"] == "2998-12-31T22:00:00.000Z"
    shown = next(one for one in server.get("/keys")["items"] if one["id"] == key["id"])
    assert "key" not in shown and key["key"] not in str(shown)
    assert server.ask("DELETE", f"/keys/{key['id']}").status_code == 204
    problem(server.ask("DELETE", f"/keys/{key['id']}"), 404)


def test_projects(server: Appliance) -> None:
    made = server.ask("POST", "/projects", json={"name": "row-project"})
    assert made.status_code == 201
    assert made.headers["location"] == "/api/v1/projects/row-project"
    project = made.json()
    assert project["name"] == "row-project" and project["environments"] == ["production"]
    assert MOMENT.fullmatch(project["created_at"]) and project["created_by"] == "ci key"
    assert server.http.get(server.url + made.headers["location"], headers=bearer(server)).json() == project
    assert "row-project" in [one["name"] for one in server.get("/projects?q=w-proj&limit=200")["items"]]
    assert server.get("/projects?q=no-such-thing") == {"items": [], "next": None}
    problem(server.ask("POST", "/projects", json={"name": "row-project"}), 409)
    renamed = server.ask("PATCH", "/projects/row-project", json={"name": "row-renamed"})
    assert renamed.status_code == 200 and renamed.json()["name"] == "row-renamed"
    problem(server.ask("GET", "/projects/row-project"), 404)
    assert server.ask("DELETE", "/projects/row-renamed").status_code == 204
    problem(server.ask("DELETE", "/projects/row-renamed"), 404)


def test_environments(server: Appliance) -> None:
    server.project("row-env")
    path = "/projects/row-env/environments"
    (production,) = server.get(path)["items"]
    assert production == {
        "name": "production",
        "project": "row-env",
        "backend": "builtin",
        "address": f"http://row-env.localhost:{server.port}/",
        "live": None,
        "urls": [],
        "frozen": None,
        "rolled_back": None,
        "approval": None,
        "created_at": production["created_at"],
    }
    made = server.ask("POST", path, json={"name": "staging", "backend": "builtin"})
    assert made.status_code == 201
    assert made.headers["location"] == "/api/v1/projects/row-env/environments/staging"
    assert made.json()["address"] == f"http://staging.row-env.localhost:{server.port}/"
    problem(server.ask("POST", path, json={"name": "staging"}), 409)
    problem(server.ask("POST", path, json={"name": "dev", "backend": "mainframe"}), 422, backend="builtin, nginx")
    deployed = server.deploy("row-env", {"index.html": "x"}, "staging")
    shown = server.get(f"{path}/staging")
    assert shown["live"]["id"] == deployed["id"]
    changed = server.ask("PATCH", f"{path}/staging", json={"name": "preview"})
    assert changed.status_code == 200 and changed.json()["name"] == "preview"
    assert server.ask("DELETE", f"{path}/preview").status_code == 204
    problem(server.ask("GET", f"{path}/preview"), 404)
    problem(server.ask("GET", "/projects/no-such/environments"), 404)


def test_a_deployment_has_all_its_fields(server: Appliance) -> None:
    server.project("row-deploy")
    body = zipped({"index.html": "x", "a.css": "y"})
    answer = server.send("row-deploy", body)
    assert answer.status_code == 201
    made = answer.json()
    assert made.keys() >= DEPLOYMENT
    assert answer.headers["location"] == f"/api/v1/deployments/{made['id']}"
    assert made["bundle"] == hashlib.sha256(body).hexdigest()
    assert (made["size"], made["files"], made["number"]) == (len(body), 2, 1)
    assert (made["source"], made["error"], made["created_by"]) == ("upload", None, "ci key")
    for name in ("created_at", "started_at", "finished_at"):
        assert MOMENT.fullmatch(made[name])
    for step in made["steps"]:
        assert step.keys() == {"name", "status", "started_at", "finished_at", "detail"}
        assert MOMENT.fullmatch(step["started_at"]) and MOMENT.fullmatch(step["finished_at"])
    path = "/projects/row-deploy/environments/production/deployments"
    listed = (*server.get(path)["items"], *server.get("/deployments?project=row-deploy")["items"])
    for now in (server.get(f"/deployments/{made['id']}"), *listed):
        assert now | {"xray": None} == made | {"xray": None}, "it may still be looked at"
    assert len(listed) == 2
    problem(server.ask("GET", "/deployments/no-such"), 404)


def test_bundles(server: Appliance) -> None:
    server.project("row-bundle")
    body = zipped({"index.html": "bundle"})
    path = "/projects/row-bundle/environments/production/deployments?wait=30"
    server.ask("POST", path, files={"bundle": ("my site.zip", body, "application/zip")})
    sha256 = hashlib.sha256(body).hexdigest()
    bundle = server.get(f"/bundles/{sha256}")
    assert bundle["sha256"] == sha256
    assert (bundle["size"], bundle["files"], bundle["filename"]) == (len(body), 1, "my site.zip")
    got = server.ask("GET", f"/bundles/{sha256}/download")
    assert got.content == body
    assert 'filename="my site.zip"' in got.headers["content-disposition"] or "my%20site.zip" in str(got.headers)
    problem(server.ask("GET", f"/bundles/{'0' * 64}"), 404)
    problem(server.ask("GET", f"/bundles/{'0' * 64}/download"), 404)


def test_activity(server: Appliance) -> None:
    server.project("row-activity")
    newest = server.get("/activity?project=row-activity&limit=1")["items"][0]
    assert (newest["verb"], newest["subject"], newest["actor"]) == ("project.create", "row-activity", "ci key")
    assert MOMENT.fullmatch(newest["at"])
    assert [one["verb"] for one in server.get("/activity?project=row-activity")["items"]] == ["project.create"]


def test_health_needs_no_key_and_metrics_do(server: Appliance) -> None:
    health = server.http.get(f"{server.url}/healthz")
    assert (health.status_code, health.json()["status"]) == (200, "ok")
    assert server.http.get(f"{server.url}/metrics").status_code == 401
    metrics = server.http.get(f"{server.url}/metrics", headers=bearer(server))
    assert metrics.headers["content-type"].startswith("text/plain; version=0.0.4")
    for line in metrics.text.splitlines():
        assert re.fullmatch(r'# (HELP|TYPE) \w+ .+|\w+(\{\w+="[^"]*"\})? \d+', line)
    assert "homeport_projects " in metrics.text


def test_openapi_and_docs_are_there(server: Appliance) -> None:
    described = server.http.get(f"{server.url}/api/v1/openapi.json")
    assert described.status_code == 200
    assert described.json()["openapi"].startswith("3.1")
    assert server.http.get(f"{server.url}/docs", headers=bearer(server)).status_code == 200


NAMES = {
    "": "Enter a name",
    "1st": "starts with a letter",
    "-a": "starts with a letter",
    "é": "starts with a letter",
    "Blog": "small letters only",
    "bloG": "small letters only",
    "blog-": "ends with a letter or digit",
    "my blog": "only small letters, digits and dashes",
    "my_blog": "only small letters, digits and dashes",
    "a.b": "only small letters, digits and dashes",
    "a/b": "only small letters, digits and dashes",
    "blog\n": "only small letters, digits and dashes",
    "blög": "only small letters, digits and dashes",
    "a" * 41: "40 characters",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_is_none_is_refused_with_its_reason(server: Appliance, name: str) -> None:
    problem(server.ask("POST", "/projects", json={"name": name}), 422, name=NAMES[name])


@pytest.mark.parametrize("name", ["a", "a1", "a--b", "a" * 40, "localhost", "production"])
def test_a_name_that_is_one_is_taken(server: Appliance, name: str) -> None:
    assert server.ask("POST", "/projects", json={"name": name}).status_code == 201
    server.deploy(name, {"index.html": name})
    assert server.visit(name).text == name
    assert server.ask("DELETE", f"/projects/{name}").status_code == 204


def test_settings_are_read_and_saved_one_by_one(server: Appliance) -> None:
    before = {one["name"]: one for one in server.get("/settings")["items"]}
    assert before["cloudflare_token"]["value"] is None
    saved = server.ask("PATCH", "/settings", json={"dns_target": "192.0.2.1"})
    assert saved.status_code == 200
    after = {one["name"]: one for one in saved.json()["items"]}
    assert after["dns_target"]["value"] == "192.0.2.1" and after["dns_target"]["saved_by"] == "ci key"
    assert server.ask("PATCH", "/settings", json={"dns_target": None}).status_code == 200
    again = {one["name"]: one for one in server.get("/settings")["items"]}
    assert again["dns_target"]["value"] == "" and again["dns_target"]["saved_at"] is None
    wrong = {"backend": "mainframe", "url": "ftp://x", "port": "80", "nothing": "1", "dns_target": 5}
    refused = problem(server.ask("PATCH", "/settings", json=wrong), 422)
    assert refused["errors"].keys() == wrong.keys()


def bearer(server: Appliance) -> dict[str, str]:
    return {"Authorization": f"Bearer {server.key}"}
