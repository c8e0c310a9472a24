"""The page of settings as a file, as a browser without script has it."""

import html
import re

import httpx

from tests.appliance import Appliance

HERE = "/settings/file"
NONE = {"chosen": ("", b"")}


def hidden(page: str) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page)
    return {name: html.unescape(value) for name, value in found}


def saved(server: Appliance) -> dict[str, str | None]:
    return {one["name"]: one["value"] for one in server.get("/settings")["items"] if one["saved_at"]}


def test_a_file_is_previewed_then_taken(owner: httpx.Client, server: Appliance) -> None:
    file = "version: 1\nsettings:\n  backup_hour: 7\n"
    page = owner.post(f"{HERE}/preview", files={"chosen": ("mine.yaml", file)})
    assert page.status_code == 200 and "This file changes" in page.text
    assert "backup_hour is saved as “7”." in html.unescape(page.text)
    assert "+  backup_hour: 7" in page.text and "backup_hour" not in saved(server)
    done = owner.post(HERE, data=hidden(page.text))
    assert (done.status_code, done.headers["location"]) == (303, HERE)
    assert saved(server)["backup_hour"] == "7"
    again = owner.post(f"{HERE}/preview", files={"chosen": ("mine.yaml", file)})
    assert "This file changes nothing" in again.text


def test_what_changed_meanwhile_is_shown_first(owner: httpx.Client, server: Appliance) -> None:
    page = owner.post(f"{HERE}/preview", data={"file": "version: 1\nsettings:\n  backup_keep: 4\n"}, files=NONE)
    server.ask("PATCH", "/settings", json={"backup_hour": "9"})
    shown = owner.post(HERE, data=hidden(page.text))
    assert shown.status_code == 200 and "have changed since you looked" in shown.text
    assert "backup_hour is forgotten" in shown.text and saved(server)["backup_hour"] == "9"
    assert owner.post(HERE, data=hidden(shown.text)).status_code == 303
    assert saved(server) == {"backup_keep": "4"}


def test_what_is_wrong_is_shown_beside_what_was_typed(owner: httpx.Client) -> None:
    typed = "version: 1\nsettings:\n  backup_hour: 99\n  <b>: 1\n"
    page = owner.post(f"{HERE}/preview", data={"file": typed}, files=NONE)
    assert page.status_code == 422
    assert "There is no setting called &lt;b&gt;" in page.text and "  backup_hour: 99\n  &lt;b&gt;: 1" in page.text
    assert owner.post(f"{HERE}/preview", files={"chosen": ("x.yaml", b"\xff\xfe")}).status_code == 400
    assert owner.post(f"{HERE}/preview", files={"chosen": ("x.yaml", b"# " + b"x" * 70_000)}).status_code == 413
