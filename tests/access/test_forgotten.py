"""A forgotten password: the link, and what somebody tries who would like another's."""

import re
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from statistics import median
from time import perf_counter

import httpx
import pytest

from appliance.access import forgotten, mail, sessions, setup
from appliance.access.actor import OPERATOR
from appliance.context import Context
from appliance.errors import HomeportError, NotFound
from appliance.machine import clock
from appliance.model.people import Credentials, Forgotten, NewPerson, Reset
from tests import inside
from tests.access.cast import add_person
from tests.appliance import EMAIL, PASSWORD, Appliance
from tests.mailbox import Mailbox, mailbox
from tests.servers import eventually
from tests.ui.pages import owner_of, stranger_of

NEW = "an entirely other one"


@pytest.fixture(scope="module")
def box() -> Iterator[Mailbox]:
    with mailbox() as made:
        yield made


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, box: Mailbox) -> Iterator[Appliance]:
    """One that never slows down who asks: each test asks for itself."""
    with Appliance(tmp_path_factory.mktemp("forgotten") / "data", HOMEPORT_LIMIT_TRIES="0") as running:
        running.ask("PATCH", "/settings", json=box.settings())
        yield running


@pytest.fixture
def browser(home: Appliance) -> Iterator[httpx.Client]:
    with closing(stranger_of(home)) as made:
        yield made


@pytest.fixture
def ctx(tmp_path: Path) -> Iterator[Context]:
    with inside.context(tmp_path / "data") as made:
        inside.save(made, smtp_host="127.0.0.1", smtp_from="homeport@example.net", smtp_security="none")
        setup.add_person(made, OPERATOR, NewPerson(EMAIL, PASSWORD))
        yield made


def link_in(box: Mailbox, many: int) -> str:
    found = re.search(r"http\S+", box.wait(many).get_content())
    assert found is not None
    return found[0]


def test_a_new_password_by_mail(home: Appliance, box: Mailbox, browser: httpx.Client) -> None:
    """By a link of this appliance's own, whatever the request said its name was. It works once, and ends sessions."""
    add_person(home, "kim@example.com", "viewer")
    with closing(stranger_of(home)) as open_before:
        open_before.post("/login", data={"email": "kim@example.com", "password": "staple battery horse"})
        many = len(box.arrived) + 1
        forged = {"X-Forwarded-Host": "evil.example.org", "Forwarded": "host=evil.example.org"}
        assert "Look at your mail" in browser.post("/forgot", data={"email": "Kim@Example.com"}, headers=forged).text
        link = link_in(box, many)
        assert link.startswith(f"{home.url}/reset?token=") and box.arrived[-1]["To"] == "kim@example.com"
        page = browser.get(link)
        assert (
            page.status_code == 200 and "kim@example.com" in page.text and page.headers["cache-control"] == "no-store"
        )
        token = link.partition("token=")[2]
        assert browser.post("/reset", data={"token": token, "password": "short"}).status_code == 422
        done = browser.post("/reset", data={"token": token, "password": NEW})
        assert done.status_code == 303 and done.headers["location"] == "/login"
        assert browser.get("/projects").status_code == 303, "setting it signs nobody in"
        assert open_before.get("/projects").status_code == 303, "who was in is out"
    assert browser.get(link).status_code == 404
    assert browser.post("/reset", data={"token": token, "password": NEW}).status_code == 404
    assert browser.post("/login", data={"email": "kim@example.com", "password": NEW}).status_code == 303


def test_by_the_api(home: Appliance, box: Mailbox) -> None:
    add_person(home, "lee@example.com", "viewer")
    many = len(box.arrived) + 1
    api = f"{home.url}/api/v1/password"
    assert home.http.post(f"{api}/forgotten", json={"email": "lee@example.com"}).status_code == 204
    token = link_in(box, many).partition("token=")[2]
    kept = b"".join(path.read_bytes() for path in home.data.glob("homeport.db*"))
    assert token.encode() not in kept and token not in "".join(home.output)
    assert home.http.post(f"{api}/reset", json={"token": token, "password": NEW}).status_code == 204
    assert home.http.post(f"{api}/reset", json={"token": token, "password": NEW}).status_code == 404
    login = {"email": "lee@example.com", "password": NEW}
    assert home.http.post(f"{home.url}/api/v1/login", json=login).status_code == 201


def test_nobody_learns_whose_address_it_is(tmp_path: Path, box: Mailbox) -> None:
    """Not by the answer, and not by how long it takes. Each asks from somewhere else, so that nobody has to wait."""
    known, unknown = "known-here@example.com", "not-known@example.com"
    here = Appliance(tmp_path / "data", HOMEPORT_LIMIT_TRIES="0", HOMEPORT_TRUSTED_PROXIES="127.0.0.1")
    with here, closing(stranger_of(here)) as browser:
        here.ask("PATCH", "/settings", json=box.settings())
        pages: dict[str, str] = {}
        took: dict[str, list[float]] = {known: [], unknown: []}
        for number in range(30):
            for name, times in took.items():
                address = f"{number}{name}"
                if name == known:
                    add_person(here, address, "viewer")
                came_from = {"X-Forwarded-For": f"198.51.100.{number * 2 + (name == known)}"}
                began = perf_counter()
                answer = browser.post("/forgot", data={"email": address}, headers=came_from)
                times.append(perf_counter() - began)
                assert answer.status_code == 200
                pages[name] = answer.text.partition("<main")[2].replace(address, "")
    assert pages[known] == pages[unknown]
    fast, slow = sorted(median(times) for times in took.values())
    assert slow < fast * 2 + 0.01
    assert not any(unknown in str(one["To"]) for one in box.arrived)


def test_a_flood_of_mail_is_slowed_down(ctx: Context) -> None:
    """For an address that is somebody's as for one that is nobody's."""
    for email in (EMAIL, "nobody@example.com"):
        refused = [_asks(ctx, email, f"192.0.2.{number}") for number in range(8)]
        assert refused[:5] == [""] * 5 and set(refused[6:]) == {"too_many"}
    refused = [_asks(ctx, f"{number}@example.com", "192.0.2.99") for number in range(8)]
    assert "too_many" in refused, "and for who asks for everyone"


def _asks(ctx: Context, email: str, ip: str) -> str:
    try:
        forgotten.ask(ctx, Forgotten(email), ip=ip)
    except HomeportError as why:
        return why.code
    return ""


def test_a_link_works_for_an_hour(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    token = _link(ctx, monkeypatch)
    assert forgotten.whose(ctx, token).email == EMAIL
    now = clock.now()
    monkeypatch.setattr(ctx, "now", lambda: now + timedelta(minutes=61))
    with pytest.raises(NotFound):
        forgotten.whose(ctx, token)
    with pytest.raises(NotFound):
        forgotten.reset(ctx, Reset(token, NEW), door="api", ip=None)


def test_using_one_link_ends_the_others(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = _link(ctx, monkeypatch), _link(ctx, monkeypatch)
    forgotten.reset(ctx, Reset(second, NEW), door="api", ip=None)
    with pytest.raises(NotFound):
        forgotten.whose(ctx, first)
    sessions.sign_in(ctx, Credentials(EMAIL, NEW), door="api", ip=None)


def _link(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> str:
    """What the job would send."""
    sent: list[str] = []
    monkeypatch.setattr(mail, "post", lambda _ctx, _db, _to, _subject, text: sent.append(text))
    forgotten.send_link(ctx, EMAIL, 1)
    return sent[0].partition("token=")[2].split()[0]


def test_nothing_goes_to_who_could_not_use_it(home: Appliance, box: Mailbox, browser: httpx.Client) -> None:
    """Without passwords, a new one would be of no use to anybody but an owner."""
    add_person(home, "mia@example.com", "viewer")
    home.ask("PATCH", "/settings", json={"password_sign_in": False})
    browser.post("/forgot", data={"email": "mia@example.com"})
    browser.post("/forgot", data={"email": EMAIL})
    eventually(lambda: EMAIL in [str(one["To"]) for one in box.arrived])  # jobs of one queue come in their order
    assert "mia@example.com" not in [str(one["To"]) for one in box.arrived]
    home.ask("PATCH", "/settings", json={"password_sign_in": None})


def test_without_a_mail_server_the_page_says_whom_to_ask(server: Appliance) -> None:
    with closing(stranger_of(server)) as browser:
        page = browser.get("/forgot")
        assert "homeport user reset-password" in page.text and "<form" not in page.text
        assert browser.post("/forgot", data={"email": EMAIL}).status_code == 409
        assert 'href="/forgot"' in browser.get("/login").text
    with closing(owner_of(server)) as owner:
        assert owner.get("/forgot").status_code == 200
