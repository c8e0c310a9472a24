"""What pages offer to each of the cast can be had, and what may not be seen is on none of them."""

import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from urllib.parse import urldefrag, urljoin, urlsplit

import httpx
import pytest

from appliance.machine import clock
from appliance.ui.routes import routes
from appliance.web.routes import Declared
from tests.access.cast import PASSWORD, add_person
from tests.appliance import Appliance, zipped
from tests.ui.pages import Parsed, stranger_of

ROUTES = [one for one in routes() if isinstance(one, Declared)]
CAST: Mapping[str, tuple[str, str]] = {  # role, and what was granted besides; those who may change most come last
    "nobody-yet": ("none", ""),
    "deployer": ("none", "staging"),
    "viewer": ("viewer", ""),
    "developer": ("developer", ""),
    "admin": ("admin", ""),
    "owner": ("owner", ""),
}
HIDDEN = ("diary", "vault", "www.blog.example.com", "visible only to some")
ENDS = ("/logout",)


@dataclass
class Offered:
    """What somebody came upon: pages by address, and forms by where they are sent."""

    pages: dict[str, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    posts: set[str] = field(default_factory=set)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    """Two projects with something of everything in them."""
    with Appliance(tmp_path_factory.mktemp("offered")) as server:
        server.project("blog")
        for name in ("staging", "vault", "empty"):
            server.ask("POST", "/projects/blog/environments", json={"name": name})
        for word, place in (("one", "vault"), ("two", "vault"), ("three", "staging"), ("four", "staging")):
            server.deploy("blog", {"index.html": word}, place)
        server.ask("POST", "/projects/blog/environments/production/promote?wait=20", json={"from": "vault"})
        server.ask("POST", "/projects/blog/environments/staging/promote?wait=20", json={"from": "vault"})
        server.ask("POST", "/projects/blog/environments/staging/rollback?wait=20", json={})
        server.send("blog", b"no zip at all")
        server.send("blog", b"no zip at all", "staging")
        for name, host in (("production", "www.blog.example.com"), ("staging", "next.blog.example.com")):
            server.ask("POST", f"/projects/blog/environments/{name}/urls?wait=10", json={"host": host})
        server.ask("PUT", "/projects/blog/environments/production/approval", json={})
        server.send("blog", zipped({"index.html": "awaited"}), wait=None)
        frozen = {"message": "visible only to some"}
        server.ask("POST", "/projects/blog/environments/vault/freeze", json=frozen)
        server.project("diary")
        for name, (role, place) in CAST.items():
            person = add_person(server, f"{name}@cast.example.com", role)
            if place:
                grant(server, person, place, "developer")
        yield server


def grant(server: Appliance, person: str, environment: str, role: str) -> None:
    with closing(sqlite3.connect(server.data / "homeport.db", timeout=20)) as db, db:
        sql = "SELECT e.project_id, e.id FROM environments e JOIN projects p ON p.id = e.project_id"
        place = db.execute(f"{sql} WHERE p.name = 'blog' AND e.name = ?", [environment]).fetchone()
        db.execute(
            "INSERT INTO grants (id, person_id, project_id, environment_id, role, created_at, created_by)"
            " VALUES (?, ?, ?, ?, ?, '2027-01-31T00:00:00.000Z', 'x')",
            [clock.new_id(), person, *place, role],
        )


def revoke(server: Appliance, person: str) -> None:
    with closing(sqlite3.connect(server.data / "homeport.db", timeout=20)) as db, db:
        db.execute("DELETE FROM grants WHERE person_id = ?", [person])


def come_in(server: Appliance, name: str) -> httpx.Client:
    browser = stranger_of(server)
    answer = browser.post("/login", data={"email": f"{name}@cast.example.com", "password": PASSWORD})
    assert answer.status_code == 303, answer.text
    return browser


def look_around(browser: httpx.Client) -> Offered:
    """Every page that links and forms lead to from the first one on."""
    found, ahead = Offered(), ["/"]
    while ahead:
        address = ahead.pop()
        if address in found.pages:
            continue
        answer = browser.get(address, follow_redirects=True)
        found.pages[address] = answer.text if answer.headers.get("content-type", "").startswith("text/html") else ""
        if answer.status_code != 200 and not is_a_refusal_in_words(answer):
            found.wrong.append(f"GET {address}: {answer.status_code}")
        links, posts = offers(found.pages[address], address)
        found.posts |= posts
        ahead += [one for one in links if one not in found.pages]
    return found


def is_a_refusal_in_words(answer: httpx.Response) -> bool:
    """What can't be done to this thing now, whoever asks."""
    return answer.status_code == 409


def offers(page: str, address: str) -> tuple[set[str], set[str]]:
    links: set[str] = set()
    posts: set[str] = set()
    for tag, attrs in Parsed(page).elements:
        if tag == "a" and "href" in attrs:
            links.add(attrs["href"])
        if tag == "form":
            (posts if attrs.get("method") == "post" else links).add(attrs.get("action", ""))
        links |= {attrs["hx-get"]} if "hx-get" in attrs else set()
        posts |= {attrs[one] for one in ("formaction", "hx-post") if one in attrs}
    return within(links, address), within(posts, address)


def within(those: set[str], address: str) -> set[str]:
    """Those on this appliance; of a list, only its beginning. The record is looked through in tests of its own."""
    full = {urldefrag(urljoin(address, one)).url for one in those}
    return {one for one in full if one.startswith("/") and "cursor=" not in one and not one.startswith("/activity")}


def is_asked_first(address: str) -> bool:
    """A page under the same address asked already, and takes the same permission."""
    at = [one for one in ROUTES if one.path_regex.match(urlsplit(address).path)]
    allowed = {method: one.allow for one in at for method in one.methods or ()}
    return "GET" in allowed and allowed["GET"] == allowed.get("POST")


@pytest.mark.parametrize("name", ["deployer", "nobody-yet"])
def test_what_may_not_be_seen_is_on_no_page(stage: Appliance, name: str) -> None:
    hidden = [*HIDDEN, *ids_in(stage, "vault"), *ids_in(stage, "production")]
    asked = (
        "/projects?q=d",
        "/projects?q=blog",
        "/deployments?project=diary",
        "/deployments?environment=vault",
        "/deployments?project=blog&environment=production",
        "/urls?q=www",
        "/suggest/projects?project=",
        "/suggest/targets?target=",
        "/suggest/targets?target=diary",
        "/suggest/targets?target=blog/&for=url",
    )
    with closing(come_in(stage, name)) as browser:
        pages = look_around(browser).pages
        pages |= {one: browser.get(one).text for one in asked}
    for address, text in pages.items():
        for word in hidden:
            assert word not in text.replace(f'value="{urlsplit(address).query[2:]}"', ""), f"{word} on {address}"


def ids_in(stage: Appliance, environment: str) -> list[str]:
    return [one["id"] for one in stage.get(f"/deployments?project=blog&environment={environment}")["items"]]


def test_a_viewer_sees_no_buttons_that_change_anything(stage: Appliance) -> None:
    """But what is their own: their keys, their account."""
    with closing(come_in(stage, "viewer")) as browser:
        found = look_around(browser)
    own = ("/theme", "/logout", "/settings/keys", "/account")
    assert [one for one in found.posts if not one.startswith(own)] == []
    assert not any('type="file"' in page for address, page in found.pages.items() if address != "/docs")
    assert not any(re.search(r"<button[^>]* disabled", page) for page in found.pages.values())


def test_who_has_nothing_yet_reads_what_to_do(stage: Appliance) -> None:
    with closing(come_in(stage, "nobody-yet")) as browser:
        page = browser.get("/projects").text
    assert "Nothing has been shared with you yet" in page and "nobody-yet@cast.example.com" in page
    nav = re.search(r'<nav id="nav".*?</nav>', page, re.DOTALL)
    assert nav is not None and re.findall(r'href="([^"]+)"', nav[0]) == ["/projects"]


@pytest.mark.parametrize(
    ("there", "missing"),
    [
        ("/deploy", {"target": "diary/production"}),
        ("/urls", {"host": "new.example.com", "target": "diary/production"}),
        ("/projects/blog/environments/staging/promote", {"from": "vault"}),
    ],
)
def test_a_form_that_names_what_is_hidden_is_answered_as_if_it_were_not_there(
    stage: Appliance, there: str, missing: dict[str, str]
) -> None:
    other = {name: value.replace("diary", "nosuch").replace("vault", "nosuch") for name, value in missing.items()}
    with closing(come_in(stage, "deployer")) as browser:
        files = {"bundle": ("site.zip", b"x")} if there == "/deploy" else None
        seen, unknown = (browser.post(there, data=one, files=files) for one in (missing, other))
    assert seen.status_code == unknown.status_code and seen.status_code in (404, 422)
    texts = [re.sub(r"diary|vault|nosuch|\d", "…", one.text) for one in (seen, unknown)]
    assert texts[0] == texts[1]


def test_a_host_that_something_hidden_has_does_not_tell_whose_it_is(stage: Appliance) -> None:
    with closing(come_in(stage, "deployer")) as browser:
        answer = browser.post("/urls", data={"host": "www.blog.example.com", "target": "blog/staging"})
    assert answer.status_code == 409 and "already points at something else here" in answer.text
    assert "production" not in answer.text


def test_the_stream_tells_only_of_what_may_be_seen(stage: Appliance) -> None:
    person = add_person(stage, "listener@cast.example.com", "none")
    grant(stage, person, "staging", "viewer")
    heard: list[str] = []
    with closing(come_in(stage, "listener")) as browser, browser.stream("GET", "/events", timeout=30) as stream:
        lines = stream.iter_lines()
        assert next(lines) == "event: seen"
        stage.ask("PATCH", "/projects/diary", json={"name": "diary-two"})
        stage.ask("PATCH", "/projects/diary-two", json={"name": "diary"})
        stage.send("blog", b"no zip", "production")
        stage.send("blog", zipped({"index.html": "heard"}), "production", wait=None)
        stage.deploy("blog", {"index.html": "heard"}, "staging")
        for line in lines:
            heard.append(line)
            if '"environment": "staging"' in line:
                break
        assert not any(word in line for line in heard for word in ("diary", "production", *ids_in(stage, "production")))
        revoke(stage, person)
        stage.deploy("blog", {"index.html": "not any more"}, "staging")
        assert not any(line.startswith("data:") and "not any more" in line for line in lines), "it ends"


def test_whoever_is_removed_hears_nothing_more(stage: Appliance) -> None:
    person = add_person(stage, "leaver@cast.example.com", "viewer")
    with closing(come_in(stage, "leaver")) as browser, browser.stream("GET", "/events", timeout=30) as stream:
        lines = stream.iter_lines()
        assert next(lines) == "event: seen"
        with closing(sqlite3.connect(stage.data / "homeport.db", timeout=20)) as db, db:
            db.execute("PRAGMA foreign_keys = ON")
            db.execute("DELETE FROM people WHERE id = ?", [person])
        made = stage.deploy("blog", {"index.html": "secret"}, "staging")
        assert not any(made["id"] in line for line in lines)


def test_a_setting_that_can_not_be_empty_is_not_emptied(stage: Appliance) -> None:
    answer = stage.ask("PATCH", "/settings", json={"backend": ""})
    assert answer.status_code == 422 and "backend" in answer.json()["errors"]
    assert stage.ask("GET", "/projects").status_code == 200


@pytest.mark.parametrize("name", CAST)
def test_whatever_is_offered_can_be_had(stage: Appliance, name: str) -> None:
    with closing(come_in(stage, name)) as browser:
        found = look_around(browser)
        assert len(found.pages) > (3 if CAST[name] == ("none", "") else 10)
        for address in sorted(found.posts):
            if not address.endswith(ENDS) and not is_asked_first(address):
                got = browser.post(address).status_code
                if got in (401, 403, 404, 405) or got >= 500:
                    found.wrong.append(f"POST {address}: {got}")
    assert found.wrong == []
