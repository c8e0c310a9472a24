"""X-rays and comparisons, through the API."""

from tests.appliance import Appliance

PAGE = '<h1>Blog</h1><a href="/about/">About</a><a href="/gone/">Gone</a>'
FIRST = {"index.html": PAGE, "about/index.html": "<h1>About</h1>", "old.txt": "old"}
SECOND = {
    "index.html": PAGE + " ",
    "about/index.html": "<h1>About</h1>",
    "gone/index.html": "here",
    "prod.env": "KEY=1",
}


def test_an_xray_says_what_is_in_a_deployment_and_what_changed(server: Appliance) -> None:
    server.project("xray-one")
    first = server.deploy("xray-one", FIRST)
    second = server.deploy("xray-one", SECOND)
    report = server.get(f"/deployments/{second['id']}/xray?wait=30")
    assert report["state"] == "done"
    assert report["against"] == first["id"]
    assert report["added"]["names"] == ["gone/index.html", "prod.env"]
    assert report["removed"]["names"] == ["old.txt"]
    assert report["changed"]["names"] == ["index.html"]
    assert [(one["code"], one["level"], one["examples"]) for one in report["findings"]] == [
        ("secret_files", "warning", ["prod.env"])
    ]
    earlier = server.get(f"/deployments/{first['id']}/xray?wait=30")
    assert [one["code"] for one in earlier["findings"]] == ["broken_links"]
    assert earlier["findings"][0]["examples"] == ["/gone/ on index.html"]


def test_a_deployment_has_its_xray_in_numbers(server: Appliance) -> None:
    server.project("xray-short")
    made = server.deploy("xray-short", SECOND)
    assert made["xray"]["warnings"] >= 1  # names are seen before it is live
    server.get(f"/deployments/{made['id']}/xray?wait=30")
    whole = {"state": "done", "warnings": 1, "notes": 0, "added": 0, "removed": 0, "changed": 0}
    assert server.get(f"/deployments/{made['id']}")["xray"] == whole
    assert server.get("/deployments?project=xray-short")["items"][0]["xray"] == whole
    assert server.get("/projects/xray-short/environments/production")["live"]["xray"] == whole


def test_the_log_warns_before_it_is_live(server: Appliance) -> None:
    server.project("xray-log")
    made = server.deploy("xray-log", SECOND)
    log = server.log(made["id"])
    assert log.index("prod.env") < log.index("is live in")


def test_two_deployments_side_by_side(server: Appliance) -> None:
    server.project("xray-two")
    first = server.deploy("xray-two", FIRST | {"_redirects": "/a /about/ 302"})
    second = server.deploy("xray-two", SECOND)
    for made in (first, second):
        server.get(f"/deployments/{made['id']}/xray?wait=30")
    found = server.get(f"/deployments/{second['id']}/compare?with={first['id']}")
    assert found == server.get(f"/deployments/{first['id']}/compare?with={second['id']}")
    assert (found["before"], found["after"]) == (first["id"], second["id"])
    assert found["changed"]["files"] == [{"path": "index.html", "before": len(PAGE), "after": len(PAGE) + 1}]
    assert [one["path"] for one in found["removed"]["files"]] == ["_redirects", "old.txt"]
    assert found["rules"] == ["Redirect gone: /a to /about/, 302"]
    assert [one["code"] for one in found["findings_new"]] == ["secret_files"]
    assert [one["code"] for one in found["findings_gone"]] == ["broken_links"]


def test_what_can_not_be_compared_is_said(server: Appliance) -> None:
    server.project("xray-not")
    made = server.deploy("xray-not", FIRST)
    assert server.ask("GET", f"/deployments/{made['id']}/compare").json()["errors"] == {
        "with": "Name the deployment to compare with"
    }
    assert server.ask("GET", f"/deployments/{made['id']}/compare?with=nope").status_code == 404


def test_lines_of_redirects_without_effect_are_in_the_xray(server: Appliance) -> None:
    server.project("xray-rules")
    made = server.deploy("xray-rules", {"index.html": "x", "_redirects": "/a https://other.example/:splat 200"})
    report = server.get(f"/deployments/{made['id']}/xray?wait=30")
    assert [one["code"] for one in report["findings"]] == ["bad_rules"]
    assert report["findings"][0]["examples"][0].startswith("_redirects line 1: ")


def test_what_was_left_out_of_a_bundle_is_noted(server: Appliance) -> None:
    server.project("xray-left")
    made = server.deploy("xray-left", {"index.html": "x", ".env": "A=1", ".DS_Store": "x"})
    report = server.get(f"/deployments/{made['id']}/xray?wait=30")
    assert [(one["code"], one["level"], one["examples"]) for one in report["findings"]] == [
        ("left_out", "note", [".env"])
    ]


def test_a_rollback_is_looked_at_too_and_never_stopped(server: Appliance) -> None:
    server.project("xray-back")
    server.deploy("xray-back", FIRST)
    server.deploy("xray-back", SECOND)
    back = server.ask("POST", "/projects/xray-back/environments/production/rollback?wait=30", json={})
    assert back.status_code == 201
    report = server.get(f"/deployments/{back.json()['id']}/xray?wait=30")
    assert report["state"] == "done"
    assert report["added"]["names"] == ["old.txt"]
