"""Every page for the owner and for a stranger, as a browser without script gets it."""

import re
from collections import Counter

import httpx
import pytest

from tests.appliance import EMAIL, PASSWORD, Appliance, zipped
from tests.ui.pages import Parsed

SITE = {"index.html": "<h1>hello</h1>"}
PAGES = (
    "/projects",
    "/new",
    "/projects/paged",
    "/projects/paged/deployments",
    "/projects/paged/urls",
    "/projects/paged/settings",
    "/projects/paged/delete",
    "/projects/paged/new-environment",
    "/projects/paged/environments/production",
    "/projects/paged/environments/production/settings",
    "/projects/paged/environments/production/site",
    "/projects/paged/environments/production/variables",
    "/projects/paged/environments/production/variables/import",
    "/projects/paged/variables",
    "/projects/paged/environments/production/delete",
    "/projects/paged/environments/production/rollback",
    "/projects/paged/environments/production/promote?from=staging",
    "/deployments",
    "/deployments/{deployment}",
    "/urls",
    "/urls/paged.example.com",
    "/urls/paged.example.com/remove",
    "/activity",
    "/settings",
    "/settings/nginx",
    "/settings/dns",
    "/settings/dns/records",
    "/settings/backups",
    "/settings/notifications",
    "/settings/log",
    "/settings/file",
    "/settings/dns/disconnect",
    "/settings/keys",
    "/settings/keys/{key}/revoke",
    "/account",
    "/account/passkeys/new",
    "/confirm",
    "/docs",
)
POSTS = (
    "/deploy",
    "/new",
    "/logout",
    "/theme",
    "/projects/paged/settings",
    "/projects/paged/delete",
    "/projects/paged/environments/production/rollback",
    "/projects/paged/environments/production/site",
    "/projects/paged/environments/production/guard",
    "/deployments/x/cancel",
    "/urls",
    "/settings",
    "/settings/dns/test",
    "/settings/keys",
)


@pytest.fixture(scope="module")
def furnished(server: Appliance) -> dict[str, str]:
    server.deploy(server.project("paged"), SITE)
    made = server.deploy("paged", {"index.html": "two"})
    server.ask("POST", "/projects/paged/environments", json={"name": "staging"})
    server.deploy("paged", SITE, "staging")
    server.ask("POST", "/projects/paged/environments/production/urls?wait=5", json={"host": "paged.example.com"})
    return {"deployment": made["id"], "key": server.get("/keys")["items"][0]["id"]}


@pytest.mark.parametrize("path", PAGES)
def test_the_owner_sees_it(owner: httpx.Client, furnished: dict[str, str], path: str) -> None:
    answer = owner.get(path.format(**furnished))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert "'unsafe-inline'" not in answer.headers["content-security-policy"]
    page = Parsed(answer.text)
    assert [name for name, times in Counter(page.ids()).items() if times > 1] == []
    assert all(label["for"] in page.ids() for label in page.all("label") if "for" in label)
    tied = [name for _, attrs in page.elements for name in attrs.get("aria-describedby", "").split()]
    assert set(tied) <= set(page.ids())
    icons = {use["href"].removeprefix("#") for use in page.all("use")}
    assert icons <= {symbol["id"] for symbol in page.all("symbol")}


@pytest.mark.parametrize("path", PAGES)
def test_a_stranger_is_sent_to_sign_in(stranger: httpx.Client, furnished: dict[str, str], path: str) -> None:
    answer = stranger.get(path.format(**furnished))
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login?back=/")


@pytest.mark.parametrize("path", POSTS)
def test_a_stranger_can_do_nothing(stranger: httpx.Client, furnished: dict[str, str], path: str) -> None:
    assert stranger.post(path).status_code == 303
    assert stranger.post(path).headers["location"].startswith("/login")


def test_every_link_leads_somewhere(owner: httpx.Client, furnished: dict[str, str]) -> None:
    seen: dict[str, int] = {}
    for path in PAGES:
        for link in Parsed(owner.get(path.format(**furnished)).text).links():
            if link not in seen:
                seen[link] = owner.get(link, headers={"Accept": "*/*"}).status_code
    assert {link: status for link, status in seen.items() if status >= 400} == {}


def test_the_events_of_a_page_are_told(owner: httpx.Client, server: Appliance) -> None:
    with owner.stream("GET", "/events") as stream:
        lines = stream.iter_lines()
        assert next(lines) == "event: seen"
        server.project("told")
        told = [next(line for line in lines if line.startswith("data: {"))]
    assert '"project": "told"' in told[0]


def test_after_sign_in_one_goes_where_one_wanted_and_nowhere_else(stranger: httpx.Client) -> None:
    for wanted, where in (
        ("/urls?q=x", "/urls?q=x"),
        ("//evil.example.com", "/projects"),
        ("/\\evil.example.com", "/projects"),
        ("https://evil.example.com", "/projects"),
        ("/x\r\nSet-Cookie: a=b", "/projects"),
    ):
        answer = stranger.post("/login", data={"email": EMAIL, "password": PASSWORD, "back": wanted})
        assert answer.headers["location"] == where


def test_the_session_cookie_is_out_of_reach_of_script(stranger: httpx.Client) -> None:
    answer = stranger.post("/login", data={"email": EMAIL, "password": PASSWORD})
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


def test_another_site_can_not_post(owner: httpx.Client) -> None:
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}):
        answer = owner.post("/new", data={"name": "forged"}, headers=headers)
        assert answer.status_code == 403
        assert "This came from another site" in answer.text


def test_errors_have_pages(owner: httpx.Client, stranger: httpx.Client) -> None:
    gone = owner.get("/projects/never-was")
    assert gone.status_code == 404
    assert "There is no project never-was." in gone.text
    assert "See what was deleted" in gone.text
    assert stranger.get("/nothing").status_code == 404
    assert owner.put("/projects").status_code == 405
    early = owner.get("/projects/paged/environments/production/promote?from=nowhere")
    assert early.status_code == 409
    assert "there is nothing to promote" in early.text


def test_a_form_is_shown_again_as_it_was_typed(owner: httpx.Client) -> None:
    answer = owner.post("/new", data={"name": 'Bad "name" <b>'})
    assert answer.status_code == 422
    page = Parsed(answer.text)
    (typed,) = [attrs for attrs in page.all("input") if attrs.get("name") == "name"]
    assert typed["value"] == 'Bad "name" <b>'
    assert typed["aria-invalid"] == "true"
    assert set(typed["aria-describedby"].split()) == {"name-hint", "name-error"}
    assert "<b>" not in answer.text.partition("<main")[2]


def test_a_secret_is_never_shown_again(owner: httpx.Client) -> None:
    token = "S3NT1NEL-token-of-cloudflare"
    for path in ("/settings/dns", "/settings/dns/test"):
        answer = owner.post(path, data={"cloudflare_token": token, "dns_target": "192.0.2.1"}, follow_redirects=True)
        assert token not in answer.text
    for path in ("/settings/dns", "/activity", "/settings"):
        assert token not in owner.get(path).text
    assert "It is never shown" in owner.get("/settings/dns").text
    answer = owner.post("/settings/dns/disconnect", follow_redirects=True)
    assert "It is never shown" not in answer.text
    owner.post("/settings/dns", data={"dns_target": ""})


def test_the_theme_is_in_the_page_from_the_first_byte(owner: httpx.Client) -> None:
    answer = owner.post("/theme", data={"theme": "dark", "back": "/urls"})
    assert answer.headers["location"] == "/urls"
    assert '<html lang="en" data-theme="dark"' in owner.get("/urls").text
    owner.post("/theme", data={"theme": "system"})
    assert "data-theme=" not in owner.get("/urls").text.partition("<head>")[0]


def test_a_forged_word_of_success_is_not_shown(owner: httpx.Client) -> None:
    owner.cookies.set("done", "forged")
    assert "forged" not in owner.get("/urls").text
    owner.cookies.delete("done")


def test_static_files_are_kept_by_browsers_and_by_nobody_else_for_less(stranger: httpx.Client) -> None:
    page = stranger.get("/login").text
    for name in ("app.css", "app.js", "htmx.js"):
        (address,) = re.findall(rf'"(/static/{name}\?v=[0-9a-f]+)"', page)
        answer = stranger.get(address)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["content-encoding"] == "gzip"
    for name in ("..%2fui%2froutes.py", "none.js", "VENDORED.md"):
        assert stranger.get(f"/static/{name}").status_code == 404


def test_vendored_files_are_what_they_say() -> None:
    import hashlib

    from appliance.web.page import STATIC

    said = (STATIC / "VENDORED.md").read_text()
    assert hashlib.sha256((STATIC / "htmx.js").read_bytes()).hexdigest() in said
    assert "4.0.1" in said


def test_search_with_nothing_found_says_what_was_looked_for(owner: httpx.Client, furnished: dict[str, str]) -> None:
    text = owner.get("/projects", params={"q": "<zzz>"}).text
    assert "No project has “&lt;zzz&gt;” in its name" in text
    assert "Clear the search" in text


def test_long_lists_have_newer_and_older(owner: httpx.Client, server: Appliance) -> None:
    place = f"/projects/{server.project('to-and-fro')}/environments/production/freeze"
    for _ in range(26):
        assert server.ask("POST", place, json={"message": "A pause"}).status_code == 200
        assert server.ask("DELETE", place).status_code == 200
    first = Parsed(owner.get("/activity?what=environment").text)
    (older,) = (link["href"] for link in first.all("a") if link.get("rel") == "next")
    second = Parsed(owner.get(older).text)
    assert {row for row in first.ids() if row.startswith("a-")}.isdisjoint(second.ids())
    (newer,) = (link["href"] for link in second.all("a") if link.get("rel") == "prev")
    assert newer == "/activity?what=environment"


@pytest.mark.parametrize(
    "path", ["/deployments?status=nonsense", "/urls?status=nonsense", "/activity?cursor=x", "/docs?x"]
)
def test_what_makes_no_sense_in_an_address_is_let_be(owner: httpx.Client, path: str) -> None:
    assert owner.get(path).status_code == 200


def test_deploying_by_the_plain_form(owner: httpx.Client, server: Appliance) -> None:
    answer = owner.post(
        "/deploy", data={"target": ""}, files={"bundle": ("Form Site.zip", zipped(SITE), "application/zip")}
    )
    assert answer.status_code == 303
    assert re.fullmatch(r"/deployments/[0-9a-z]{20}", answer.headers["location"])
    assert server.get("/projects/form-site")["name"] == "form-site"


def test_a_second_project_of_the_name_is_refused_with_the_way_out(owner: httpx.Client, server: Appliance) -> None:
    server.project("taken")
    files = {"bundle": ("taken.zip", zipped(SITE), "application/zip")}
    answer = owner.post("/deploy", data={"target": ""}, files=files, headers={"HX-Request": "true"})
    assert answer.status_code == 409
    assert "choose taken, production under “Deploy to”" in answer.text
    assert server.get("/deployments?project=taken")["items"] == []


def test_a_refused_zip_leaves_no_project_behind(owner: httpx.Client, server: Appliance) -> None:
    files = {"bundle": ("never-made.zip", zipped({"../out": "x"}), "application/zip")}
    answer = owner.post("/deploy", data={"target": ""}, files=files)
    assert answer.status_code == 422
    assert "never-made.zip was not taken" in answer.text
    assert server.ask("GET", "/projects/never-made").status_code == 404


def test_a_zip_for_a_place_that_is_gone(owner: httpx.Client) -> None:
    files = {"bundle": ("x.zip", zipped(SITE), "application/zip")}
    answer = owner.post("/deploy", data={"target": "nowhere/production"}, files=files)
    assert answer.status_code == 404
