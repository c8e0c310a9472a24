"""A secret that was told once is never told again, by any door, in any spelling, nor kept where it can be read."""

import base64
import json
import sqlite3
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.appliance import EMAIL, PASSWORD, Appliance

TOKEN = 'S3NT1NEL/+="<&token-0123456789abcdefghij'


def spellings(secret: str) -> list[str]:
    coded = base64.b64encode(secret.encode()).decode()
    return [secret, coded.rstrip("="), quote(secret), quote(secret, safe=""), json.dumps(secret)[1:-1], "S3NT1NEL"]


def assert_unspoken(text: str, where: str) -> None:
    for spelling in spellings(TOKEN):
        assert spelling not in text, f"{where} tells the secret"


PAGES = (
    "/",
    "/projects",
    "/projects/secret",
    "/urls",
    "/activity",
    "/settings",
    "/settings/dns",
    "/settings/nginx",
    "/settings/backups",
)
ANSWERS = ("settings", "activity", "urls", "checks", "projects", "deployments", "openapi.json")


def test_the_token_of_a_provider(tmp_path: Path) -> None:
    with Appliance(tmp_path / "data", HOMEPORT_CLOUDFLARE_API="http://127.0.0.1:9/client/v4") as server:
        saved = server.ask("PATCH", "/settings", json={"cloudflare_token": TOKEN, "dns_target": "192.0.2.1"})
        assert saved.status_code == 200
        assert_unspoken(saved.text, "the answer")
        shown = next(one for one in server.get("/settings")["items"] if one["name"] == "cloudflare_token")
        assert shown["set"] and shown["value"] is None
        server.project("secret")
        assert_unspoken(server.log(server.deploy("secret", {"index.html": "x"})["id"]), "the log")
        urls = "/projects/secret/environments/production/urls?wait=2"
        assert server.ask("POST", urls, json={"host": "s.example.com"}).status_code == 201
        wrong = server.ask("PATCH", "/settings", json={"cloudflare_token": TOKEN + "\u2028", "url": TOKEN})
        assert wrong.status_code == 422
        assert_unspoken(wrong.text, "a refusal")
        for path in (*PAGES, *(f"/api/v1/{name}" for name in ANSWERS), "/metrics", "/healthz", "/docs"):
            answer = server.http.get(server.url + path, headers={"Authorization": f"Bearer {server.key}"})
            assert answer.status_code in {200, 303}, path
            assert_unspoken(answer.text, path)
        browser = {"Authorization": f"Bearer {server.key}", "Accept": "text/html"}
        form = {"cloudflare_token": TOKEN, "dns_target": "192.0.2.1", "cloudflare_proxied": "perhaps"}
        for path in ("/settings/dns", "/settings/dns/test"):
            answer = server.http.post(server.url + path, data=form, headers=browser)
            assert answer.status_code in {200, 303, 422}, answer.text
            assert_unspoken(answer.text, f"the form {path}")
        server.stop()
        assert_unspoken("".join(server.output), "the journal")
        for one in server.data.rglob("*"):
            if one.is_file():
                assert_unspoken(one.read_bytes().decode("latin-1"), one.name)


def test_what_was_sealed_is_opened_with_its_own_key_alone(tmp_path: Path) -> None:
    """The database, taken away without the key, tells nothing, and no other key starts with it."""
    with Appliance(tmp_path / "data") as server:
        server.ask("PATCH", "/settings", json={"cloudflare_token": TOKEN})
        server.stop()
        (server.data / "secret.key").write_bytes(bytes(32))
        with pytest.raises(AssertionError, match=r"secret\.key is not the key that this database was sealed with"):
            server.start()


def test_passwords_are_kept_nowhere(server: Appliance) -> None:
    kept = b"".join(one.read_bytes() for one in server.data.rglob("*") if one.is_file())
    assert PASSWORD.encode() not in kept
    with sqlite3.connect(server.data / "homeport.db", timeout=20) as db:
        (stored,) = db.execute("SELECT password FROM people WHERE email = ?", [EMAIL]).fetchone()
    db.close()
    assert stored.startswith("$2b$12$")


def test_nothing_that_was_typed_to_sign_in_is_said_again(server: Appliance) -> None:
    form = {"email": "typo@example.com", "password": "S3NT1NEL password"}
    for accept in ("text/html", "application/json"):
        answer = server.http.post(f"{server.url}/login", data=form, headers={"Accept": accept})
        assert answer.status_code == 401
        assert "S3NT1NEL" not in answer.text
    answer = server.http.post(f"{server.url}/api/v1/login", json=form)
    assert "S3NT1NEL" not in answer.text
    answer = server.http.post(f"{server.url}/api/v1/login", content=b'{"password": "S3NT1NEL')
    assert answer.status_code == 400 and "S3NT1NEL" not in answer.text
    assert "S3NT1NEL" not in "".join(server.output)
