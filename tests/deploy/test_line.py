"""The straight line: a zip arrives, is live, is replaced, is gone back to."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

from tests.appliance import Appliance, zipped


def test_a_zip_goes_live_and_says_each_step(server: Appliance) -> None:
    server.project("line")
    made = server.deploy("line", {"index.html": "<h1>one</h1>", "a/b.txt": "b"})
    assert made["status"] == "succeeded" and made["live"] and made["number"] == 1
    assert [step["name"] for step in made["steps"]] == [
        "upload", "unpack", "inspect", "publish", "probe", "mark live", "tidy",
    ]  # fmt: skip
    assert {step["status"] for step in made["steps"]} == {"succeeded"}
    assert made["address"] == f"http://line.localhost:{server.port}/"
    assert server.visit("line").text == "<h1>one</h1>"
    assert server.visit("production.line", "/a/b.txt").text == "b"
    assert "is live in line production" in server.log(made["id"])


def test_rollback_is_a_deployment_of_an_older_release(server: Appliance) -> None:
    server.project("back")
    one = server.deploy("back", {"index.html": "one"})
    server.deploy("back", {"index.html": "two"})
    server.deploy("back", {"index.html": "three"})
    path = "/projects/back/environments/production/rollback?wait=30"
    undone = server.ask("POST", path, json={}).json()
    assert (undone["source"], undone["number"], server.visit("back").text) == ("rollback", 4, "two")
    assert server.ask("POST", path, json={}).json()["status"] == "succeeded"
    assert server.visit("back").text == "one"
    assert server.ask("POST", path, json={}).status_code == 409
    chosen = server.ask("POST", path, json={"to": undone["id"]})
    assert chosen.status_code == 201 and server.visit("back").text == "two"
    assert server.get(f"/deployments/{one['id']}")["live"] is False


def test_promotion_takes_what_is_live_elsewhere(server: Appliance) -> None:
    server.project("up")
    server.ask("POST", "/projects/up/environments", json={"name": "staging"})
    server.deploy("up", {"index.html": "new"}, "staging")
    path = "/projects/up/environments/production/promote?wait=30"
    assert server.visit("up").status_code == 404
    promoted = server.ask("POST", path, json={"from": "staging"})
    assert promoted.status_code == 201 and promoted.json()["source"] == "promotion"
    assert server.visit("up").text == server.visit("staging.up").text == "new"


def test_every_bundle_can_be_downloaded_and_deployed_again(server: Appliance) -> None:
    server.project("again")
    body = zipped({"index.html": "kept"})
    sha256 = hashlib.sha256(body).hexdigest()
    server.send("again", body)
    server.deploy("again", {"index.html": "other"})
    got = server.ask("GET", f"/bundles/{sha256}/download")
    assert got.content == body and got.headers["content-type"] == "application/zip"
    path = "/projects/again/environments/production/deployments?wait=30"
    assert server.ask("POST", path, json={"bundle": sha256}).status_code == 201
    assert server.visit("again").text == "kept"


def test_a_form_can_deploy(server: Appliance) -> None:
    server.project("form")
    body = zipped({"index.html": "by form"})
    path = "/projects/form/environments/production/deployments?wait=30"
    answer = server.ask("POST", path, files={"bundle": ("my site.zip", body, "application/zip")})
    assert answer.status_code == 201, answer.text
    assert server.visit("form").text == "by form"
    assert "Received my site.zip" in server.log(answer.json()["id"])


def test_a_newer_one_overtakes_those_that_wait(server: Appliance) -> None:
    server.project("queue")
    bodies = [zipped({"index.html": f"{n}", "big.bin": bytes(2_000_000)}, compresslevel=0) for n in range(6)]
    started = [server.send("queue", body, wait=None).json() for body in bodies]
    last = server.send("queue", zipped({"index.html": "last"}))
    assert last.status_code == 201
    ended = [server.get(f"/deployments/{one['id']}") for one in started]
    assert {one["status"] for one in ended} <= {"succeeded", "skipped"}
    for one in ended:
        if one["status"] == "skipped":
            assert one["overtaken_by"] > one["id"]
    assert server.visit("queue").text == "last"


def test_old_releases_go_and_come_back(server: Appliance) -> None:
    """The live one and the five before it stay unpacked; going back further unpacks the bundle again."""
    server.project("many")
    made = [server.deploy("many", {"index.html": f"release {n}"}) for n in range(8)]
    assert [(server.data / "releases" / one["release"]).is_dir() for one in made] == [False] * 2 + [True] * 6
    path = "/projects/many/environments/production/rollback?wait=30"
    assert server.ask("POST", path, json={"to": made[0]["id"]}).status_code == 201
    assert server.visit("many").text == "release 0"


def test_one_bundle_to_several_environments_at_once(server: Appliance) -> None:
    server.project("same")
    body = zipped({"index.html": "same", **{f"{n}.txt": "x" * 100 for n in range(500)}})
    names = ["production", "one", "two", "three"]
    for name in names[1:]:
        server.ask("POST", "/projects/same/environments", json={"name": name})
    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(lambda name: server.send("same", body, name), names))
    assert [answer.status_code for answer in answers] == [201] * 4
    assert {server.visit(f"{name}.same", "/499.txt").text for name in names} == {"x" * 100}
