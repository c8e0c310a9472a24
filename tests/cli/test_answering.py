"""`homeport environments site` and `guard`."""

import json

from tests.appliance import Appliance
from tests.cli.drive import Cli

APP = {"index.html": "<h1>app</h1>", "assets/index-BfQ2nV7x.js": "one()"}


def test_site(server: Appliance, cli: Cli, name: str) -> None:
    server.deploy(server.project(name), APP)
    shown = cli("environments", "site", "production", "-p", name).stdout
    assert "Clean URLs" in shown and "public, max-age=31536000, immutable" in shown and "72 hours" in shown
    seen = cli("environments", "site", "production", "-p", name, "--fallback", "--preview")
    assert "/settings" in seen.stdout and "index.html, no-cache" in seen.stdout
    assert "single-page app" in seen.stderr
    assert cli.json("environments", "site", "production", "-p", name)["fallback"] is False
    made = cli.json("environments", "site", "production", "-p", name, "--fallback", "--bridge-hours", "0")
    assert (made["fallback"], made["bridge_hours"], made["clean_urls"]) == (True, 0, True)
    again = cli.json("environments", "site", "production", "-p", name, "--no-clean-urls", "--pages", "max-age=60")
    assert (again["fallback"], again["clean_urls"], again["pages"]) == (True, False, "max-age=60")
    refused = cli("environments", "site", "production", "-p", name, "--pages", "x;y", code=1)
    assert "Enter a Cache-Control" in refused.stderr


def test_guard(server: Appliance, cli: Cli, name: str) -> None:
    server.deploy(server.project(name), APP)
    assert "none" in cli("environments", "guard", "production", "-p", name).stdout
    words = ("environments", "guard", "production", "-p", name, "--password", "--user", "team", "--json")
    made = json.loads(cli(*words, stdin="open sesame\n").stdout)
    assert made == {"user": "team", "password": True, "maintenance": ""}
    assert server.visit(name).status_code == 401
    down = cli("environments", "guard", "production", "-p", name, "--maintenance", "Back at noon.")
    assert "Back at noon." in down.stdout and "set, for team" in down.stdout
    assert server.visit(name).status_code == 503
    cli("environments", "guard", "production", "-p", name, "--up", "--no-password")
    assert server.visit(name).status_code == 200
    cli("environments", "guard", "production", "-p", name, "--up", "--maintenance", "x", code=1)
