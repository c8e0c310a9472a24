"""Signing in through GitHub and through any issuer, by the doors; and everything an attacker would try there."""

import random
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pyotp
import pytest

from appliance.machine import clock
from tests.access.cast import PASSWORD, add_person, age
from tests.appliance import EMAIL, Appliance
from tests.fakes import github as fake_github
from tests.fakes import issuer as fake_issuer
from tests.fakes.github import GitHub
from tests.fakes.issuer import Issuer, make_key
from tests.ui.pages import owner_of, stranger_of

KEY = make_key("one")
GITHUB = {"kind": "github", "client_id": fake_github.CLIENT_ID, "client_secret": fake_github.CLIENT_SECRET}
COMPANY = {
    "kind": "oidc",
    "id": "company",
    "name": "Company login",
    "client_id": fake_issuer.CLIENT_ID,
    "client_secret": fake_issuer.CLIENT_SECRET,
}


@pytest.fixture(scope="module")
def hub() -> Iterator[GitHub]:
    with fake_github.github() as made:
        yield made


@pytest.fixture(scope="module")
def company() -> Iterator[Issuer]:
    with fake_issuer.issuer() as made:
        made.keys = [KEY.public]
        yield made


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, hub: GitHub, company: Issuer) -> Iterator[Appliance]:
    with Appliance(tmp_path_factory.mktemp("through") / "data", HOMEPORT_LIMIT_TRIES="0") as running:
        for body in ({**GITHUB, "issuer": hub.url}, {**COMPANY, "issuer": company.url}):
            answer = running.ask("POST", "/providers", json=body)
            assert answer.status_code == 201, answer.text
        yield running


@pytest.fixture
def browser(home: Appliance) -> Iterator[httpx.Client]:
    with closing(stranger_of(home)) as made:
        yield made


def goes_to_github(browser: httpx.Client, address: str) -> str:
    """What GitHub sends the browser back with."""
    there = browser.get(address)
    assert there.status_code == 302, there.text
    return there.headers["location"]


def connect(browser: httpx.Client, provider: str = "github") -> str:
    """As from the account page; comes back with where the page leads."""
    page = browser.post(f"/account/connect/{provider}")
    assert page.status_code == 200, page.text
    return page.text.split('class="button primary start" href="')[1].split('"')[0].replace("&amp;", "&")


def sign_in(browser: httpx.Client, provider: str = "github", query: str = "") -> str:
    answer = browser.get(f"/login/with/{provider}{query}")
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def me(browser: httpx.Client) -> str | None:
    """Whom the browser's session is of."""
    page = browser.get("/projects")
    return page.text.split("Signed in as ")[1].split("<")[0] if page.status_code == 200 else None


def member(home: Appliance, email: str) -> httpx.Client:
    """A browser of somebody who came in by password."""
    add_person(home, email, "viewer")
    client = stranger_of(home)
    assert client.post("/login", data={"email": email, "password": PASSWORD}).status_code == 303
    return client


@pytest.fixture(scope="module")
def bert(home: Appliance, hub: GitHub) -> str:
    """Somebody who is number 101 there, and connected."""
    hub.signed_in_as(101, "bert@example.com")
    with closing(member(home, "bert@example.com")) as his:
        assert his.get(goes_to_github(his, connect(his))).status_code == 303
    return "bert@example.com"


def test_connected_in_a_session_and_come_in_with(home: Appliance, hub: GitHub, browser: httpx.Client) -> None:
    hub.signed_in_as(100, "anna@example.com")
    with closing(member(home, "anna@example.com")) as hers:
        done = hers.get(goes_to_github(hers, connect(hers)))
        assert done.status_code == 303 and done.headers["location"] == "/account/identities"
        assert "anna@example.com" in hers.get("/account/identities").text
    assert "Sign in with GitHub" in browser.get("/login").text
    done = browser.get(goes_to_github(browser, sign_in(browser, query="?back=/urls")))
    assert done.status_code == 303 and done.headers["location"] == "/urls"
    assert me(browser) == "anna@example.com"
    verbs = [(one["verb"], one["actor"]) for one in home.get("/activity")["items"][:8]]
    assert ("identity.link", "anna@example.com") in verbs and ("session.begin", "anna@example.com") in verbs


def test_the_name_there_may_change_but_not_the_number(bert: str, hub: GitHub, browser: httpx.Client) -> None:
    """Whoever takes over an address, or a name that was given up, is somebody else."""
    hub.signed_in_as(999, bert)
    assert browser.get(goes_to_github(browser, sign_in(browser))).status_code == 401
    hub.signed_in_as(101, "bert-moved@example.com")
    browser.get(goes_to_github(browser, sign_in(browser)))
    assert me(browser) == bert


def test_an_equal_address_is_not_enough(home: Appliance, hub: GitHub, browser: httpx.Client) -> None:
    """Neither to come in as the owner, nor to find that somebody waits inside of one's own account."""
    hub.signed_in_as(102, EMAIL)
    refused = browser.get(goes_to_github(browser, sign_in(browser)))
    assert refused.status_code == 401 and "Nobody here has connected this account" in refused.text
    assert me(browser) is None
    hub.signed_in_as(103, "nobody-here@example.com")
    other = browser.get(goes_to_github(browser, sign_in(browser)))
    assert main_of(other) == main_of(refused), "the same, whoever is here"


def main_of(page: httpx.Response) -> str:
    return page.text.partition("<main")[2]


def test_an_address_that_nobody_has_seen_connects_nothing(home: Appliance, hub: GitHub, company: Issuer) -> None:
    hub.signed_in_as(104, "cleo@example.com", verified=False)
    with closing(member(home, "cleo@example.com")) as hers:
        refused = hers.get(goes_to_github(hers, connect(hers)))
        assert refused.status_code == 403 and "nothing was connected" in refused.text
        asked = asked_of(connect(hers, "company"))
        company.signs(KEY, asked["nonce"], sub="cleo-there", email_verified=False)
        refused = hers.get("/login/with/company/back", params={"code": "x", "state": asked["state"]})
        assert refused.status_code == 403 and "has not seen that" in refused.text
        assert "No accounts connected yet" in hers.get("/account/identities").text


def asked_of(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def test_through_any_issuer(home: Appliance, company: Issuer, browser: httpx.Client) -> None:
    with closing(member(home, "dora@example.com")) as hers:
        asked = asked_of(connect(hers, "company"))
        company.signs(KEY, asked["nonce"], sub="dora-there", email="dora@example.com")
        hers.get("/login/with/company/back", params={"code": "x", "state": asked["state"], "iss": company.url})
    asked = asked_of(sign_in(browser, "company"))
    assert asked["redirect_uri"] == f"{home.url}/login/with/company/back"
    company.signs(KEY, asked["nonce"], sub="dora-there", email="dora@example.com")
    browser.get("/login/with/company/back", params={"code": "x", "state": asked["state"]})
    assert me(browser) == "dora@example.com"


def test_a_token_of_another_sign_in_lets_nobody_in(home: Appliance, company: Issuer, browser: httpx.Client) -> None:
    asked = asked_of(sign_in(browser, "company"))
    company.signs(KEY, "of-another-sign-in", sub="dora-there")
    refused = browser.get("/login/with/company/back", params={"code": "x", "state": asked["state"]})
    assert refused.status_code == 403 and "another sign-in" in refused.text and me(browser) is None


BAD: dict[str, dict[str, str]] = {
    "nothing": {},
    "a code alone": {"code": "x"},
    "an invented state": {"code": "x", "state": "invented"},
    "an error": {"error": "access_denied"},
    "markup": {"error": "<script>alert(1)</script>", "state": "x"},
}


@pytest.mark.parametrize("query", BAD.values(), ids=BAD.keys())
def test_who_comes_back_without_having_begun(home: Appliance, browser: httpx.Client, query: dict[str, str]) -> None:
    refused = browser.get("/login/with/github/back", params=query)
    assert refused.status_code == 400 and "was not begun in this browser" in refused.text
    assert "<script>alert" not in refused.text and me(browser) is None


def test_what_another_browser_began(home: Appliance, bert: str, hub: GitHub, browser: httpx.Client) -> None:
    """An attacker's sign-in, sent to somebody as a link, would have them act in the attacker's account."""
    hub.signed_in_as(101, bert)
    with closing(stranger_of(home)) as attacker:
        link = goes_to_github(attacker, sign_in(attacker))
    assert browser.get(link).status_code == 400 and me(browser) is None
    sign_in(browser)  # also while one of one's own is on its way
    assert browser.get(link).status_code == 400 and me(browser) is None


def test_nobody_connects_their_account_with_somebody_elses(home: Appliance, hub: GitHub) -> None:
    """By a link to the end of their own flow, by a form on another site, by a link to its beginning."""
    with closing(member(home, "emil@example.com")) as attacker, closing(owner_of(home)) as owner:
        hub.signed_in_as(105, "emil@example.com")
        link = goes_to_github(attacker, connect(attacker))
        assert owner.get(link).status_code == 400
        assert owner.post("/account/connect/github", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
        assert owner.get("/account/connect/github").status_code == 405
        stolen = attacker.cookies.get("homeport_through") or ""
        owner.cookies.set("homeport_through", stolen, domain="127.0.0.1")
        refused = owner.get(goes_to_github(attacker, connect(attacker)))
        assert refused.status_code in (400, 403)
        assert "No accounts connected yet" in owner.get("/account/identities").text


def test_another_session_than_the_one_that_began(home: Appliance, hub: GitHub) -> None:
    """The same browser, in which somebody else has signed in meanwhile."""
    hub.signed_in_as(106, "fay@example.com")
    with closing(member(home, "fay@example.com")) as hers:
        link = goes_to_github(hers, connect(hers))
        hers.post("/logout")
        hers.post("/login", data={"email": EMAIL, "password": "correct horse battery"})
        refused = hers.get(link)
        assert refused.status_code == 403 and "nothing was connected" in refused.text
        assert "No accounts connected yet" in hers.get("/account/identities").text


def test_the_same_state_twice(home: Appliance, bert: str, hub: GitHub, browser: httpx.Client) -> None:
    hub.signed_in_as(101, bert)
    address = sign_in(browser)
    carried = browser.cookies["homeport_through"]
    assert browser.get(goes_to_github(browser, address)).status_code == 303
    with closing(stranger_of(home)) as again:
        again.cookies.set("homeport_through", carried, domain="127.0.0.1")
        refused = again.get(goes_to_github(again, address))
        assert refused.status_code == 400 and "was used already" in refused.text and me(again) is None


def test_an_account_there_belongs_to_one_person_here(home: Appliance, bert: str, hub: GitHub) -> None:
    hub.signed_in_as(101, bert)
    with closing(member(home, "gus@example.com")) as his:
        refused = his.get(goes_to_github(his, connect(his)))
        assert refused.status_code == 409 and "connected with somebody else here" in refused.text


def test_an_answer_from_another_issuer(home: Appliance, company: Issuer, browser: httpx.Client) -> None:
    asked = asked_of(sign_in(browser, "company"))
    query = {"code": "x", "state": asked["state"], "iss": "https://evil.example.org"}
    assert browser.get("/login/with/company/back", params=query).status_code == 400
    asked = asked_of(sign_in(browser, "company"))
    query = {"code": "x", "state": asked["state"]}
    assert browser.get("/login/with/github/back", params=query).status_code == 400, "begun with another provider"


def test_someone_said_no_there(home: Appliance, browser: httpx.Client) -> None:
    asked = asked_of(sign_in(browser))
    refused = browser.get("/login/with/github/back", params={"error": "access_denied", "state": asked["state"]})
    assert refused.status_code == 401 and "was told not to let Homeport know who you are" in refused.text


@pytest.mark.parametrize(
    "back", ["https://evil.example.org", "//evil.example.org", "/\\evil.example.org", "javascript:x"]
)
def test_the_way_on_never_leads_elsewhere(bert: str, hub: GitHub, browser: httpx.Client, back: str) -> None:
    hub.signed_in_as(101, bert)
    done = browser.get(goes_to_github(browser, sign_in(browser, query="?" + urlencode({"back": back}))))
    assert done.headers["location"] == "/projects"


def test_a_forged_host_does_not_lead_the_way_back_elsewhere(home: Appliance, browser: httpx.Client) -> None:
    for headers in ({"Host": "evil.example.org"}, {"X-Forwarded-Host": "evil.example.org"}):
        answer = browser.get("/login/with/github", headers=headers)
        assert "evil.example.org" not in answer.headers.get("location", "")


def test_the_last_way_in_stays(home: Appliance, hub: GitHub) -> None:
    hub.signed_in_as(107, "hilda@example.com")
    with closing(member(home, "hilda@example.com")) as hers:
        hers.get(goes_to_github(hers, connect(hers)))
        (path,) = {
            text.split('"')[0] for text in hers.get("/account/identities").text.split('href="')[1:] if "/remove" in text
        }
        home.ask("PATCH", "/settings", json={"password_sign_in": False})
        try:
            refused = hers.post(path)
            assert refused.status_code == 409 and "could not come in any more" in refused.text
        finally:
            home.ask("PATCH", "/settings", json={"password_sign_in": None})
        assert hers.post(path).status_code == 303
        assert "No accounts connected yet" in hers.get("/account/identities").text


def test_without_passwords_owners_alone_come_in_by_theirs(home: Appliance) -> None:
    add_person(home, "ida@example.com", "admin")
    home.ask("PATCH", "/settings", json={"password_sign_in": False})
    try:
        asked = {"email": "ida@example.com", "password": PASSWORD}
        refused = home.http.post(f"{home.url}/api/v1/login", json=asked)
        assert refused.status_code == 401 and refused.json()["type"] == "urn:homeport:no_password_sign_in"
        wrong = home.http.post(f"{home.url}/api/v1/login", json={**asked, "password": "not the password"})
        assert wrong.json()["type"] == "urn:homeport:wrong_password", "who may not come in is told after the password"
        owner = {"email": EMAIL, "password": "correct horse battery"}
        assert home.http.post(f"{home.url}/api/v1/login", json=owner).status_code == 201
    finally:
        home.ask("PATCH", "/settings", json={"password_sign_in": None})


def test_an_account_that_goes_takes_its_connections_along(home: Appliance, hub: GitHub, browser: httpx.Client) -> None:
    """And a provider that goes lets nobody in any more, also by one that is called the same later."""
    made = home.ask("POST", "/providers", json={**GITHUB, "issuer": hub.url, "id": "hub", "name": "Hub"}).json()
    assert made["callback"] == f"{home.url}/login/with/hub/back" and "secret" not in made
    hub.signed_in_as(108, "jo@example.com")
    with closing(member(home, "jo@example.com")) as theirs:
        theirs.get(goes_to_github(theirs, connect(theirs, "hub")))
    assert home.ask("DELETE", "/providers/hub").status_code == 204
    home.ask("POST", "/providers", json={**GITHUB, "issuer": hub.url, "id": "hub", "name": "Hub"})
    assert browser.get(goes_to_github(browser, sign_in(browser, "hub"))).status_code == 401
    home.ask("DELETE", "/providers/hub")


# Somebody new, and a second factor


def test_whoever_was_invited_comes_in_with_that_address(home: Appliance, hub: GitHub, browser: httpx.Client) -> None:
    made = home.ask("POST", "/invitations", json={"email": "new@invited.example.com", "role": "developer"})
    assert made.status_code == 201, made.text
    hub.signed_in_as(201, "other@invited.example.com")
    assert browser.get(goes_to_github(browser, sign_in(browser))).status_code == 401
    hub.signed_in_as(201, "new@invited.example.com", verified=False)
    assert browser.get(goes_to_github(browser, sign_in(browser))).status_code == 401, (
        "anybody can say that it is theirs"
    )
    hub.signed_in_as(201, "new@invited.example.com")
    assert browser.get(goes_to_github(browser, sign_in(browser))).status_code == 303
    assert me(browser) == "new@invited.example.com"
    people = {one["email"]: one["role"] for one in home.get("/people")["items"]}
    assert people["new@invited.example.com"] == "developer"
    assert home.get("/invitations")["items"] == []


def test_whoever_is_of_a_domain_that_may_join(home: Appliance, hub: GitHub, browser: httpx.Client) -> None:
    """They have no password, so that nobody can guess one, and the account there is their last way in."""
    add_person(home, "first@joins.example.com", "viewer")
    home.ask("PATCH", "/settings", json={"join_domains": "joins.example.com"})
    hub.signed_in_as(202, "first@joins.example.com")
    assert browser.get(goes_to_github(browser, sign_in(browser))).status_code == 401, "somebody has that address here"
    hub.signed_in_as(202, "second@joins.example.com")
    browser.get(goes_to_github(browser, sign_in(browser)))
    assert me(browser) == "second@joins.example.com"
    page = browser.get("/account/identities").text
    (path,) = {text.split('"')[0] for text in page.split('href="')[1:] if "/remove" in text}
    assert browser.post(path).status_code == 409
    for password in ("-", "", PASSWORD):
        body = {"email": "second@joins.example.com", "password": password}
        assert home.http.post(f"{home.url}/api/v1/login", json=body).status_code in (401, 422)


@pytest.fixture
def with_app(home: Appliance, hub: GitHub) -> tuple[str, list[str]]:
    """Somebody with an authenticator app, connected as number 203; and their recovery codes."""
    email = f"app-{clock.new_id()}@example.com"
    hub.signed_in_as(random.randrange(10_000, 1 << 30), email)
    with closing(member(home, email)) as theirs:
        theirs.get(goes_to_github(theirs, connect(theirs)))
    login = {"email": email, "password": PASSWORD}
    token = home.http.post(f"{home.url}/api/v1/login", json=login).json()["token"]
    headers = {"Authorization": f"Bearer {token}"}
    secret = home.http.post(f"{home.url}/api/v1/me/totp", json={}, headers=headers).json()["secret"]
    body = {"code": pyotp.TOTP(secret).now()}
    codes = home.http.post(f"{home.url}/api/v1/me/totp/on", json=body, headers=headers).json()["recovery_codes"]
    return email, codes


def test_a_second_factor_is_asked_for_all_the_same(with_app: tuple[str, list[str]], browser: httpx.Client) -> None:
    email, codes = with_app
    half = browser.get(goes_to_github(browser, sign_in(browser, query="?back=/urls")))
    assert half.status_code == 303 and half.headers["location"] == "/login/second?back=/urls"
    assert me(browser) is None
    assert browser.post("/login/second", data={"back": "/urls", "code": "000000"}).status_code == 401
    done = browser.post("/login/second", data={"back": "/urls", "code": codes[0]})
    assert done.headers["location"] == "/urls" and me(browser) == email


def test_the_providers_own_counts_where_somebody_said_so(
    home: Appliance, with_app: tuple[str, list[str]], browser: httpx.Client
) -> None:
    home.ask("PATCH", "/providers/github", json={"second_factor": True})
    try:
        assert browser.get(goes_to_github(browser, sign_in(browser))).headers["location"] == "/projects"
        assert me(browser) == with_app[0]
    finally:
        home.ask("PATCH", "/providers/github", json={"second_factor": False})


def test_whoever_has_no_password_confirms_through_the_provider(home: Appliance, company: Issuer) -> None:
    """Which is told to ask who is there, and not to let in whoever is at that screen."""
    with closing(member(home, "quinn@example.com")) as theirs:
        asked = asked_of(connect(theirs, "company"))
        company.signs(KEY, asked["nonce"], sub="quinn-there", email="quinn@example.com")
        theirs.get("/login/with/company/back", params={"code": "x", "state": asked["state"]})
        age(home, "quinn@example.com")
        page = theirs.post("/account/connect/company")
        assert "Confirm it’s you" in page.text and "Sign in again with Company login" in page.text
        asked = asked_of(sign_in(theirs, "company", "?again&back=/account/identities"))
        assert asked["prompt"] == "login"
        company.signs(KEY, asked["nonce"], sub="quinn-there", email="quinn@example.com")
        theirs.get("/login/with/company/back", params={"code": "x", "state": asked["state"]})
        assert "Continue to Company login" in theirs.post("/account/connect/company").text


# Settings


def test_whoever_is_no_owner_changes_no_provider(home: Appliance) -> None:
    add_person(home, "admin-through@example.com", "admin")
    login = {"email": "admin-through@example.com", "password": PASSWORD}
    token = home.http.post(f"{home.url}/api/v1/login", json=login).json()["token"]

    def ask(method: str, path: str, body: dict[str, Any] | None = None) -> int:
        headers = {"Authorization": f"Bearer {token}"}
        return home.http.request(method, f"{home.url}/api/v1{path}", json=body, headers=headers).status_code

    assert ask("GET", "/providers") == 200
    assert ask("POST", "/providers", {**COMPANY, "id": "evil", "issuer": "https://evil.example.org"}) == 403
    assert ask("PATCH", "/providers/github", {"client_id": "x"}) == 403
    assert ask("DELETE", "/providers/github") == 403
    assert ask("POST", "/providers/github/test") == 403


def test_another_issuer_is_another_provider(home: Appliance) -> None:
    """Whoever could change it would come in as everyone who was connected by the one before."""
    refused = home.ask("PATCH", "/providers/company", json={"issuer": "https://evil.example.org"})
    assert refused.status_code == 422 and "issuer" in refused.json()["errors"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({**COMPANY, "issuer": "http://login.example.org"}, "issuer"),
        ({**COMPANY, "issuer": "file:///etc/passwd"}, "issuer"),
        ({**COMPANY, "issuer": "https://u:p@login.example.org"}, "issuer"),
        ({**COMPANY, "issuer": "https://login.example.org/?x"}, "issuer"),
        ({**COMPANY, "issuer": ""}, "issuer"),
        ({**COMPANY, "issuer": "https://x.example.org", "id": "../x"}, "id"),
        ({**COMPANY, "issuer": "https://x.example.org", "name": "a\u202eb"}, "name"),
        ({**GITHUB, "client_secret": "a b"}, "client_secret"),
        ({"kind": "google", "client_id": "x", "client_secret": "y", "issuer": "https://evil.example.org"}, "issuer"),
        ({**GITHUB, "kind": "saml"}, "kind"),
    ],
)
def test_what_is_no_provider(home: Appliance, body: dict[str, Any], field: str) -> None:
    refused = home.ask("POST", "/providers", json=body)
    assert refused.status_code == 422 and field in refused.json()["errors"], refused.text


def test_the_test_says_what_is_missing(home: Appliance, hub: GitHub, company: Issuer) -> None:
    def found(provider: str) -> list[tuple[str, str]]:
        items = home.ask("POST", f"/providers/{provider}/test").json()["items"]
        return [(one["status"], one["text"]) for one in items]

    assert {status for status, _ in found("company")} == {"ok"}
    assert found("github") == [("ok", f"{hub.url} knows this client and its secret.")]
    home.ask("PATCH", "/providers/github", json={"client_secret": "another"})
    ((status, text),) = found("github")
    assert status == "failed" and "does not know this client" in text
    home.ask("PATCH", "/providers/github", json={"client_secret": fake_github.CLIENT_SECRET})
    company.discovery = {"id_token_signing_alg_values_supported": ["HS256"]}
    assert ("failed", "It signs by HS256.") in found("company")
    company.discovery = {"issuer": "https://other.example.org"}
    assert "speaks for" in found("company")[0][1]
    company.discovery = {}
    assert {status for status, _ in found("company")} == {"ok"}


def test_a_secret_is_nowhere_to_be_read(home: Appliance) -> None:
    with closing(owner_of(home)) as browser:
        pages = [browser.get(path).text for path in ("/settings/sign-in", "/settings/sign-in/github", "/activity")]
    answers = [home.ask("GET", path).text for path in ("/providers", "/providers/github", "/activity")]
    kept = [path.read_bytes().decode("latin-1") for path in home.data.glob("homeport.db*")]
    for secret in (fake_github.CLIENT_SECRET, fake_issuer.CLIENT_SECRET):
        assert not any(secret in text for text in (*pages, *answers, *kept, "".join(home.output)))
