"""The life of a URL: a whole appliance, a real NGINX with sites of others on it, and Cloudflare's API over a socket."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from appliance.machine.served import until
from tests.appliance import Appliance, zipped
from tests.e2e.host import HERE, PATIENCE, Host
from tests.servers import Answer

BLOG, DOCS, WIKI = "blog.example.com", "docs.example.com", "wiki.example.com"
POINTED = [("A", HERE, False)]
pytestmark = pytest.mark.nginx


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with Host(tmp_path_factory.mktemp("host")) as running:
        yield running


@pytest.fixture
def host(whole: Host) -> Iterator[Host]:
    """After every test all that was made is deleted, and what others have is as it was, byte for byte."""
    others, records = whole.others(), list(whole.cloudflare.records)
    yield whole
    for project in whole.server.get("/projects")["items"]:
        assert whole.server.ask("DELETE", f"/projects/{project['name']}").status_code == 204
    eventually(lambda: whole.others() == others)
    eventually(lambda: whole.cloudflare.records == records)
    eventually(lambda: not [*(whole.data / "nginx").iterdir(), *(whole.data / "sites").iterdir()])
    assert whole.urls == []


def eventually(done: Callable[[], object]) -> None:
    assert until(lambda: bool(done()), PATIENCE), "It did not come about in time."


@contextmanager
def visited(host: Host, name: str) -> Iterator[list[Answer]]:
    """Asked over and over meanwhile."""
    seen: list[Answer] = []
    over = threading.Event()

    def visit() -> None:
        while not over.is_set():
            seen.append(host.ask(name))

    visitor = threading.Thread(target=visit)
    visitor.start()
    try:
        yield seen
    finally:
        over.set()
        visitor.join()


# In force, and out of it


def test_a_url_of_what_is_live(host: Host) -> None:
    host.live("blog")
    made = host.add("blog", BLOG)
    assert made["status"] == "active" and made["error"] is None
    assert made["nginx"] == {"status": "ok", "detail": "In force", "note": ""}
    assert made["dns"] == {"status": "ok", "detail": f"A {HERE}", "note": "made by Homeport"}
    assert host.in_force(BLOG, "I am blog")
    assert host.records(BLOG) == POINTED
    environment = host.server.get("/projects/blog/environments/production")
    assert environment["address"] == f"http://{BLOG}:{host.nginx.port}/"
    assert [one["subject"] for one in host.activity("url.active")] == [BLOG]
    host.remove("blog", BLOG)
    eventually(lambda: host.is_gone(BLOG))
    assert host.server.visit("blog").text == "I am blog"


def test_a_url_before_the_first_deployment(host: Host) -> None:
    host.server.project("blog")
    began = time.monotonic()
    made = host.add("blog", BLOG)
    assert time.monotonic() - began < 5, "there is nothing to wait for"
    assert (made["status"], made["nginx"]["status"], made["dns"]["status"]) == ("pending", "waiting", "waiting")
    assert not host.answers(BLOG) and not host.records(BLOG)
    deployed = host.server.deploy("blog", {"index.html": "first"})
    assert f"NGINX configuration changes: {BLOG} is new" in host.server.log(deployed["id"])
    host.becomes(BLOG, "active")
    assert host.in_force(BLOG, "first")


def test_a_deploy_to_what_is_live_reloads_nothing(host: Host) -> None:
    host.live("blog")
    host.add("blog", BLOG)
    before = host.nginx.reloads
    for word in ("two", "three"):
        made = host.server.deploy("blog", {"index.html": word})
        assert host.body(BLOG) == word
        assert f"http://{BLOG}:{host.nginx.port}/ answers with this release" in host.server.log(made["id"])
    host.server.ask("POST", "/projects/blog/environments/production/rollback?wait=20", json={})
    assert host.body(BLOG) == "two"
    assert host.nginx.reloads == before


def test_looking_again_while_releases_change(host: Host) -> None:
    host.live("blog")
    host.add("blog", BLOG)
    seen = []
    for number in range(5):
        sent = host.server.send("blog", zipped({"index.html": f"{number}"}), wait=None)
        while host.server.get(f"/deployments/{sent.json()['id']}")["status"] in ("queued", "running"):
            seen.append(host.check(BLOG, wait=1)["status"])
    eventually(lambda: host.jobs == 0)
    assert {*seen, host.url(BLOG)["status"]} == {"active"} and host.body(BLOG) == "4"


def test_deleting_what_has_urls_takes_all_of_them_out(host: Host) -> None:
    host.live("blog")
    host.server.ask("POST", "/projects/blog/environments", json={"name": "staging"})
    host.server.deploy("blog", {"index.html": "staging"}, "staging")
    for name, environment in ((BLOG, "production"), (DOCS, "staging"), (WIKI, "staging")):
        assert host.add("blog", name, environment)["status"] == "active"
    assert host.server.ask("DELETE", "/projects/blog/environments/staging").status_code == 204
    eventually(lambda: host.is_gone(DOCS) and host.is_gone(WIKI))
    assert host.in_force(BLOG, "I am blog")
    assert host.server.ask("DELETE", "/projects/blog").status_code == 204
    eventually(lambda: host.is_gone(BLOG))


def test_a_url_goes_from_one_environment_to_another(host: Host) -> None:
    host.live("old")
    host.live("new")
    host.add("old", BLOG)
    host.remove("old", BLOG)
    assert host.add("new", BLOG)["status"] == "active"
    assert host.in_force(BLOG, "I am new") and host.records(BLOG) == POINTED


def test_a_url_added_again_while_its_removal_is_tried_again(host: Host) -> None:
    host.live("old")
    host.live("new")
    host.add("old", BLOG)
    record = host.cloudflare.at(BLOG)[0]
    host.cloudflare.fail(503, method="DELETE")
    host.remove("old", BLOG)
    eventually(lambda: [one for one in host.cloudflare.changes if one.method == "DELETE"])
    assert host.add("new", BLOG)["status"] == "active"
    eventually(lambda: host.jobs == 0)
    assert host.in_force(BLOG, "I am new") and host.cloudflare.at(BLOG) == [record]


def test_a_url_goes_to_where_nothing_is_live(host: Host) -> None:
    host.live("old")
    host.server.project("new")
    host.add("old", BLOG)
    host.remove("old", BLOG)
    assert host.add("new", BLOG)["nginx"]["status"] == "waiting"
    eventually(lambda: not host.answers(BLOG))
    host.server.deploy("new", {"index.html": "I am new"})
    host.becomes(BLOG, "active")
    assert host.in_force(BLOG, "I am new")


def test_urls_answer_all_through_a_rename(host: Host) -> None:
    host.live("blog")
    host.add("blog", BLOG)
    with visited(host, BLOG) as seen:
        assert host.server.ask("PATCH", "/projects/blog", json={"name": "journal"}).status_code == 200
        eventually(lambda: not (host.data / "sites/blog").exists())
        path = "/projects/journal/environments/production"
        assert host.server.ask("PATCH", path, json={"name": "main"}).status_code == 200
        eventually(lambda: not (host.data / "sites/journal/production").is_symlink())
    assert {(one.status, one.body) for one in seen} == {(200, b"I am blog")}
    assert host.url(BLOG)["environment"] == "main" and host.in_force(BLOG, "I am blog")
    assert f"root {host.data}/sites/journal/main;" in host.files(BLOG)[0].read_text()
    host.server.deploy("journal", {"index.html": "after"}, "main")
    assert host.body(BLOG) == "after"


def test_a_url_without_nginx_and_without_dns(server: Appliance) -> None:
    server.project("bare")
    server.deploy("bare", {"index.html": "bare"})
    path = "/projects/bare/environments/production/urls"
    made = server.ask("POST", f"{path}?wait=20", json={"host": "bare.example.net"}).json()
    assert (made["status"], made["nginx"]["detail"]) == ("active", "Served by Homeport")
    assert made["dns"] == {"status": "none", "detail": "Not managed", "note": "point it at this host where it is kept"}
    assert server.visit("bare.example.net.").text == "bare"
    assert server.ask("DELETE", f"{path}/bare.example.net").status_code == 204
    assert server.visit("bare.example.net.").text != "bare"


# What others have


def test_a_name_of_someone_elses_is_refused_with_file_and_line(host: Host) -> None:
    host.live("blog")
    path = "/projects/blog/environments/production/urls"
    answer = host.server.ask("POST", path, json={"host": "www.shop.example.com"})
    assert answer.status_code == 409
    assert f"{host.shop} line 3 has the server_name www.shop.example.com already." in answer.json()["detail"]
    assert host.body("shop.example.com") == "someone else's shop\n"


@pytest.mark.parametrize("place", ["sites_available", "sites_enabled"])
def test_a_file_in_the_way_is_refused_and_stays(host: Host, place: str) -> None:
    host.live("blog")
    file: Path = getattr(host.nginx, place) / f"homeport-{BLOG}.conf"
    file.write_text("# mine\n")
    try:
        answer = host.server.ask("POST", "/projects/blog/environments/production/urls", json={"host": BLOG})
        assert answer.status_code == 409 and str(file) in answer.json()["detail"]
        assert host.url(BLOG) is None and file.read_text() == "# mine\n"
    finally:
        file.unlink()


def test_a_host_points_at_one_place(host: Host) -> None:
    host.live("blog")
    host.live("docs")
    host.add("blog", BLOG)
    answer = host.server.ask("POST", "/projects/docs/environments/production/urls", json={"host": BLOG.upper()})
    assert answer.status_code == 409 and "blog, production" in answer.json()["detail"]


def test_a_broken_site_of_someone_elses(host: Host) -> None:
    """It stops what needs NGINX to read its files again, says whose it is, and stops nothing else."""
    host.live("blog")
    host.add("blog", BLOG)
    with host.broken_site() as link:
        made = host.add("blog", DOCS)
        assert made["status"] == "failed" and made["nginx"]["status"] == "failed"
        for words in (f"{link}, line 3", "Correct line 3", 'unknown directive "lisssten"'):
            assert words in made["error"]
        assert not host.records(DOCS)
        host.server.deploy("blog", {"index.html": "two"})
        assert host.body(BLOG) == "two"
        host.server.project("later")
        host.add("later", WIKI)
        answer = host.server.send("later", zipped({"index.html": "later"}))
        refused = answer.json()["deployment"]
        assert answer.status_code == 422 and refused["error"]["code"] == "nginx_foreign"
        assert [one["name"] for one in refused["steps"] if one["status"] == "failed"] == ["publish"]
        assert f"Correct line 3 of {link}." in refused["error"]["todo"]
        assert host.server.visit("later").status_code == 404
        assert host.in_force(BLOG, "two") and not host.records(WIKI)
    assert host.check(DOCS)["status"] == "active"
    host.server.deploy("later", {"index.html": "later"})
    host.becomes(WIKI, "active")
    assert host.in_force(DOCS, "two") and host.in_force(WIKI, "later")


def test_a_rename_beside_a_broken_site_waits_until_it_is_mended(host: Host) -> None:
    host.live("blog")
    host.add("blog", BLOG)
    with visited(host, BLOG) as seen:
        with host.broken_site():
            host.server.ask("PATCH", "/projects/blog", json={"name": "journal"})
            refused = host.server.send("journal", zipped({"index.html": "two"})).json()
            assert refused["deployment"]["error"]["code"] == "nginx_foreign"
            taken = host.server.ask("POST", "/projects", json={"name": "blog"})
            assert (taken.status_code, taken.json()["type"]) == (409, "urn:homeport:name_being_freed")
        eventually(lambda: not (host.data / "sites/blog").exists())
    assert {(one.status, one.body) for one in seen} == {(200, b"I am blog")}
    assert host.in_force(BLOG, "I am blog") and host.url(BLOG)["status"] == "active"
    host.server.project("blog")


# Put back


def test_a_reload_that_turns_a_green_url_red_is_taken_back(host: Host) -> None:
    host.live("blog")
    host.add("blog", BLOG)
    others, file = host.others(), host.files(BLOG)[0].read_text()
    spoilt = host.nginx.conf_d / "spoilt.conf"
    # Another site takes the name, on a more exact address, the moment that our change is read.
    taking = f"server {{{{ listen 127.0.0.1:{host.nginx.port}; server_name {BLOG}; return 404; }}}}"
    host.reload_does(
        f"if [ -e {host.files(DOCS)[2]} ]; then echo '{taking}' > {spoilt}; else rm -f {spoilt}; fi; exec {{reload}}"
    )
    try:
        made = host.add("blog", DOCS)
    finally:
        host.reload_does("exec {reload}")
    assert made["status"] == "failed"
    assert f"{BLOG} no longer answered as before" in made["error"]
    assert f"The change was taken back: {DOCS}." in made["error"]
    assert host.others() == others and host.files(BLOG)[0].read_text() == file
    assert host.in_force(BLOG, "I am blog") and not host.files(DOCS)[0].exists()
    assert host.records(DOCS) == []


@pytest.mark.parametrize("script", ["echo 'no such process' >&2; exit 1", "true"])
def test_a_reload_that_does_not_work_is_taken_back(host: Host, script: str) -> None:
    host.live("blog")
    host.add("blog", BLOG)
    others = host.others()
    host.reload_does(script)
    try:
        made = host.add("blog", DOCS)
        assert made["status"] == "failed" and made["error"]
        assert host.others() == others and host.records(DOCS) == []
        assert not host.files(DOCS)[0].exists()
        host.server.deploy("blog", {"index.html": "two"})
    finally:
        host.reload_does("exec {reload}")
    assert host.in_force(BLOG, "two")
    assert host.check(DOCS)["status"] == "active"


def test_nginx_that_does_not_run_is_said(host: Host) -> None:
    host.live("blog")
    host.add("blog", BLOG)
    host.nginx.stop()
    try:
        failed = host.check(BLOG)
        assert failed["status"] == "active" or BLOG in failed["error"]
        seen = host.becomes(BLOG, "failed")
        assert seen["nginx"]["status"] == "failed" and seen["dns"]["status"] == "ok"
    finally:
        host.nginx.start()
    assert host.check(BLOG)["status"] == "active"


# DNS


def test_no_zone_names_the_permission(host: Host) -> None:
    host.live("blog")
    made = host.add("blog", "www.example.net")
    assert (made["status"], made["nginx"]["status"], made["dns"]["status"]) == ("failed", "ok", "failed")
    assert "www.example.net" in made["error"] and "Zone, DNS, Edit" in made["error"]
    host.remove("blog", "www.example.net")
    eventually(lambda: not host.answers("www.example.net"))
    assert host.activity("url.left_behind") == [], "no record was ever made"


def test_a_record_that_leads_elsewhere_is_left_alone(host: Host) -> None:
    host.live("blog")
    record = host.cloudflare.add_record(BLOG, "A", "192.0.2.99")
    made = host.add("blog", BLOG)
    assert made["status"] == "failed" and "192.0.2.99" in made["error"]
    host.remove("blog", BLOG)
    eventually(lambda: not host.answers(BLOG))
    assert host.cloudflare.at(BLOG) == [record]
    host.cloudflare.records.remove(record)


def test_a_record_that_leads_here_is_accepted_and_stays(host: Host) -> None:
    host.live("blog")
    record = host.cloudflare.add_record(BLOG, "A", HERE)
    made = host.add("blog", BLOG)
    assert made["status"] == "active" and made["dns"]["note"] == "made by hand"
    host.remove("blog", BLOG)
    eventually(lambda: not host.answers(BLOG))
    assert host.cloudflare.at(BLOG) == [record]
    host.cloudflare.records.remove(record)


def test_what_passes_is_tried_again(host: Host) -> None:
    """Each when its time has come, and none holds another up."""
    host.live("blog")
    faults: dict[str, tuple[dict[str, Any], str]] = {
        BLOG: ({"status": 429, "code": 971, "headers": {"retry-after": "4"}}, "asks for a pause"),
        DOCS: ({"status": 502, "body": "<h1>Bad gateway</h1>"}, "it answered 502"),
        WIKI: ({"drop": True, "done": True}, "could not be reached"),
    }
    began = time.monotonic()
    for name, (fault, words) in faults.items():
        host.cloudflare.fail(method="POST", **fault)
        host.server.ask("POST", "/projects/blog/environments/production/urls", json={"host": name})
        waiting = host.says(name, words)
        assert (waiting["status"], waiting["nginx"]["status"], waiting["dns"]["status"]) == ("pending", "ok", "pending")
    assert host.becomes(DOCS, "active")["error"] is None
    assert host.becomes(WIKI, "active")["error"] is None
    took = time.monotonic() - began
    assert took > 2 and (host.url(BLOG)["status"] == "pending" or took > 3)
    host.remove("blog", DOCS)
    eventually(lambda: host.is_gone(DOCS))
    assert host.becomes(BLOG, "active")["error"] is None and time.monotonic() - began > 4
    assert host.records(BLOG) == host.records(WIKI) == POINTED


def test_one_that_waits_can_be_checked_sooner(host: Host) -> None:
    host.live("blog")
    host.cloudflare.fail(429, path="dns_records", code=971, headers={"retry-after": "300"})
    assert host.add("blog", BLOG, wait=1)["status"] == "pending"
    assert host.check(BLOG)["status"] == "active"


def test_a_bad_token_is_said_and_shown_nowhere(host: Host) -> None:
    secret = host.cloudflare.token.secret
    host.live("blog")
    host.add("blog", DOCS)
    host.cloudflare.token.status = "disabled"
    try:
        made = host.add("blog", BLOG)
        assert made["status"] == "failed" and "does not accept the API token" in made["error"]
        assert host.check(DOCS) and host.becomes(DOCS, "failed")["dns"]["status"] == "failed"
    finally:
        host.cloudflare.token.status = "active"
    assert host.check(BLOG)["status"] == host.check(DOCS)["status"] == "active"
    shown = (
        "".join(host.server.output) + host.server.ask("GET", "/activity").text + host.server.ask("GET", "/urls").text
    )
    kept = b"".join(file.read_bytes() for file in host.data.rglob("*") if file.is_file())
    assert secret not in shown and secret.encode() not in kept


def test_proxied_as_chosen(host: Host) -> None:
    host.live("blog")
    host.add("blog", BLOG, proxied=True)
    host.add("blog", DOCS, proxied=False)
    assert [host.records(name) for name in (BLOG, DOCS)] == [[("A", HERE, True)], POINTED]


def test_dns_that_fails_on_removal_is_tried_again(host: Host) -> None:
    host.live("blog")
    host.add("blog", BLOG)
    host.cloudflare.fail(503, method="DELETE")
    host.remove("blog", BLOG)
    assert host.url(BLOG) is None
    eventually(lambda: not host.answers(BLOG))
    assert host.records(BLOG) == POINTED
    eventually(lambda: host.is_gone(BLOG))
    assert host.activity("url.left_behind") == []


def test_what_can_not_be_undone_is_said_to_be_left_behind(host: Host) -> None:
    host.live("blog")
    host.add("blog", BLOG)
    zone = host.cloudflare.zones[0]
    zone.edit = False
    try:
        host.remove("blog", BLOG)
        eventually(lambda: host.activity("url.left_behind"))
    finally:
        zone.edit = True
    left = host.activity("url.left_behind")[0]
    assert left["subject"] == BLOG and "may not edit DNS in example.com" in left["data"]["why"]
    assert not host.answers(BLOG) and host.records(BLOG) == POINTED
    assert host.add("blog", BLOG)["status"] == "active", "it is still ours"


# Killed, then started

# A start that takes up what was cut short comes by none of the next points, so it may die at one of them itself.
LIVES = (
    ("nginx put", "nginx remove"),
    ("after nginx put", "dns remove"),
    ("nginx reload", "after nginx remove"),
    ("dns point", "after dns remove"),
    ("after dns point", "nginx reload"),
    ("url active", "url gone"),
)


@pytest.mark.slow
def test_killed_while_a_url_comes_and_while_it_goes(host: Host) -> None:
    """It ends active or gone, with file, links, answer and record to match, never in between."""
    host.live("blog")
    for coming, going in LIVES:
        host.start_again(coming)
        eventually(lambda: host.is_gone(BLOG))
        with host.dying():
            host.add("blog", BLOG)
        host.start_again(going)
        host.becomes(BLOG, "active")
        assert host.in_force(BLOG, "I am blog") and host.records(BLOG) == POINTED, coming
        with host.dying():
            host.remove("blog", BLOG)
    host.start_again()
    eventually(lambda: host.is_gone(BLOG))


@pytest.mark.slow
def test_killed_in_a_rename(host: Host) -> None:
    """The URL answers all through, from the old place or the new one, and nothing of the other is left."""
    host.live("blog")
    host.add("blog", BLOG)
    places = host.data / "sites"
    with visited(host, BLOG) as seen:
        host.start_again("rename")
        with host.dying():
            host.server.ask("PATCH", "/projects/blog", json={"name": "journal"})
        assert {one.name for one in places.iterdir()} == {"blog", "journal"}
        host.start_again("move")
        assert [one.name for one in places.iterdir()] == ["blog"], "it was not renamed"
        with host.dying():
            host.server.ask("PATCH", "/projects/blog", json={"name": "journal"})
        for fault in ("nginx reload", "after move"):
            host.start_again(fault)
            with host.dying():
                pass
        host.start_again()
        eventually(lambda: [one.name for one in places.iterdir()] == ["journal"])
    assert {(one.status, one.body) for one in seen} == {(200, b"I am blog")}
    assert host.in_force(BLOG, "I am blog") and host.becomes(BLOG, "active")["project"] == "journal"


def test_a_start_puts_right_what_differs_from_the_rows(host: Host) -> None:
    host.live("blog")
    host.live("docs")
    for project, name in (("blog", BLOG), ("blog", DOCS), ("docs", WIKI)):
        assert host.add(project, name)["status"] == "active"
    host.server.stop()
    others = host.others()
    file, _, link = host.files(BLOG)
    file.write_text(file.read_text().replace("/sites/blog/", "/sites/docs/"))
    for path in host.files(DOCS):
        path.unlink()
    stray = [Path(str(path).replace(WIKI, "old.example.com")) for path in host.files(WIKI)]
    stray[0].write_text(host.files(WIKI)[0].read_text().replace(WIKI, "old.example.com"))
    for one in stray[1:]:
        one.symlink_to(stray[0])
    strange = host.data / "sites/gone"
    strange.mkdir()
    (strange / "production").symlink_to("../../releases/none")
    host.nginx.reload()
    assert host.body(BLOG) == "I am docs" and host.body("old.example.com") == "I am docs"
    host.server.start()
    eventually(lambda: not host.answers("old.example.com"))
    eventually(lambda: host.in_force(BLOG, "I am blog") and host.in_force(DOCS, "I am blog"))
    assert {host.becomes(name, "active")["host"] for name in (BLOG, DOCS, WIKI)} == {BLOG, DOCS, WIKI}
    assert host.others() == others and not strange.exists() and link.is_symlink()


def test_a_start_beside_a_broken_site_says_what_is_lost(host: Host) -> None:
    host.live("blog")
    for name in (BLOG, DOCS):
        host.add("blog", name)
    host.server.stop()
    for path in host.files(DOCS):
        path.unlink()
    host.nginx.reload()
    with host.broken_site() as link:
        host.server.start()
        assert str(link) in host.becomes(DOCS, "failed")["error"]
        eventually(lambda: host.jobs <= 1)
        assert host.url(BLOG)["status"] == "active"
        host.server.deploy("blog", {"index.html": "two"})
    assert host.check(DOCS)["status"] == "active"
    assert host.in_force(DOCS, "two") and host.in_force(BLOG, "two")


def test_a_start_with_everything_in_place_reloads_nothing(host: Host) -> None:
    host.live("blog")
    host.add("blog", BLOG)
    before = host.nginx.reloads
    host.server.stop()
    host.server.start()
    assert host.add("blog", DOCS)["status"] == "active", "whatever a start has to do is done before that"
    assert host.nginx.reloads == before + 1
