"""Data of the first version: what was live answers as it did, before and after."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from appliance.doctor.here import examine_host
from appliance.settings import Settings
from tests.appliance import Appliance
from tests.before import Before
from tests.servers import Nginx, eventually

T = TypeVar("T")
ASSET = "assets/index-BfQ2nV7x.js"


def version(number: int, **more: str) -> dict[str, str]:
    """A site with files that mean something only since."""
    rules = {"_redirects": "/old /about.html 301\n", "_headers": "/*\n  X-Since: now\n"}
    return {"index.html": f"page {number}", "about.html": "about", ASSET: "js", "404.html": "nothing", **rules, **more}


@pytest.fixture
def before(tmp_path: Path) -> Before:
    return Before(tmp_path / "data")


@pytest.fixture
def app() -> list[dict[str, str]]:
    return [version(number, **{"200.html": f"app {number}"}) for number in range(1, 9)]


@pytest.fixture
def upgraded(before: Before, app: list[dict[str, str]]) -> Iterator[Appliance]:
    before.site("blog", [version(number) for number in range(1, 9)])
    before.site("app", app)
    with Appliance(before.close()) as running:
        yield running


def numbered(server: Appliance, project: str, number: int) -> str:
    those = server.get(f"/deployments?project={project}")["items"]
    return next(str(one["id"]) for one in those if one["number"] == number)


def roll_back(server: Appliance, project: str, number: int) -> None:
    path = f"/projects/{project}/environments/production/rollback?wait=30"
    answer = server.ask("POST", path, json={"to": numbered(server, project, number)})
    assert answer.status_code == 201, answer.text


def answers_as_then(server: Appliance, number: int) -> None:
    """By no rules, of which there were none."""
    page, away = server.visit("blog"), server.visit("blog", "/old")
    assert (page.text, page.headers["cache-control"], page.headers.get("x-since")) == (
        f"page {number}",
        "no-cache",
        None,
    )
    assert (away.status_code, away.text) == (404, "nothing")
    assert server.visit("blog", "/about").status_code == 404
    assert server.visit("blog", f"/{ASSET}").headers["cache-control"] == "no-cache"
    assert server.visit("app").text == f"page {number}"
    fallback = server.visit("app", "/nowhere")
    assert (fallback.status_code, fallback.text) == (200, f"app {number}")


def test_what_was_live_answers_as_it_did_and_so_does_what_one_goes_back_to(upgraded: Appliance) -> None:
    answers_as_then(upgraded, 8)
    upgraded.stop()
    upgraded.start()
    answers_as_then(upgraded, 8)
    for project in ("blog", "app"):
        roll_back(upgraded, project, 2)
    answers_as_then(upgraded, 2)
    upgraded.deploy("blog", version(9))
    assert upgraded.visit("blog", "/old", follow_redirects=False).status_code == 301, "the next one has rules"


def test_nothing_of_the_old_form_is_left_and_a_clean_up_finds_its_way(upgraded: Appliance) -> None:
    kept = {one.name.removesuffix(".json") for one in (upgraded.data / "releases").iterdir()}
    live = {one["release"] for one in upgraded.get("/deployments")["items"] if one["live"]}
    assert kept == live and None not in kept
    assert upgraded.get("/cleanup")["kept"] == 2
    assert upgraded.ask("POST", "/cleanup").status_code == 200
    eventually(lambda: not list((upgraded.data / "gone").iterdir()))


def test_one_bundle_that_was_live_in_two_places_stays_when_one_of_them_moves_on(before: Before) -> None:
    before.site("blog", [version(1)])
    before.environment("blog", "staging", [version(1)])
    with Appliance(before.close(), HOMEPORT_RELEASES_KEPT="1") as server:
        for number in (2, 3, 4):
            server.deploy("blog", version(number), "staging")
        server.ask("POST", "/cleanup")
        assert server.visit("blog").text == "page 1"
        server.stop()
        server.start()
        assert server.visit("blog").text == "page 1"


def test_what_is_live_stays_live_where_its_bundle_is_lost(before: Before) -> None:
    before.site("blog", [version(8)])
    before.site("app", [version(8, **{"200.html": "app 8"})])
    for bundle in (before.data / "bundles").glob("*/*.zip"):
        bundle.write_bytes(b"damaged")
    with Appliance(before.close()) as server:
        for _ in range(2):
            answers_as_then(server, 8)
            server.ask("POST", "/cleanup")
            server.stop()
            server.start()


def test_one_that_was_rolled_back_says_so(before: Before) -> None:
    one, two, three = before.site("blog", [version(1), version(2), version(1)])
    before.rolled_back(three, one)
    with Appliance(before.close()) as server:
        found = server.get("/projects/blog/environments/production")["rolled_back"]
        assert (found["from"]["id"], found["to"]["id"]) == (two, one)


def test_its_deployments_say_why_they_have_no_x_ray(upgraded: Appliance) -> None:
    answer = upgraded.ask("GET", f"/deployments/{numbered(upgraded, 'blog', 3)}/xray")
    assert answer.status_code == 404 and "before Homeport took X-rays" in answer.json()["detail"]


def test_doctor_says_that_a_start_brings_it_up_to_date(before: Before) -> None:
    before.site("blog", [version(1)])
    data = before.close()
    found = {check.name: check for check in examine_host(Settings(data=data))}
    assert (found["database"].status, found["database"].text) == (
        "warn",
        f"{data}/homeport.db is of an older Homeport.",
    )
    assert "brings it up to date" in found["database"].mend
    assert not (data / "files").exists(), "it only looks"


@pytest.mark.nginx
def test_visitors_of_nginx_notice_nothing_and_its_files_get_their_new_form(tmp_path: Path) -> None:
    before = Before(tmp_path / "data", "nginx")
    site = version(8, **{"200.html": "app 8"})
    before.site("app", [site])
    with Nginx(tmp_path / "etc") as nginx:
        before.url("app.example.com", "app", nginx)
        nginx.reload()
        paths = ("/", "/about.html", f"/{ASSET}", "/nowhere", "/old")
        then = [seen(nginx, path) for path in paths]
        assert [body for _, body in then] == [b"page 8", b"about", b"js", b"app 8", b"app 8"]
        server = Appliance(before.close(), **nginx.environ, HOMEPORT_BACKEND="nginx")
        with meanwhile(lambda: [seen(nginx, path) for path in paths]) as answers, server:
            eventually(lambda: "production@" in file_of(server))
            eventually(lambda: nginx.reloads == 2)
            assert [seen(nginx, path) for path in paths] == then
        assert answers and all(one == then for one in answers)


def file_of(server: Appliance) -> str:
    return (server.data / "nginx" / "app.example.com.conf").read_text()


def seen(nginx: Nginx, path: str) -> tuple[int, bytes]:
    answer = nginx.ask(path, "app.example.com")
    return answer.status, answer.body


@contextmanager
def meanwhile(look: Callable[[], T]) -> Iterator[list[T]]:
    """What is seen again and again until the end."""
    found: list[T] = []
    over = threading.Event()

    def looking() -> None:
        while not over.is_set():
            found.append(look())

    thread = threading.Thread(target=looking)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()
