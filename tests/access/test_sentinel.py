"""A known secret in every field that takes one, everything driven, and the secret found nowhere.

Fields are found where they are: in the table of settings, and in the forms of the pages. A new one is in it by itself.
"""

import base64
import gzip
import html
import io
import json
import logging
import re
import smtplib
import socketserver
import sqlite3
import sys
import tarfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from starlette.routing import Route

from appliance.access.actor import OPERATOR
from appliance.access.providers import create_provider
from appliance.api.routes import routes as api_routes
from appliance.model.channels import NewChannel
from appliance.model.providers import NewProvider
from appliance.notify.channels import create_channel
from appliance.settings import SECRETS
from appliance.store.sealed import PLACES
from appliance.ui.routes import routes as ui_routes
from appliance.web.journal import keep_clean
from tests import inside
from tests.appliance import Appliance
from tests.cli.drive import Cli

MARK = "S3NT1NEL"
TAIL = "/+=\"<&'>\\ %41-0123456789"
PROVIDER = f"{MARK}-provider{TAIL}".replace(" ", "")
CHANNEL = f"{MARK}-channel-0123456789"
TOKEN = f"{MARK}-token{TAIL}".replace(" ", "")
VALUES = {name: f"{MARK}-{name}{TAIL}" for name in SECRETS}
FORMS = re.compile(r"<form\b[^>]*>.*?</form>", re.DOTALL)
INPUTS = re.compile(r"<(?:input|textarea|select)\b[^>]*>")
COMMANDS = (
    ("whoami",),
    ("projects", "list"),
    ("environments", "list", "--project", "blog"),
    ("deployments", "list"),
    ("urls", "list"),
    ("keys", "list"),
    ("activity", "--limit", "200"),
    ("variables", "list", "--project", "blog"),
    ("variables", "list", "--project", "blog", "--shared"),
    ("variables", "export", "--project", "blog", "--with-shared"),
    ("settings", "get"),
    ("settings", "export"),
    ("log", "--limit", "200"),
    ("backups", "list"),
    ("backups", "create"),
    ("mail", "test", "owner@example.com"),
    ("notifications", "list"),
    ("notifications", "preview", "Others"),
    ("notifications", "deliveries"),
    ("cleanup", "--dry-run"),
)


def in_other_letters() -> list[str]:
    """The mark, as it shows through whatever the whole is encoded in."""
    raw = MARK.encode()
    cut = (0, 2, 3)
    coded = [base64.b64encode(bytes(n) + raw).decode()[cut[n] :].rstrip("=")[:-1] for n in range(3)]
    return [MARK, *coded, raw.hex(), raw.hex().upper()]


SHOWN = re.compile("|".join(map(re.escape, in_other_letters())))


MADE: list[str] = []  # secrets that the appliance made itself, and has told once


def assert_unspoken(text: str, where: str) -> None:
    assert not [made for made in MADE if made in text], f"{where} tells what was told once"
    found = SHOWN.search(text)
    assert not found, f"{where} tells a secret: …{text[max(found.start() - 80, 0) : found.end() + 40]}…"


def test_it_would_be_found_however_it_is_written() -> None:
    for name, value in VALUES.items():
        for before in ("", "u", "us:", "usr:"):
            coded = base64.b64encode((before + value).encode()).decode()
            for text in (value, quote(value, safe=""), json.dumps(value), html.escape(value), coded):
                with pytest.raises(AssertionError, match="tells a secret"):
                    assert_unspoken(f"x{text}x", name)


@dataclass
class Others:
    """A service elsewhere that says back every secret that there is, in every spelling, with each refusal."""

    http: str
    smtp_port: int


def everything_known() -> str:
    ways = (
        lambda text: text,
        lambda text: quote(text, safe=""),
        quote,
        lambda text: json.dumps(text)[1:-1],
        html.escape,
        lambda text: base64.b64encode(text.encode()).decode(),
        lambda text: base64.b64encode(f"user:{text}".encode()).decode(),
        lambda text: text.encode().hex(),
    )
    return " ".join(way(value) for value in (*VALUES.values(), PROVIDER, CHANNEL, TOKEN) for way in ways)


@pytest.fixture(scope="module")
def others() -> Iterator[Others]:
    class Chatty(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            said = everything_known()
            errors = [{"code": 1000, "message": said}]
            body = json.dumps({"success": False, "errors": errors, "message": said, "error": said}).encode()
            if "s3" in self.path:
                body = f"<Error><Code>Odd</Code><Message>{html.escape(said)}</Message></Error>".encode()
            self.send_response(400)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(b"" if self.command == "HEAD" else body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = answer

        def log_message(self, *_: object) -> None:
            pass

    class Mail(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 here\r\n")
            for line in self.rfile:
                word = line[:4].upper()
                said = f"535 5.7.8 {everything_known()[:400]}" if word == b"AUTH" else "250 AUTH PLAIN LOGIN"
                self.wfile.write(f"{said}\r\n".encode())

    servers = ThreadingHTTPServer(("127.0.0.1", 0), Chatty), socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mail)
    for one in servers:
        one.daemon_threads = True
        threading.Thread(target=one.serve_forever, args=(0.02,), daemon=True).start()
    yield Others(f"http://127.0.0.1:{servers[0].server_address[1]}", servers[1].server_address[1])
    for one in servers:
        one.shutdown()
        one.server_close()


@pytest.fixture(scope="module")
def told(others: Others, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    """It knows every secret, and has something of everything."""
    data = tmp_path_factory.mktemp("told") / "data"
    with Appliance(data, HOMEPORT_CLOUDFLARE_API=f"{others.http}/client/v4") as server:
        plain = {
            "dns_target": "192.0.2.1",
            "backup_place": "s3",
            "backup_s3_endpoint": f"{others.http}/s3",
            "backup_s3_bucket": "backups",
            "backup_s3_key_id": "AKID",
            "smtp_host": "127.0.0.1",
            "smtp_port": str(others.smtp_port),
            "smtp_security": "none",
            "smtp_user": "homeport",
            "smtp_from": "homeport@example.net",
        }
        saved = server.ask("PATCH", "/settings", json={**plain, **VALUES})
        assert saved.status_code == 200, saved.text
        assert_unspoken(saved.text, "the answer")
        shown = {one["name"]: one for one in server.get("/settings")["items"]}
        assert all(shown[name]["set"] and shown[name]["value"] is None for name in SECRETS)
        server.project("blog")
        for where in ("", "/environments/production"):
            set_ = {"value": f"{MARK}-variable{TAIL}", "secret": True}
            kept = server.ask("PUT", f"/projects/blog{where}/variables/KEY", json=set_)
            assert kept.status_code == 200, kept.text
            assert_unspoken(kept.text, "the answer")
        server.deploy("blog", {"index.html": "<h1>Blog</h1>"})
        server.ask("POST", "/projects/blog/environments/production/urls?wait=2", json={"host": "blog.example.com"})
        server.ask("POST", "/backups?wait=5", json={})
        sign_in = {"kind": "oidc", "id": "others", "name": "Others", "client_id": "homeport", "issuer": others.http}
        made = server.ask("POST", "/providers", json={**sign_in, "client_secret": PROVIDER})
        assert made.status_code == 201, made.text
        assert_unspoken(made.text, "the answer")
        tested = server.ask("POST", "/providers/others/test", json={})
        assert_unspoken(tested.text, "the test of a provider")
        channel = {"kind": "ntfy", "name": "Others", "to": f"http://10.0.0.1/{CHANNEL}", "token": TOKEN}
        made = server.ask("POST", "/notifications", json=channel)
        assert made.status_code == 201, made.text
        server.ask("POST", f"/notifications/{made.json()['id']}/test", json={})
        hook = {"kind": "webhook", "name": "Hook", "to": f"http://10.0.0.1/{CHANNEL}"}
        MADE.append(server.ask("POST", "/notifications", json=hook).json()["key"])
        begun = server.http.post(
            f"{server.url}/api/v1/me/totp", json={}, headers={"Authorization": f"Bearer {server.token}"}
        )
        assert begun.status_code == 201, begun.text
        MADE.append(begun.json()["secret"])
        yield server
        assert server.stop() == 0
        assert_unspoken("".join(server.output), "the journal")  # after all that was done
        files = [one for one in data.rglob("*") if one.is_file() and not one.is_symlink()]
        assert len(files) > 5
        for one in files:
            assert_unspoken(one.read_bytes().decode("latin-1"), one.name)


def params(server: Appliance) -> dict[str, str]:
    (deployed,) = server.get("/deployments")["items"]
    backups = server.get("/backups")["items"]
    return {
        "project": "blog",
        "environment": "production",
        "deployment": deployed["id"],
        "sha256": deployed["bundle"],
        "host": "blog.example.com",
        "backup": backups[0]["id"] if backups else "x",
        "key": server.get("/keys")["items"][0]["id"],
        "provider": "others",
        "channel": server.get("/notifications")["items"][0]["id"],
        "delivery": server.get("/deliveries")["items"][0]["id"],
        "name": "app.css",
        "page": "api",
    }


def addresses(server: Appliance) -> Iterator[str]:
    """Every address that can be looked at; where a test doesn't know what is there, something that isn't."""
    known = params(server)
    for one in (*api_routes(), *ui_routes()):
        if isinstance(one, Route) and "GET" in (one.methods or ()):
            names = {**known, "name": "KEY"} if "/variable" in one.path else known
            yield re.sub(r"\{(\w+)[^}]*\}", partial(_named, names), one.path)


def _named(names: Mapping[str, str], found: re.Match[str]) -> str:
    return names.get(found[1], "x")


def look(server: Appliance, path: str) -> str:
    """What is at an address as a browser gets it; of a stream, which never ends, what comes at first."""
    headers = {"Authorization": f"Bearer {server.key}", "Accept": "text/html", "Accept-Encoding": "identity"}
    said = ""
    with server.http.stream("GET", server.url + path, headers=headers, timeout=20) as answer:
        said = f"{answer.headers}"
        for chunk in answer.iter_raw():
            said += chunk.decode("latin-1")
            if answer.headers.get("content-type", "").startswith("text/event-stream"):
                break
    return said


def test_every_page_and_endpoint(told: Appliance) -> None:
    paths = sorted(set(addresses(told)))
    assert len(paths) > 60
    for path in paths:
        assert_unspoken(look(told, path), path)


def forms(text: str) -> Iterator[tuple[str, dict[str, str], list[str]]]:
    """Where each form that takes a secret goes, what is in it, and its fields for secrets."""
    for form in FORMS.findall(text):
        fields: dict[str, str] = {}
        secret = []
        for field in INPUTS.findall(form):
            found = dict(re.findall(r'([\w-]+)="([^"]*)"', field))
            if name := found.get("name"):
                fields[name] = html.unescape(found.get("value", ""))
                if found.get("type") == "password" or name == "value":  # one of a variable, which may be a secret
                    secret.append(name)
                    assert not found.get("value"), f"{name} is sent back to the page"
        if secret:
            action = re.search(r'\baction="([^"]*)"', form)
            assert 'method="post"' in form, f"{form[:200]} puts what is typed into an address"
            others_there = re.findall(r'\bformaction="([^"]*)"', form)
            for to in {action[1] if action else "", *others_there}:
                yield html.unescape(to), fields, secret


def test_every_form_that_takes_a_secret(told: Appliance) -> None:
    """Filled in well and badly, saved and tried out."""
    seen: set[str] = set()
    headers = {"Authorization": f"Bearer {told.key}", "Accept": "text/html", "Accept-Encoding": "identity"}
    for path in sorted(set(addresses(told))):
        if path.startswith("/api"):
            continue
        for to, fields, secret in forms(look(told, path)):
            where = to or path
            seen |= {f"{where} {name}" for name in secret}
            typed = {**fields, **dict.fromkeys(secret, f"{MARK}-form{TAIL}")}
            odd = {name: value if name in secret else f"\u2028{value}?" for name, value in typed.items()}
            for body in (typed, odd):
                answer = told.http.post(told.url + where, data=body, headers=headers)
                assert answer.status_code < 500, f"{where}: {answer.text[:2000]}"
                assert_unspoken(f"{answer.headers} {answer.text}", f"the form {where}")
    assert {"/settings/dns cloudflare_token", "/settings/mail smtp_password"} <= seen, seen
    assert {"/settings/dns rfc2136_key_secret", "/settings/dns route53_secret"} <= seen, seen
    assert {"/projects/blog/variables value", "/projects/blog/variable/KEY value"} <= seen, seen
    again = told.ask("PATCH", "/settings", json=VALUES)
    assert again.status_code == 200


def test_what_is_refused(told: Appliance) -> None:
    for body in ({**VALUES, "url": f"{MARK}{TAIL}"}, {name: f"{value}\u2028x" for name, value in VALUES.items()}):
        answer = told.ask("PATCH", "/settings", json=body)
        assert answer.status_code == 422
        assert_unspoken(answer.text, "a refusal")
    broken = told.ask("PATCH", "/settings", content=json.dumps(VALUES)[:-3].encode())
    assert broken.status_code == 400
    assert_unspoken(broken.text, "a body that is broken off")


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_the_command_line(told: Appliance, tmp_path: Path, words: tuple[str, ...]) -> None:
    for more in ((), ("--json",)):
        environ = {"HOMEPORT_SERVER": told.url, "HOMEPORT_KEY": told.key, "XDG_CONFIG_HOME": str(tmp_path)}
        ran = Cli(environ).process(*words, *more)
        out, err = ran.communicate(timeout=60)
        assert_unspoken(out + err, " ".join(words))


@pytest.mark.parametrize("words", [("doctor",), ("user", "list"), ("rotate-key",)], ids=" ".join)
def test_the_command_line_on_the_host(told: Appliance, words: tuple[str, ...]) -> None:
    out, err = Cli().process(*words, "--data", told.data).communicate(timeout=60)
    assert_unspoken(out + err, " ".join(words))


def test_a_start_with_a_secret_that_can_not_be(tmp_path: Path) -> None:
    """Told by its name, not by what it is."""
    for name in SECRETS:
        env = f"HOMEPORT_{name.upper()}"
        ran = Cli({env: MARK}).process("serve", "--data", tmp_path / name, "--port", "0")
        with suppress(Exception):
            ran.wait(3)
        ran.kill()
        out, err = ran.communicate()
        assert_unspoken(out + err, env)


def test_a_backup(told: Appliance, tmp_path: Path) -> None:
    Cli()("backup", tmp_path / "b.tar", "--data", told.data, HOMEPORT_PASSPHRASE="an umbrella or two")
    with tarfile.open(tmp_path / "b.tar") as tar:
        for member in tar.getmembers():
            content = tar.extractfile(member)
            assert content is not None
            text = content.read()
            text = gzip.decompress(text) if member.name.endswith(".gz") else text
            assert_unspoken(text.decode("latin-1"), member.name)


def test_every_place_that_holds_something_sealed_is_known(told: Appliance) -> None:
    """What is not in the list would be left behind when the key is exchanged."""
    found = set()
    db = sqlite3.connect(told.data / "homeport.db", timeout=20)
    for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        for column in [row[1] for row in db.execute(f"PRAGMA table_info({table})")]:
            if db.execute(f"SELECT 1 FROM {table} WHERE CAST(\"{column}\" AS TEXT) GLOB 'hp1.*' LIMIT 1").fetchone():
                found.add((table, column))
    db.close()
    assert {("saved", "value"), ("providers", "secret"), ("totp", "secret"), ("variables", "value")} <= found
    assert found <= {(table, column) for table, (_, column) in PLACES.items()}


def test_a_trace_in_the_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with inside.context(tmp_path / "data") as ctx:
        inside.save(ctx, **VALUES)
        sign_in = {"kind": "google", "client_id": "homeport", "client_secret": PROVIDER}
        create_provider(ctx, OPERATOR, NewProvider.parse(sign_in))
        channel = {"kind": "ntfy", "name": "Others", "to": f"http://10.0.0.1/{CHANNEL}", "token": TOKEN}
        create_channel(ctx, OPERATOR, NewChannel.parse(channel))
        written = io.StringIO()
        handler = logging.StreamHandler(written)
        monkeypatch.setattr(logging.getLogger(), "handlers", [handler])
        monkeypatch.setattr(threading, "excepthook", threading.excepthook)
        keep_clean(ctx)
        try:
            raise smtplib.SMTPAuthenticationError(535, everything_known().encode())
        except smtplib.SMTPException:
            logging.getLogger("homeport.test").exception("it failed: %s", VALUES)
        thread = threading.Thread(target=lambda: sys.modules[everything_known()], name="odd")
        thread.start()
        thread.join()
        assert "odd ended in a fault" in written.getvalue() and "Traceback" in written.getvalue()
        assert_unspoken(written.getvalue(), "the journal")
        assert_unspoken(repr(ctx) + repr(ctx.settings), "a context that is shown")


def things(server: Appliance) -> dict[str, Any]:
    """All that one install has by chance."""
    db = sqlite3.connect(server.data / "homeport.db", timeout=20)
    rows = {
        "instance and key": [
            row[0] for row in db.execute("SELECT value FROM meta WHERE name IN ('instance', 'secret')")
        ],
        "salt": [row[0] for row in db.execute("SELECT password FROM people")],
        "session": [row[0] for row in db.execute("SELECT id FROM sessions")],
        "hash of a key": [row[0] for row in db.execute("SELECT hash FROM keys")],
        "sealed": [part for row in db.execute("SELECT value FROM saved") for part in row[0].split(".")[1:]],
    }
    db.close()
    key = (server.data / "secret.key").read_bytes()
    return {**rows, "file": [key], "token": [server.token], "key": [server.key], "link": [server.setup_token]}


def test_two_fresh_installs_share_nothing(tmp_path: Path) -> None:
    found = []
    for name in ("one", "two"):
        with Appliance(tmp_path / name) as server:
            assert server.ask("PATCH", "/settings", json={"cloudflare_token": VALUES["cloudflare_token"]}).is_success
            found.append(things(server))
    one, two = found
    for name in one:
        assert one[name] and not set(one[name]) & set(two[name]), f"both have the same: {name}"
