"""Certificates by every door, from the internal CA and uploaded, served by a real NGINX."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from appliance.certificates import internal
from tests.appliance import Appliance
from tests.certificates.test_acme import add, certificate, http, port_of, settled, shown, want
from tests.cli.drive import Cli
from tests.servers import Nginx, ask, eventually, free_port
from tests.ui.pages import owner_of

pytestmark = pytest.mark.nginx
HOST = "www.example.com"


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    with Nginx(tmp_path_factory.mktemp("nginx")) as running:
        yield running


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, nginx: Nginx) -> Iterator[Appliance]:
    environ = {**nginx.environ, "HOMEPORT_NGINX_LISTEN_TLS": f"127.0.0.1:{free_port()}", "HOMEPORT_BACKEND": "nginx"}
    with Appliance(tmp_path_factory.mktemp("served") / "data", **environ) as running:
        running.project("blog")
        running.deploy("blog", {"index.html": "<h1>blog</h1>"})
        add(running, HOST)
        yield running


@pytest.fixture(autouse=True)
def nothing_before(served: Appliance) -> None:
    served.ask("DELETE", f"/urls/{HOST}/certificate")
    eventually(lambda: ask(http(served), "/", HOST).status == 200)


@pytest.fixture
def owner(served: Appliance) -> Iterator[httpx.Client]:
    client = owner_of(served)
    yield client
    client.close()


@pytest.fixture
def cli(served: Appliance) -> Cli:
    return Cli({"HOMEPORT_SERVER": served.url, "HOMEPORT_KEY": served.key})


def test_without_one_the_api_says_so(served: Appliance) -> None:
    assert served.get("/urls")["items"][0]["certificate"] is None
    assert certificate(served)["status"] == "none"
    assert served.ask("POST", f"/urls/{HOST}/certificate/renew").status_code == 404
    assert served.ask("GET", "/urls/nobody.example.com/certificate").status_code == 404


def test_from_the_internal_ca_whoever_has_its_root_trusts_it(served: Appliance) -> None:
    want(served, tls="internal", redirect=False)
    assert settled(served)["status"] == "ok"
    answer = served.ask("GET", "/ca")
    assert answer.headers["content-type"] == "application/x-x509-ca-cert"
    shown(served, answer.text)
    assert ask(http(served), "/", HOST).status == 200, "no redirect was asked for"
    address = served.get("/projects/blog/environments/production")["address"]
    assert address == f"https://{HOST}:{port_of(served)}/"


def test_an_uploaded_one_is_served_and_its_key_never_shown(served: Appliance, tmp_path: Path) -> None:
    pair = internal.issue(tmp_path, (HOST,), datetime.now(UTC), "elsewhere")
    want(served, tls="upload", chain=pair.chain, key=pair.key, hsts=86400)
    assert settled(served)["issuer"] == "Homeport"
    root = internal.root_text(tmp_path)
    assert root is not None
    shown(served, root)
    line = pair.key.splitlines()[1]
    for path in ("/urls", f"/urls/{HOST}/certificate", "/activity", "/settings"):
        assert line not in served.ask("GET", path).text
    want(served, tls="upload", redirect=False)
    assert settled(served)["redirect"] is False, "what was uploaded stays, where nothing new is"


def test_one_that_does_not_fit_changes_nothing(served: Appliance, tmp_path: Path) -> None:
    pair = internal.issue(tmp_path, ("other.example.com",), datetime.now(UTC), "elsewhere")
    answer = served.ask(
        "PUT", f"/urls/{HOST}/certificate", json={"tls": "upload", "chain": pair.chain, "key": pair.key}
    )
    assert answer.status_code == 422
    assert answer.json()["errors"] == {"chain": f"It does not cover {HOST}: it is for other.example.com"}
    assert certificate(served)["status"] == "none"


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({}, "tls"),
        ({"tls": "letsencrypt"}, "tls"),
        ({"tls": "acme", "hsts": 60, "redirect": False}, "hsts"),
        ({"tls": "acme", "hsts": -1}, "hsts"),
        ({"tls": "acme", "key": "x"}, "key"),
        ({"tls": "upload"}, "chain"),
        ({"tls": "acme", "more": 1}, "more"),
    ],
)
def test_wrong_wishes_are_named_by_their_field(served: Appliance, wish: dict[str, object], field: str) -> None:
    answer = served.ask("PUT", f"/urls/{HOST}/certificate", json=wish)
    assert answer.status_code == 422 and field in answer.json()["errors"]


def test_by_the_command_line(served: Appliance, cli: Cli, tmp_path: Path) -> None:
    made = cli.json("certificates", "set", HOST, "internal", "--hsts", 60)
    assert (made["status"], made["hsts"]) == ("ok", 60)
    assert HOST in cli("certificates", "list").stdout
    assert "HTTP leads to HTTPS" in cli("certificates", "show", HOST).stdout
    cli("certificates", "renew", HOST)
    cli("ca", "--output", tmp_path / "root.crt")
    assert cli("ca").stdout == (tmp_path / "root.crt").read_text() == served.ask("GET", "/ca").text
    pair = internal.issue(tmp_path / "ca", (HOST,), datetime.now(UTC), "elsewhere")
    files = (tmp_path / "chain.pem", tmp_path / "key.pem")
    for file, text in zip(files, (pair.chain, pair.key), strict=True):
        file.write_text(text)
    assert cli.json("certificates", "set", HOST, "upload", "--files", *files)["tls"] == "upload"
    assert cli.json("certificates", "set", HOST, "off")["status"] == "none"


def test_in_the_browser_without_script(served: Appliance, owner: httpx.Client) -> None:
    page = f"/urls/{HOST}/certificate"
    assert "HTTP alone" in owner.get("/urls").text
    assert owner.post(page, data={"tls": "internal", "redirect": "true", "hsts": "0"}).headers["location"] == page
    assert settled(served)["status"] == "ok"
    assert "Homeport" in owner.get(page).text and "Renew now" in owner.get(page).text
    assert HOST in owner.get("/settings/certificates").text
    assert owner.get("/ca").text.startswith("-----BEGIN CERTIFICATE-----")
    wrong = owner.post(page, data={"tls": "upload", "chain": "nonsense", "key": "my secret key"})
    assert wrong.status_code == 422
    assert "Paste the certificate as PEM" in wrong.text and "my secret key" not in wrong.text
    assert owner.post(f"{page}/renew").status_code == 303


def test_settings_are_saved_and_tested_in_the_browser(served: Appliance, owner: httpx.Client) -> None:
    page, nowhere = "/settings/certificates", f"http://127.0.0.1:{free_port()}/dir"
    asked = {
        "tls": "internal",
        "acme_directory": nowhere,
        "acme_email": "",
        "acme_challenge": "http",
        "acme_eab_id": "",
    }
    tested = owner.post(f"{page}/test", data={**asked, "acme_eab_key": "S3NT"})
    assert "be used like this" in tested.text and "reached" in tested.text
    assert "S3NT" not in tested.text
    assert owner.post(page, data={**asked, "acme_email": "nobody"}).status_code == 422
    assert owner.post(page, data=asked).status_code == 303
    add(served, "new.example.com")
    assert settled(served, "new.example.com")["tls"] == "internal"
    served.ask("PATCH", "/settings", json={"tls": None, "acme_directory": None})


def test_homeport_itself_speaks_no_https(server: Appliance) -> None:
    server.project("plain")
    server.deploy("plain", {"index.html": "x"})
    server.ask("POST", "/projects/plain/environments/production/urls?wait=10", json={"host": "plain.example.com"})
    answer = server.ask("PUT", "/urls/plain.example.com/certificate", json={"tls": "internal"})
    assert answer.status_code == 409 and "only NGINX speaks HTTPS" in answer.json()["detail"]
