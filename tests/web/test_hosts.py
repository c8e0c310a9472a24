"""Which host name leads to a site, and which to the appliance."""

import pytest

from tests.appliance import Appliance


@pytest.fixture(scope="module")
def site(server: Appliance) -> str:
    server.project("hosted")
    server.deploy("hosted", {"index.html": "the site"})
    server.ask("POST", "/projects/hosted/environments", json={"name": "staging"})
    server.deploy("hosted", {"index.html": "its staging"}, "staging")
    return "hosted"


def get(server: Appliance, host: str, path: str = "/") -> tuple[int, str]:
    answer = server.http.get(server.url + path, headers={"Host": host, "Authorization": f"Bearer {server.key}"})
    return answer.status_code, answer.text


@pytest.mark.parametrize(
    ("host", "text"),
    [
        ("hosted.localhost", "the site"),
        ("hosted.localhost:{port}", "the site"),
        ("hosted.localhost:1", "the site"),
        ("HOSTED.LocalHost:{port}", "the site"),
        ("hosted.localhost.:{port}", "the site"),
        ("production.hosted.localhost", "the site"),
        ("staging.hosted.localhost", "its staging"),
    ],
)
def test_the_names_of_a_site(server: Appliance, site: str, host: str, text: str) -> None:
    assert get(server, host.format(port=server.port)) == (200, text)


@pytest.mark.parametrize(
    "host",
    [
        "nothing.localhost",
        "dev.hosted.localhost",
        "a.staging.hosted.localhost",
        ".localhost",
        "..localhost",
        "hosted..localhost",
        "-.localhost",
        "%2e%2e.localhost",
        "../hosted.localhost",
        "x/../hosted.localhost",
        "hosted\\staging.localhost",
        "hosted.localhost.evil.localhost",
        "a" * 300 + ".localhost",
    ],
)
def test_no_other_name_shows_a_site_nor_the_appliance(server: Appliance, site: str, host: str) -> None:
    status, text = get(server, host, "/api/v1/projects")
    assert status in {400, 404}
    assert "items" not in text and "the site" not in text


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "localhost:{port}", "[::1]:{port}", "[::1]", "deploy.example.net"]
)
def test_every_other_name_is_the_appliance(server: Appliance, site: str, host: str) -> None:
    status, text = get(server, host.format(port=server.port), "/api/v1/me")
    assert status == 200 and "permissions" in text


def test_the_api_does_not_answer_under_the_name_of_a_site(server: Appliance, site: str) -> None:
    """Whoever controls a site must not be able to stand in front of the appliance."""
    for path in ("/api/v1/me", "/login", "/healthz", "/static/app.css", "/setup"):
        assert get(server, "hosted.localhost", path)[0] == 404


def test_a_site_gets_none_of_the_appliances_headers_or_cookies(server: Appliance, site: str) -> None:
    answer = server.visit(site)
    assert "content-security-policy" not in answer.headers and "set-cookie" not in answer.headers
    assert answer.headers["x-content-type-options"] == "nosniff"
