"""What stands before one URL alone, asked of each backend: who may come, where it leads, a password of its own."""

import base64
from collections.abc import Iterator
from dataclasses import replace

import pytest

from appliance.access import passwords
from appliance.model import serving
from appliance.model.fronts import Front
from appliance.model.rules import Guard
from tests.contracts.both import BACKENDS, HOST, Backed, both
from tests.releases import Files, make_release
from tests.servers import ask

pytestmark = pytest.mark.nginx
FILES: Files = {"index.html": "<h1>home</h1>", "docs/index.html": "docs"}
HERE, ELSEWHERE = ("127.0.0.1",), ("192.0.2.0/24", "2001:db8::/32")
OWN, WHOLE = "a word of its own", "a word for all of it"


class Place(Backed):
    def publish(self, front: Front | None = None, guard: Guard | None = None, proxies: str = "") -> None:
        self.backend.settings = replace(self.backend.settings, trusted_proxies=proxies)
        self.site = replace(self.site, fronts={HOST: front} if front else {}, guard=guard or Guard())
        release = make_release(self.data, FILES)
        self.backend.publish(self.site, release, print)
        assert all(one.ok for one in self.backend.probe(self.site, release)), "a probe knows what to look for"


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Place]]:
    with both(tmp_path_factory.mktemp("fronts"), Place) as found:
        yield found


@pytest.fixture(params=BACKENDS)
def place(request: pytest.FixtureRequest, places: dict[str, Place]) -> Place:
    return places[str(request.param)]


def basic(password: str, user: str = "visitor") -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("path", ["/", "/docs", "/missing/%20x?a=1&b=%2F", "/.git/config", "/%C3%BC?q"])
def test_one_that_leads_elsewhere_keeps_path_and_query(place: Place, status: int, path: str) -> None:
    place.publish(Front("new.example.com", status), Guard(maintenance="soon"))
    for method in ("GET", "HEAD", "POST"):
        found = place.ask(path, method=method)
        assert (found.status, found.headers["location"]) == (status, f"http://new.example.com{path}")
        assert found.headers["cache-control"] == "no-cache"
    kept = ask(place.address, path, f"{HOST}:8081")
    assert kept.headers["location"] == f"http://new.example.com:8081{path}", "by the port that visitors came to"


def test_one_that_shows_its_site_again(place: Place) -> None:
    place.publish(Front("new.example.com"))
    place.publish()
    assert place.ask("/").body == b"<h1>home</h1>"


@pytest.mark.parametrize("path", ["/", "/docs", "/missing", "/.git/config"])
@pytest.mark.parametrize("maintenance", ["", "soon"])
def test_visitors_from_elsewhere_are_told_so(place: Place, path: str, maintenance: str) -> None:
    place.publish(Front(allow=ELSEWHERE), Guard("visitor", passwords.hashed(WHOLE, 5), maintenance))
    for method in ("GET", "POST"):
        found = place.ask(path, method=method, authorization=basic(WHOLE))
        assert (found.status, found.body) == (403, serving.OUTSIDE.encode())
        assert found.headers["content-type"] == "text/html; charset=utf-8"
        assert found.headers["cache-control"] == "no-store"
        assert found.headers["x-content-type-options"] == "nosniff"
        assert "www-authenticate" not in found.headers


def test_visitors_from_a_network_that_is_let_in_see_the_site(place: Place) -> None:
    for allowed in (HERE, ("127.0.0.0/8",), (*ELSEWHERE, "0.0.0.0/0")):
        place.publish(Front(allow=allowed))
        assert place.ask("/").body == b"<h1>home</h1>"
        assert place.ask("/missing").status == 404
        assert place.ask("/", method="POST").status == 405


def test_a_visitor_counts_by_what_a_named_proxy_says(place: Place) -> None:
    place.publish(Front(allow=ELSEWHERE), proxies="127.0.0.0/8 10.0.0.1")
    for forwarded, status in [
        ("192.0.2.7", 200),
        ("2001:db8::7", 200),
        ("192.0.2.7, 10.0.0.1", 200),
        ("203.0.113.1", 403),
        ("192.0.2.7, 203.0.113.1", 403),
    ]:
        assert place.ask("/", x_forwarded_for=forwarded).status == status, forwarded
    assert place.ask("/").status == 403
    place.publish(Front(allow=ELSEWHERE))
    assert place.ask("/", x_forwarded_for="192.0.2.7").status == 403, "nobody was named"


def test_a_password_of_its_own_stands_in_place_of_the_environments(place: Place) -> None:
    own = Front(user="guest", password=passwords.hashed(OWN, 5))
    place.publish(own, Guard("visitor", passwords.hashed(WHOLE, 5)))
    assert place.ask("/", authorization=basic(OWN, "guest")).body == b"<h1>home</h1>"
    for authorization in (basic(WHOLE), basic(OWN), basic(WHOLE, "guest"), ""):
        assert place.ask("/", authorization=authorization).status == 401
    place.publish(own)
    assert place.ask("/").status == 401
    place.publish(own, Guard(maintenance="soon"))
    assert place.ask("/").status == 503, "the maintenance page stands before every URL"


WILD = "*.preview.example.com"


@pytest.fixture
def wild(place: Place) -> Iterator[Place]:
    """With a wildcard beside the name that it always has."""
    place.site = replace(place.site, hosts=(HOST, WILD))
    yield place
    place.publish()
    place.site = replace(place.site, hosts=(HOST,))
    place.backend.detach(place.site, WILD, print)


@pytest.mark.parametrize("place", ["nginx"], indirect=True)  # where Homeport answers, names are found before this
@pytest.mark.parametrize("front", [Front(), Front(allow=HERE), Front("new.example.com")])
def test_a_wildcard_takes_in_one_part_and_no_more(wild: Place, front: Front) -> None:
    wild.publish()
    wild.site = replace(wild.site, fronts={WILD: front})
    wild.backend.publish(wild.site, make_release(wild.data, FILES), print)
    for host in ("pr-1.preview.example.com", "PR-2.preview.example.com", "_x.preview.example.com"):
        assert ask(wild.address, "/", host).status == (front.redirect_status if front.redirect_to else 200), host
    for host in ("a.b.preview.example.com", "preview.example.com", "x.example.com"):
        found = ask(wild.address, "/", host)
        assert found.status == 404 or found.body != b"<h1>home</h1>", host
    assert ask(wild.address, "/", HOST).body == b"<h1>home</h1>", "an exact name is not touched"
