"""Channels in the browser, without script, and on the command line."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.access.cast import signed_in_as
from tests.appliance import Appliance
from tests.cli.drive import Cli
from tests.mailbox import Mailbox, mailbox
from tests.servers import eventually
from tests.ui.pages import owner_of

HERE = "/settings/notifications"
SECRET = "http://10.1.2.3/services/T0/a-secret-path"


@pytest.fixture
def box(server: Appliance) -> Iterator[Mailbox]:
    with mailbox() as made:
        assert server.ask("PATCH", "/settings", json=made.settings()).status_code == 200
        yield made


@pytest.fixture
def browser(server: Appliance) -> Iterator[httpx.Client]:
    with closing(owner_of(server)) as made:
        yield made


@pytest.fixture
def cli(server: Appliance, tmp_path: Path) -> Cli:
    environ = {"HOMEPORT_SERVER": server.url, "HOMEPORT_KEY": server.key, "XDG_CONFIG_HOME": str(tmp_path)}
    return Cli(environ)


def channel(server: Appliance, name: str) -> str:
    return next(str(one["id"]) for one in server.get("/notifications")["items"] if one["name"] == name)


def test_a_channel_from_the_first_click_to_the_last(server: Appliance, box: Mailbox, browser: httpx.Client) -> None:
    server.project("page-blog")
    typed = {"kind": "email", "name": "Page", "to": "team@example.com", "token": "", "projects": "page-blog"}
    wrong = browser.post(HERE, data=typed | {"to": "nobody"})
    assert wrong.status_code == 422 and "Enter an e-mail address" in wrong.text and 'value="Page"' in wrong.text
    assert "Choose at least one" in browser.post(HERE, data=typed).text
    made = browser.post(HERE, data=typed | {"event.deployment.live": "true"})
    assert made.status_code == 303
    one = made.headers["location"]
    page = browser.get(one).text
    assert "team@example.com" in page and "Nothing was sent yet" in page
    assert page.count(" checked") == 1
    assert "It arrived." in browser.post(f"{one}/test", data={"name": "Page"}).text
    assert box.wait()["Subject"] == "[Homeport] A test from Homeport"
    server.deploy("page-blog", {"index.html": "x"})
    assert box.wait(2)["Subject"] == "[Homeport] page-blog #1 is live in production"
    eventually(lambda: browser.get(one).text.count("Arrived") >= 2)
    (last, *_) = server.get(f"/notifications/{channel(server, 'Page')}/deliveries")["items"]
    assert "page-blog #1 is live" in browser.get(f"/settings/deliveries/{last['id']}").text
    assert browser.post(f"/settings/deliveries/{last['id']}/redeliver").status_code == 303
    box.wait(3)
    assert browser.post(one, data={"name": "Page 2", "event.url.failed": "true", "projects": ""}).status_code == 303
    now = server.get(f"/notifications/{channel(server, 'Page 2')}")
    assert (now["events"], now["all_projects"], now["to"]) == (["url.failed"], True, "team@example.com")
    assert "Remove Page 2" in browser.get(f"{one}/remove").text
    assert browser.post(f"{one}/remove").status_code == 303
    assert browser.get(one).status_code == 404


def test_what_opens_the_door_is_on_no_page(server: Appliance, browser: httpx.Client) -> None:
    typed = {"kind": "webhook", "name": "Page hook", "to": SECRET, "event.deployment.live": "true"}
    made = browser.post(HERE, data=typed)
    assert made.status_code == 201 and "whsec_" in made.text and "a-secret-path" not in made.text
    one = f"{HERE}/{channel(server, 'Page hook')}"
    tested = browser.post(f"{one}/test", data={"name": "Page hook"})
    assert "is inside a network" in tested.text
    again = browser.post(HERE, data=typed)
    assert again.status_code == 409
    exchanged = browser.post(f"{one}/key")
    assert exchanged.status_code == 201 and "whsec_" in exchanged.text
    for path in (HERE, one, f"{one}?event=backup.failed", f"{one}?event=odd", f"{one}/remove", f"{one}/key"):
        text = browser.get(path).text
        assert "a-secret-path" not in text and "whsec_" not in text, path
    assert "a-secret-path" not in again.text
    for delivery in server.get("/deliveries?status=failed")["items"]:
        assert "a-secret-path" not in browser.get(f"/settings/deliveries/{delivery['id']}").text


def test_the_command_line(server: Appliance, box: Mailbox, cli: Cli) -> None:
    server.project("cli-blog")
    made = cli.json("notifications", "create", "email", "Cli", "--to", "a@example.com", "-p", "cli-blog")
    assert made["key"] == ""
    assert "a@example.com" in cli("notifications", "list").stdout
    assert "cli-blog" in cli("notifications", "show", "Cli").stdout
    assert "It arrived" in cli("notifications", "test", "Cli").stdout
    assert box.wait()["To"] == "a@example.com"
    cli("notifications", "update", "Cli", "--event", "deployment.live", "-p", "")
    assert cli.json("notifications", "show", "Cli")["all_projects"] is True
    server.deploy("cli-blog", {"index.html": "x"})
    box.wait(2)
    eventually(lambda: "succeeded" in cli("notifications", "deliveries", "Cli").stdout)
    (last, *_) = cli.json("notifications", "deliveries", "Cli")["items"]
    cli("notifications", "redeliver", last["id"])
    box.wait(3)
    assert "A backup failed" in cli("notifications", "preview", "Cli", "--event", "backup.failed").stdout
    hook = cli("notifications", "create", "webhook", "Cli hook", stdin=f"{SECRET}\n")
    assert "whsec_" in hook.output and "a-secret-path" not in hook.output
    failed = cli("notifications", "test", "Cli hook", code=1)
    assert "inside a network" in failed.stdout
    assert cli("notifications", "key", "Cli hook", "--yes").stdout.startswith("whsec_")
    assert "whsec_" not in json.dumps(cli.json("notifications", "show", "Cli hook"))
    for name in ("Cli", "Cli hook"):
        cli("notifications", "delete", name, "--yes")
    cli("notifications", "show", "Cli", code=1)


def test_a_developer_sees_nothing_of_it(server: Appliance) -> None:
    with signed_in_as(server, "developer", "notified@example.com") as developer:
        assert developer.get("/notifications").status_code == 403
        assert developer.post("/notifications", json={}).status_code == 403
        assert developer.get("/deliveries").status_code == 403
