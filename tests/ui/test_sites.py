"""The page that says how an environment answers, and changes it, as a browser without script gets it."""

import httpx
import pytest

from tests.appliance import Appliance

SCRIPT = "assets/index-BfQ2nV7x.js"
APP = {"index.html": "<h1>app</h1>", SCRIPT: "one()", "_redirects": "/a /b\nbad\n"}
SETTINGS = {"clean_urls": "true", "pages": "no-cache", "fingerprinted": "max-age=60", "bridge_hours": "24", "path": ""}


@pytest.fixture(scope="module")
def page(server: Appliance) -> str:
    server.deploy(server.project("answers"), APP)
    return "/projects/answers/environments/production"


def test_it_says_what_is_live_and_suggests_what_it_needs(owner: httpx.Client, page: str) -> None:
    text = owner.get(f"{page}/site").text
    assert "This looks like a single-page app." in text
    assert "_redirects line 2: A redirect has two parts at least" in text
    assert f"<code>/{SCRIPT}</code>" in text
    assert f'href="{page}/site"' in owner.get(page).text


def test_looking_changes_nothing(owner: httpx.Client, server: Appliance, page: str) -> None:
    before = server.get(f"{page}/site")
    answer = owner.post(f"{page}/site/look", data={**SETTINGS, "fallback": "true", "path": "/deep/link"})
    assert answer.status_code == 200
    assert "<code>/deep/link</code>" in answer.text
    assert "<b>index.html, no-cache</b>" in answer.text
    assert server.get(f"{page}/site") == before


def test_saving(owner: httpx.Client, server: Appliance, page: str) -> None:
    saved = owner.post(f"{page}/site", data=SETTINGS)
    assert (saved.status_code, saved.headers["location"]) == (303, f"{page}/site")
    found = server.get(f"{page}/site")
    assert (found["clean_urls"], found["fallback"], found["fingerprinted"]) == (True, False, "max-age=60")
    wrong = owner.post(f"{page}/site", data={**SETTINGS, "pages": "x;y", "bridge_hours": "many"})
    assert wrong.status_code == 422
    assert "Enter a Cache-Control" in wrong.text
    assert 'value="x;y"' in wrong.text
    assert server.get(f"{page}/site") == found


def test_a_password_and_the_maintenance_page(owner: httpx.Client, server: Appliance, page: str) -> None:
    for data in ({"user": "visitor", "password": "short"}, {"user": "visitor", "password": ""}, {"maintenance": " "}):
        assert owner.post(f"{page}/guard", data=data).status_code == 422
    assert owner.post(f"{page}/guard", data={"user": "team", "password": "open sesame"}).status_code == 303
    assert server.visit("answers").status_code == 401
    text = owner.get(f"{page}/site").text
    assert ("of <b>team</b>" in text, "sesame" in text) == (True, False)
    assert owner.post(f"{page}/guard", data={"maintenance": "Back <soon>."}).status_code == 303
    assert server.visit("answers").status_code == 503
    for shown in (page, f"{page}/site"):
        assert "“Back &lt;soon&gt;.”" in owner.get(shown).text
    owner.post(f"{page}/guard", data={"end": "maintenance", "maintenance": "Back <soon>."})
    owner.post(f"{page}/guard", data={"end": "password", "user": "team", "password": ""})
    assert server.visit("answers").status_code == 200
