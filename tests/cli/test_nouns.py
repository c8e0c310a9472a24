"""Every noun's commands against a real server: people get tables, programs the API's own JSON."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.appliance import Appliance
from tests.cli.drive import Cli
from tests.servers import eventually


def test_a_project_from_its_making_to_its_end(server: Appliance, cli: Cli, name: str) -> None:
    assert f"Project       {name}\n" in cli("projects", "create", name).stdout
    assert name in cli("projects", "create", name, code=1).stderr
    assert cli.json("projects", "show", name) == server.get(f"/projects/{name}")
    listed = cli.json("projects", "list", "--q", name)
    assert listed == {"items": [server.get(f"/projects/{name}")], "next": None}
    assert f"{name}  production" in cli("projects", "list", "--q", name).stdout
    assert cli.json("projects", "rename", name, f"{name}-two")["name"] == f"{name}-two"
    assert "Add --yes." in cli("projects", "delete", f"{name}-two", code=1).stderr
    assert cli("projects", "delete", f"{name}-two", "--yes").stderr == f"Deleted project {name}-two.\n"
    assert cli("projects", "show", f"{name}-two", code=1).stderr.startswith("Error: There is no project")
    assert cli("projects", "list", "--q", name).stderr == f"No project has '{name}' in its name.\n"


def test_every_field_that_is_wrong_is_said(cli: Cli) -> None:
    refused = cli("projects", "create", "Not A Name", code=1)
    assert refused.stdout == ""
    assert refused.stderr.startswith("Error: Use small letters only")


def test_lists_end_at_the_limit_and_say_that_there_is_more(server: Appliance, cli: Cli, name: str) -> None:
    for number in range(3):
        server.project(f"{name}-{number}")
    page = cli.json("projects", "list", "--q", name, "--limit", 2)
    assert len(page["items"]) == 2
    assert page["next"]
    assert cli("projects", "list", "--q", name, "--limit", 2).stderr == "There are more: use --limit.\n"
    assert cli("projects", "list", "--q", name, "--limit", 3).stderr == ""


def test_environments(server: Appliance, cli: Cli, name: str) -> None:
    server.project(name)
    place = ("--project", name)
    made = cli.json("environments", "create", "staging", *place)
    assert made == server.get(f"/projects/{name}/environments/staging")
    assert "nothing yet" in cli("environments", "show", "staging", *place).stdout
    assert cli.json("environments", "list", *place) == server.get(f"/projects/{name}/environments")
    assert "builtin" in cli("environments", "list", HOMEPORT_PROJECT=name).stdout
    assert cli.json("environments", "rename", "staging", "test", *place)["name"] == "test"
    assert cli.json("environments", "backend", "test", "builtin", *place)["backend"] == "builtin"
    assert cli.json("environments", "create", "dev", *place, HOMEPORT_BACKEND="auto")["backend"] == "builtin"
    assert cli("environments", "delete", "test", *place, "-y").stderr == f"Deleted {name} test.\n"
    assert "no environment" in cli("environments", "show", "test", *place, code=1).stderr
    assert "Missing option '--project'" in cli("environments", "list", code=2).stderr


def test_deployments_and_their_logs(server: Appliance, cli: Cli, name: str) -> None:
    server.project(name)
    one = server.deploy(name, {"index.html": "one"})
    two = server.deploy(name, {"index.html": "two"})
    listed = cli.json("deployments", "list", "-p", name)
    assert [it["id"] for it in listed["items"]] == [two["id"], one["id"]]
    assert cli.json("deployments", "list", "-p", name, "--status", "failed")["items"] == []
    table = cli("deployments", "list", "-p", name, "-e", "production").stdout.splitlines()
    assert len(table) == 3
    assert "live" in table[1]
    assert "succeeded" in table[2]
    assert cli.json("deployments", "show", one["id"]) == server.get(f"/deployments/{one['id']}")
    assert "unpack" in cli("deployments", "show", one["id"]).stdout
    assert cli("logs", one["id"]).stdout == server.log(one["id"])
    assert cli.json("logs", one["id"]) == {"deployment": one["id"], "log": server.log(one["id"])}
    followed = cli("logs", one["id"], "--follow", "--json").stdout.splitlines()
    assert len(followed) == len(server.log(one["id"]).splitlines())
    assert "nothing to cancel" in cli("deployments", "cancel", one["id"], code=1).stderr
    assert cli("logs", "nothing", "--follow", code=1).stderr.startswith("Error: There is no such deployment")
    again = cli("deployments", "create", one["bundle"], "-p", name)
    assert again.stdout == f"http://{name}.localhost:{server.port}/\n"
    assert server.visit(name).text == "one"


def test_back_and_onward(server: Appliance, cli: Cli, name: str) -> None:
    server.project(name)
    assert "Nothing" in cli("rollback", "-p", name, code=1).stderr
    one = server.deploy(name, {"index.html": "one"})
    server.deploy(name, {"index.html": "two"})
    rolled = cli("rollback", "-p", name)
    assert rolled.stdout == f"http://{name}.localhost:{server.port}/\n"
    assert server.visit(name).text == "one"
    server.deploy(name, {"index.html": "three"})
    assert cli.json("rollback", "-p", name, "--to", one["id"])["origin"] == one["id"]
    cli("environments", "create", "staging", "-p", name)
    assert cli.json("promote", "-p", name, "--from", "production", "-e", "staging")["source"] == "promotion"
    assert server.visit(f"staging.{name}").text == "one"
    assert cli("open", "-p", name, "-e", "staging").stdout == f"http://staging.{name}.localhost:{server.port}/\n"
    opened, now = cli.json("open", "-p", name), server.get(f"/projects/{name}/environments/production")
    for one in (opened, now):
        one["live"]["xray"] = None  # it may still be looked at
    assert opened == now


def test_urls(server: Appliance, cli: Cli, name: str) -> None:
    server.project(name)
    server.deploy(name, {"index.html": "here"})
    host, place = f"{name}.example.com", ("--project", name)
    assert f"URL          {host}" in cli("urls", "create", host, *place).stdout
    assert server.visit(f"{host}.").text == "here"
    url = cli.json("urls", "show", host)
    assert (url["host"], url["status"]) == (host, "active")
    assert cli.json("urls", "list", *place, "-e", "production")["items"] == [url]
    assert cli.json("urls", "list", *place)["items"] == [url]
    assert url in cli.json("urls", "list", "--limit", 1000)["items"]
    assert cli.json("urls", "check", host)["status"] == "active"
    assert host in cli("urls", "create", host, *place, code=1).stderr
    assert "Add --yes." in cli("urls", "delete", host, code=1).stderr
    assert cli("urls", "delete", host.upper(), "--yes").stderr == f"Deleted {host}.\n"
    assert f"There is no URL {host} here." in cli("urls", "show", host, code=1).stderr
    assert "Name the project" in cli("urls", "list", "-e", "production", code=2).stderr


def test_what_a_url_is_set_to(server: Appliance, cli: Cli, name: str) -> None:
    place, host, old = ("--project", name), f"{name}.example.com", f"old.{name}.example.com"
    server.deploy(server.project(name), {"index.html": "here"})
    cli("urls", "create", host, *place, "--primary", "--allow", "10.0.0.1/8", "--allow", "private")
    made = cli.json("urls", "show", host)
    assert made["primary"] and made["allow"][0] == "10.0.0.0/8" and len(made["allow"]) == 7
    assert "Let in from  10.0.0.0/8, 172.16.0.0/12" in cli("urls", "show", host).stdout
    shown = cli("urls", "create", old, *place, "--redirect-to", "primary", "--redirect-status", "308").stdout
    assert "Leads to     primary (308)" in shown
    assert cli.json("urls", "update", old, "--redirect-to", host)["redirect_to"] == host
    assert cli.json("urls", "update", old, "--redirect-to", "")["redirect_to"] is None
    assert cli.json("urls", "update", host, "--not-primary", "--allow-any")["allow"] == []
    asked = cli("urls", "update", host, "--password", "--user", "guest", stdin="a word of its own\n")
    assert "yes, with the name guest" in asked.stdout and "word of its own" not in asked.stdout + asked.stderr
    assert cli.json("urls", "update", host, "--no-password")["password"] is False
    assert "Say what to change" in cli("urls", "update", host, code=2).stderr
    assert "not both" in cli("urls", "update", host, "--allow", "private", "--allow-any", code=2).stderr
    assert "Choose 301, 302, 307 or 308" in cli("urls", "update", old, "--redirect-status", "303", code=1).stderr


def test_keys(server: Appliance, cli: Cli, name: str) -> None:
    made = cli("keys", "create", name, "--expires-at", "2099-01-31T00:00:00Z")
    key = made.stdout.strip()
    assert key.startswith("hp_")
    assert "not shown again" in made.stderr
    assert cli("whoami", HOMEPORT_KEY=key).stdout.endswith(f" at {server.url}\n")
    eventually(lambda: listed_key(cli, name)["last_used_at"] is not None)  # noted beside the request, not before it
    found = listed_key(cli, name)
    assert cli.json("keys", "show", found["id"]) == found
    assert "2099-01-31 00:00" in cli("keys", "list").stdout
    assert key not in cli("keys", "show", found["id"]).output
    assert cli("keys", "delete", found["id"], "--yes").stderr == f"Revoked the key {name}.\n"
    cli("whoami", code=3, HOMEPORT_KEY=key)
    assert "You have no key" in cli("keys", "delete", found["id"], "--yes", code=1).stderr
    assert "key" in cli.json("keys", "create", name)


def listed_key(cli: Cli, name: str) -> Any:
    (found,) = [it for it in cli.json("keys", "list")["items"] if it["name"] == name]
    return found


def test_bundles(server: Appliance, cli: Cli, name: str, tmp_path: Path) -> None:
    server.project(name)
    deployment = server.deploy(name, {"index.html": name})
    sha256 = deployment["bundle"]
    assert cli.json("bundles", "show", sha256) == server.get(f"/bundles/{sha256}")
    assert "1 file" in cli("bundles", "show", sha256).stdout
    target = tmp_path / "back.zip"
    cli("bundles", "download", sha256, "--output", target)
    assert "is there already" in cli("bundles", "download", sha256, "--output", target, code=1).stderr
    assert [path.name for path in tmp_path.iterdir()] == ["back.zip"]
    assert "no such bundle" in cli("bundles", "show", "0" * 64, code=1).stderr


def test_activity(server: Appliance, cli: Cli, name: str) -> None:
    server.project(name)
    assert cli.json("activity", "--limit", 5)["items"] == server.get("/activity", params={"limit": 5})["items"]
    assert name in cli("activity").stdout


def test_activity_as_a_file_and_verified(server: Appliance, cli: Cli, name: str, tmp_path: Path) -> None:
    server.project(name)
    cli("activity", "export", "-o", tmp_path / "all.ndjson", "--project", name)
    lines = [json.loads(line) for line in (tmp_path / "all.ndjson").read_text().splitlines()]
    assert lines and lines == server.get("/activity", params={"project": name, "limit": 200})["items"][::-1]
    assert cli.json("activity", "--project", name, "--verb", "project")["items"][-1] == lines[0]
    assert json.loads(cli("activity", "export", "--project", name).stdout.splitlines()[0]) == lines[0]
    assert cli.json("activity", "verify")["whole"]
    assert "after “export”" in cli("activity", "--limit", 5, "export", code=2).stderr


@pytest.mark.parametrize("words", [("projects", "show", ".."), ("projects", "show", ""), ("logs", "..")])
def test_a_name_can_not_lead_elsewhere(cli: Cli, words: tuple[str, ...]) -> None:
    assert "There is nothing called" in cli(*words, code=1).stderr
