"""The ACME client against a real server that is difficult, and against one that says what Pebble never says."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from appliance.certificates import checks, internal, pem, refusals
from appliance.certificates.acme import Bound, Client, known_as
from appliance.errors import RemoteFailed
from appliance.settings import Settings
from tests.authority import Pebble
from tests.servers import free_port

HOST = "www.example.com"
MAC_KEY = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"


@pytest.mark.acme
def test_nonces_that_are_refused_are_asked_for_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Pebble(tmp_path / "pebble", free_port(), refused_nonces=50) as pebble:
        monkeypatch.setenv("SSL_CERT_FILE", str(pebble.trust))
        client = Client(pebble.directory, pem.new_key())
        client.register("webmaster@example.com")
        orders = [client.order((f"h{number}.example.com",)) for number in range(10)]
        assert {order.status for order in orders} == {"pending"}
        assert client.see(orders[0].url).url == orders[0].url


@pytest.mark.acme
def test_an_account_elsewhere_is_bound_where_the_server_asks_for_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Pebble(tmp_path / "pebble", free_port(), bound={"kid-1": MAC_KEY}) as pebble:
        monkeypatch.setenv("SSL_CERT_FILE", str(pebble.trust))
        with pytest.raises(RemoteFailed, match="wants an account there first") as refused:
            Client(pebble.directory, pem.new_key()).register("")
        assert refused.value.permanent and "Enter the account's id" in refused.value.todo[0]
        with pytest.raises(RemoteFailed):
            Client(pebble.directory, pem.new_key()).register("", Bound("kid-2", MAC_KEY))
        assert Client(pebble.directory, pem.new_key()).register("", Bound("kid-1", MAC_KEY))
        settings = Settings(acme_directory=pebble.directory)
        assert [one.status for one in checks.look(settings)] == ["ok", "failed", "ok"]
        entered = replace(settings, acme_eab_id="kid-1", acme_eab_key=MAC_KEY)
        assert {one.status for one in checks.look(entered)} == {"ok"}


@contextmanager
def server(answers: dict[str, tuple[int, dict[str, str], Any]]) -> Iterator[str]:
    """A directory that answers as it is told."""

    class Told(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, headers, body = answers.get(self.path, (404, {}, {}))
            content = json.dumps(body).encode()
            self.send_response(status)
            for name, value in {"Replay-Nonce": "nonce", "Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_GET = do_POST = do_HEAD = answer

        def log_message(self, *_: object) -> None:
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Told)
    base = f"http://127.0.0.1:{running.server_port}"
    places = {"newNonce": "nonce", "newAccount": "account", "newOrder": "order", "renewalInfo": "renewal"}
    answers["/dir"] = (200, {}, {name: f"{base}/{place}" for name, place in places.items()})
    threading.Thread(target=running.serve_forever, daemon=True).start()
    try:
        yield f"{base}/dir"
    finally:
        running.shutdown()
        running.server_close()


def test_asked_too_often_it_is_left_alone_for_as_long_as_it_says() -> None:
    limited = {"type": "urn:ietf:params:acme:error:rateLimited", "detail": "too many certificates already issued"}
    with server({"/order": (429, {"Retry-After": "7200"}, limited)}) as directory:
        with pytest.raises(RemoteFailed, match="asked too often") as refused:
            Client(directory, pem.new_key(), "an account").order((HOST,))
    assert (refused.value.permanent, refused.value.retry_after) == (False, 7200)
    assert refused.value.said == "too many certificates already issued"


def test_without_a_pause_of_its_own_it_is_an_hour() -> None:
    assert refusals.of({}, 429, "https://ca.example/dir").retry_after == refusals.LATER


@pytest.mark.parametrize("kind", sorted(refusals.WORDS))
def test_every_refusal_is_a_sentence_that_names_who_said_it(kind: str) -> None:
    why = refusals.of({"type": f"urn:ietf:params:acme:error:{kind}"}, 403, "https://ca.example/dir")
    assert why.detail == f"The certificate authority ca.example says no. {refusals.WORDS[kind]}."


def test_what_is_no_acme_server_is_said_to_be_none() -> None:
    with server({}) as directory:
        answers = checks.look(Settings(acme_directory=directory.replace("/dir", "/renewal")))
    assert [one.status for one in answers] == ["failed"]
    (unreached,) = checks.look(Settings(acme_directory=f"http://127.0.0.1:{free_port()}/dir"))
    assert unreached.status == "failed" and "can't be reached" in unreached.text


def test_when_to_renew_is_asked_by_the_certificates_own_name(tmp_path: Path) -> None:
    now = datetime(2027, 5, 3, tzinfo=UTC)
    leaf = internal.issue(tmp_path, (HOST,), now, "x").leaf
    window = {"start": "2027-06-01T00:00:00Z", "end": "2027-06-03T00:00:00Z"}
    with server({f"/renewal/{known_as(leaf)}": (200, {}, {"suggestedWindow": window})}) as directory:
        found = Client(directory, pem.new_key()).window(leaf)
    assert found == (datetime(2027, 6, 1, tzinfo=UTC), datetime(2027, 6, 3, tzinfo=UTC))
    wrong = {"start": "soon", "end": 3}
    with server({f"/renewal/{known_as(leaf)}": (200, {}, {"suggestedWindow": wrong})}) as directory:
        assert Client(directory, pem.new_key()).window(leaf) is None
    assert (found[1] - found[0]) == timedelta(days=2)
