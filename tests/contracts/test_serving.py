"""How a release answers by its rules, asked of each backend: redirects, headers, caching, guards, compressed forms."""

import base64
import gzip
import os
from collections.abc import Iterator
from dataclasses import replace

import pytest

from appliance.access import passwords
from appliance.model import header_lines, redirect_lines, serving
from appliance.model.rules import IMMUTABLE, Guard, Rules
from appliance.model.sites import Release
from tests.contracts.both import BACKENDS, Backed, both
from tests.releases import Files, make_release
from tests.servers import Answer

SCRIPT = "assets/index-BfQ2nV7x.js"
FILES: Files = {
    "index.html": "home",
    "404.html": "not here",
    "about.html": "about",
    "docs/index.html": "docs",
    "both.html": "both, the page",
    "both/index.html": "both, the folder",
    "über uns.html": "about us",
    "gone.html": "gone for good",
    "en/deep/page.html": "deep",
    "file": "no ending",
    "data.json": "{}",
    SCRIPT: "script()",
    "_redirects": "/x /y",
    "_headers": "/x\n  X: y",
    ".well-known/a.txt": "known",
    ".git/config": "secret",
}
pytestmark = pytest.mark.nginx


class Place(Backed):
    def publish(self, rules: Rules | None = None, files: Files = FILES, guard: Guard | None = None) -> Release:
        self.site = replace(self.site, guard=guard or Guard())
        release = make_release(self.data, files, rules or Rules())
        self.backend.publish(self.site, release, print)
        return release


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Place]]:
    with both(tmp_path_factory.mktemp("serving"), Place) as found:
        for name, one in found.items():
            earlier = one.data / "earlier" / name
            earlier.mkdir(parents=True)
            one.site = replace(one.site, earlier=earlier)
        yield found


@pytest.fixture(params=BACKENDS)
def place(request: pytest.FixtureRequest, places: dict[str, Place]) -> Place:
    return places[str(request.param)]


def redirects(lines: str) -> Rules:
    found, ignored = redirect_lines.parse(lines.encode())
    assert ignored == ()
    return Rules(redirects=found)


def headers(lines: str) -> Rules:
    found, ignored = header_lines.parse(lines.encode())
    assert ignored == ()
    return Rules(headers=found)


def told(answer: Answer) -> tuple[object, ...]:
    """A status, and where it leads or what it shows."""
    return answer.status, answer.headers.get("location") or answer.body.decode()


# Files


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/", (200, "home")),
        ("/about", (200, "about")),
        ("/about?a=1", (200, "about")),
        ("/about.html", (200, "about")),
        ("/about/", (301, "/about")),
        ("/about/?a=1&b", (301, "/about?a=1&b")),
        ("/docs", (301, "/docs/")),
        ("/docs/", (200, "docs")),
        ("/docs/index", (200, "docs")),
        ("/both", (200, "both, the page")),
        ("/both/", (200, "both, the folder")),
        ("/%C3%BCber%20uns", (200, "about us")),
        ("/%C3%BCber%20uns/", (301, "/%C3%BCber%20uns")),
        ("/file", (200, "no ending")),
        ("/file/", (404, "not here")),
        ("/en/deep/page", (200, "deep")),
        ("//about", (200, "about")),
        ("/docs/../about", (200, "about")),
        ("/missing", (404, "not here")),
        ("/.git/config", (404, "not here")),
        ("/.well-known/a.txt", (200, "known")),
        ("/_redirects", (404, "not here")),
        ("/_headers", (404, "not here")),
        ("/%5Fheaders", (404, "not here")),
    ],
)
def test_clean_urls(place: Place, path: str, answer: tuple[int, str]) -> None:
    place.publish(Rules(clean_urls=True))
    assert told(place.ask(path)) == answer


@pytest.mark.parametrize("path", ["/about", "/about/", "/docs/index", "/both/x", "/%C3%BCber%20uns", "/_redirects"])
def test_without_clean_urls_a_name_is_the_whole_name(place: Place, path: str) -> None:
    place.publish(Rules())
    assert told(place.ask(path)) == (404, "not here")


def test_the_fallback_is_for_pages_only(place: Place) -> None:
    place.publish(Rules(fallback="index.html"))
    for path in ("/settings", "/settings/", "/a/b.png", "/.git/config", "/_headers"):
        assert told(place.ask(path)) == (200, "home"), path
    for path in ("/assets/index-CcQ4nV9z.js", "/main.3f2a1b9c.css", "/_next/static/chunks/x.js"):
        found = place.ask(path)
        assert (found.status, found.headers["cache-control"]) == (404, "no-store"), path


def test_earlier_files(place: Place) -> None:
    assert place.site.earlier is not None
    (place.site.earlier / "assets").mkdir(exist_ok=True)
    (place.site.earlier / "assets/index-DqAx7k2z.js").write_text("earlier()")
    (place.site.earlier / "plain.js").write_text("never")
    place.publish(Rules(bridge=True, fallback="index.html"))
    found = place.ask("/assets/index-DqAx7k2z.js")
    assert told(found) == (200, "earlier()")
    assert found.headers["cache-control"] == IMMUTABLE
    assert found.headers["content-type"] == "text/javascript; charset=utf-8"
    assert told(place.ask("/plain.js")) == (200, "home")
    assert place.ask("/assets/index-CcQ4nV9z.js").status == 404
    assert told(place.ask(f"/{SCRIPT}")) == (200, "script()")
    place.publish(Rules(bridge=True, redirects=redirects("/* /index.html 200").redirects))
    assert told(place.ask("/assets/index-DqAx7k2z.js")) == (200, "earlier()")
    place.publish(Rules())
    assert place.ask("/assets/index-DqAx7k2z.js").status == 404


# Redirects


@pytest.mark.parametrize(
    ("lines", "path", "answer"),
    [
        ("/old /new", "/old", (301, "/new")),
        ("/old /new", "/old/", (301, "/new")),
        ("/old /new", "/old?a=%20b", (301, "/new?a=%20b")),
        ("/old /new?x=1", "/old?a=1", (301, "/new?x=1")),
        ("/old /new#part", "/old?a=1", (301, "/new#part")),
        ("/old /new", "//old", (301, "/new")),
        ("/old /new", "/Old", (404, "not here")),
        ("/old https://example.com/x?y=z", "/old?a=1", (301, "https://example.com/x?y=z")),
        ("/caf%C3%A9 /tee", "/caf%c3%a9", (301, "/tee")),
        ("/sp%20ace /tee", "/sp%20ace", (301, "/tee")),
        ("/old /%C3%BCber%20uns.html", "/old", (301, "/%C3%BCber%20uns.html")),
        ("/old /$uri/$1;x\"'", "/old", (301, "/$uri/$1;x%22'")),
        ("/about.html /new", "/about.html", (200, "about")),
        ("/about.html /new 302!", "/about.html", (302, "/new")),
        ("/a /1\n/a /2", "/a", (301, "/1")),
        ("/a/* /1\n/a/b /2", "/a/b", (301, "/1")),
        ("/a/b /2\n/a/* /1", "/a/b", (301, "/2")),
        ("/a/* /b/:splat", "/a", (301, "/b/")),
        ("/a/* /b/:splat", "/a/", (301, "/b/")),
        ("/a/* /b/:splat", "/a/c/d?e=f", (301, "/b/c/d?e=f")),
        ("/a/* /b/:splat", "/a/%C3%BC%20x%2Fy%3Fz", (301, "/b/%C3%BC%20x%2Fy%3Fz")),
        ("/a/* /b/:splat", "/a/%0d%0aX:%20y", (301, "/b/%0d%0aX:%20y")),
        ("/a/* /:splat", "/a//evil.com", (404, "not here")),
        ("/a/* /:splat", "/a/%5cevil.com", (301, "/%5cevil.com")),
        ("/a/* /b/:splat", "/ab", (404, "not here")),
        ("/a/* https://example.com/:splat 307", "/a/x", (307, "https://example.com/x")),
        ("/:y/:m /:m/:y 303", "/2026/11", (303, "/11/2026")),
        ("/:y/:m /:m/:y 308", "/2026/11/", (308, "/11/2026")),
        ("/:y/:m /:m/:y", "/2026/11/12", (404, "not here")),
        ("/*.php /:splat 302", "/x/y.php", (302, "/x/y")),
        ("/x/:name.html /n-:name-x", "/x/a.html", (301, "/n-a-x")),
        ("/p id=:id /q/:id", "/p?id=7&b=c", (301, "/q/7?id=7&b=c")),
        ("/p id=:id /q?n=:id", "/p?b=c&ID=a%20b", (301, "/q?n=a%20b")),
        ("/p id=:id /q/:id", "/p?id=/evil.com", (404, "not here")),
        ("/p id=:id /q/:id", "/p?id=", (404, "not here")),
        ("/p id=:id /q/:id", "/p", (404, "not here")),
        ("/p id=1 lang=de /q", "/p?lang=de&id=1", (301, "/q?lang=de&id=1")),
        ("/p id=1 lang=de /q", "/p?id=1", (404, "not here")),
        ("/a /about 200", "/a", (200, "about")),
        ("/a /docs 200", "/a", (200, "docs")),
        ("/a /docs/ 200", "/a/", (200, "docs")),
        ("/a /%C3%BCber%20uns 200", "/a", (200, "about us")),
        ("/a /missing 200", "/a", (404, "not here")),
        ("/x/* /en/:splat.html 200", "/x/deep/page", (200, "deep")),
        ("/x* /y".replace("x*", "x/*"), "/.git/config", (404, "not here")),
        ("/x/* /:splat 200", "/x/_headers", (404, "not here")),
        ("/about.html /index.html 200!", "/about.html", (200, "home")),
        ("/shop/* /gone.html 410", "/shop/a", (410, "gone for good")),
        ("/* /about.html 404", "/zzz", (404, "about")),
        ("/* /index.html 200", "/zzz/y", (200, "home")),
        ("/* /index.html 200", "/assets/index-CcQ4nV9z.js", (404, "not here")),
        ("/assets/* /about.html 302", "/assets/index-CcQ4nV9z.js", (302, "/about.html")),
        ("/.x/* /y", "/.x/a", (404, "not here")),
        ("/docs/* /new/:splat 301!", "/docs/", (301, "/new/")),
        ("/docs/* /new/:splat", "/docs/", (200, "docs")),
    ],
)
def test_redirects(place: Place, lines: str, path: str, answer: tuple[int, str]) -> None:
    place.publish(redirects(lines))
    found = place.ask(path)
    assert told(found) == answer
    if found.status in (301, 302, 303, 307, 308):
        assert found.headers["cache-control"] == "no-cache"
    if found.status in (404, 410):
        assert found.headers["cache-control"] == "no-store"


def test_languages(place: Place) -> None:
    place.publish(redirects("/ /de/ 302! Language=de\n/ /about.html 302! Language=fr,pt-BR"))
    assert told(place.ask("/", accept_language="de-AT,en;q=0.5")) == (302, "/de/")
    assert told(place.ask("/", accept_language="PT-br")) == (302, "/about.html")
    for language in ("en,de", "pt", "den"):
        assert told(place.ask("/", accept_language=language)) == (200, "home"), language
    plain = place.ask("/")
    assert told(plain) == (200, "home")
    assert plain.headers["vary"] == "Accept-Language"


def test_clean_urls_come_before_redirects_that_are_not_forced(place: Place) -> None:
    lines = redirects("/about /new\n/about/ /new\n/docs /new")
    place.publish(replace(lines, clean_urls=True))
    assert told(place.ask("/about")) == (200, "about")
    assert told(place.ask("/about/")) == (301, "/about")
    assert told(place.ask("/docs")) == (301, "/docs/")


def test_thousands_of_redirects(place: Place) -> None:
    place.publish(redirects("\n".join(f"/old/{number} /new/{number}" for number in range(4000))))
    assert told(place.ask("/old/3999")) == (301, "/new/3999")
    assert told(place.ask("/old/4000")) == (404, "not here")


# Headers


def test_headers(place: Place) -> None:
    place.publish(headers("""\
/*
  X-Frame-Options: DENY
  X-Odd: "$uri" \\ {x}; # 'y' ${host}
  X-Gone: 1
/docs/*
  x-frame-options: SAMEORIGIN
  ! X-Gone
/about.html
  Cache-Control: max-age=5
  X-Content-Type-Options: other
"""))  # fmt: skip
    home, docs, about = (place.ask(path) for path in ("/", "/docs/", "/about.html"))
    assert home.headers["x-frame-options"] == "DENY"
    assert home.headers["x-odd"] == "\"$uri\" \\ {x}; # 'y' ${host}"
    assert home.headers["x-gone"] == "1"
    assert docs.headers["x-frame-options"] == "DENY, SAMEORIGIN"
    assert "x-gone" not in docs.headers
    assert about.headers["cache-control"] == "max-age=5"
    assert about.headers["x-content-type-options"] == "other"
    assert place.ask("/about.html", if_none_match=about.headers["etag"]).headers["cache-control"] == "max-age=5"
    for path, status in (("/docs", 301), ("/missing", 404)):
        found = place.ask(path)
        assert (found.status, "DENY" in found.headers["x-frame-options"]) == (status, True)
    assert "x-frame-options" not in place.ask("/", method="POST").headers


def test_a_header_of_ours_can_be_taken_away(place: Place) -> None:
    place.publish(headers("/about.html\n  ! Cache-Control\n  ! X-Content-Type-Options\n"))
    found = place.ask("/about.html")
    assert {"cache-control", "x-content-type-options"} & found.headers.keys() == set()
    assert place.ask("/").headers["cache-control"] == "no-cache"


# Caching


def test_names_say_how_long_a_file_is_kept(place: Place) -> None:
    place.publish(Rules(pages="public, max-age=60", fingerprinted='max-age=5, private="x"'))
    for path in ("/", "/about.html", "/data.json", "/docs/"):
        assert place.ask(path).headers["cache-control"] == "public, max-age=60", path
    script = place.ask(f"/{SCRIPT}")
    assert script.headers["cache-control"] == 'max-age=5, private="x"'
    for more in ({"range": "bytes=0-1"}, {"if_none_match": script.headers["etag"]}):
        assert place.ask(f"/{SCRIPT}", **more).headers["cache-control"] == 'max-age=5, private="x"'
    for path in ("/missing", "/assets/index-CcQ4nV9z.js"):
        assert place.ask(path).headers["cache-control"] == "no-store", path
    for found in (place.ask("/docs"), place.ask("/", method="POST"), place.ask(f"/{SCRIPT}", if_match='"x"')):
        assert found.headers["cache-control"] == "no-cache", found.status


def test_a_page_shown_in_place_of_a_script_is_kept_as_a_page(place: Place) -> None:
    place.publish(redirects(f"/x/:name /{SCRIPT} 200\n/assets/index-CcQ4nV9z.js /index.html 200"))
    assert place.ask("/x/y").headers["cache-control"] == IMMUTABLE
    found = place.ask("/assets/index-CcQ4nV9z.js")
    assert (told(found), found.headers["cache-control"]) == ((200, "home"), "no-cache")


def test_our_own_page_for_what_is_missing_is_never_kept(place: Place) -> None:
    place.publish(files={"index.html": "home"})
    found = place.ask("/missing")
    assert (found.status, found.headers["cache-control"]) == (404, "no-store")
    assert found.body == serving.NOT_FOUND.encode()


# Guards


PASSWORD = "correct horse: battery"
GUARD = Guard("visitor", passwords.hashed(PASSWORD, 5))


def basic(user: str = "visitor", password: str = PASSWORD) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize(
    "path", ["/", f"/{SCRIPT}", "/missing", "/docs", "/old", "/older", "/.git/config", "/_headers"]
)
def test_nothing_comes_without_the_password(place: Place, path: str) -> None:
    place.publish(replace(redirects("/old /new\n/older /about.html 200!\n/x/* /y 301!"), clean_urls=True), guard=GUARD)
    for authorization in (None, basic(password="wrong"), basic("other"), "Bearer x", "Basic x"):
        found = place.ask(path, **({"authorization": authorization} if authorization else {}))
        assert (found.status, found.body) == (401, serving.NOT_SIGNED_IN.encode()), authorization
        assert found.headers["www-authenticate"] == f'Basic realm="{serving.REALM}"'
        assert found.headers["cache-control"] == "no-store"
        assert found.headers["content-type"] == "text/html; charset=utf-8"


def test_the_password_opens_all_of_it(place: Place) -> None:
    place.publish(redirects("/old /new\n/older /about.html 200!"), guard=GUARD)
    found = {path: place.ask(path, authorization=basic()) for path in ("/", f"/{SCRIPT}", "/old", "/older", "/missing")}
    assert [told(one) for one in found.values()] == [
        (200, "home"),
        (200, "script()"),
        (301, "/new"),
        (200, "about"),
        (404, "not here"),
    ]
    kept = [one.headers["cache-control"] for one in found.values()]
    assert kept == ["private, no-cache"] * 4 + ["no-store"]


def test_the_maintenance_page_comes_before_everything(place: Place) -> None:
    message = 'Back at <noon> & "later": $uri \\ {x}; ’til then'
    place.publish(guard=replace(GUARD, maintenance=message))
    for path in ("/", f"/{SCRIPT}", "/docs", "/missing", "/.git/config", "/_redirects"):
        for method in ("GET", "POST"):
            found = place.ask(path, method=method)
            assert (found.status, found.body.decode()) == (503, serving.maintenance(message)), (path, method)
            assert found.headers["retry-after"] == str(serving.RETRY_AFTER)
            assert found.headers["cache-control"] == "no-store"
            assert found.headers["content-type"] == "text/html; charset=utf-8"
    place.publish()
    assert told(place.ask("/")) == (200, "home")


def test_a_probe_knows_rules_and_guards(place: Place) -> None:
    first = place.publish(redirects("/* /index.html 200\n/about.html /new 301!"))
    assert all(one.ok for one in place.backend.probe(place.site, first)), place.backend.probe(place.site, first)
    rules, files = Rules(clean_urls=True, bridge=True, fallback="index.html"), {**FILES, "new.html": "new"}
    second = place.publish(rules, files)
    for guard in (GUARD, Guard(maintenance="soon"), Guard()):
        place.publish(rules, files, guard)
        seen = place.backend.probe(place.site, second, first)
        assert all(one.ok for one in seen), seen
    closed = replace(place.site, guard=Guard(maintenance="soon"))
    assert not any(one.ok for one in place.backend.probe(closed, second))


# Compressed forms


@pytest.fixture
def compressed(place: Place) -> Place:
    """A page and a script with a form of each beside it, as it is made after a release went live."""
    release = place.publish(Rules(clean_urls=True), {**FILES, "only.txt.gz": gzip.compress(b"only")})
    for name in ("about.html", SCRIPT, "404.html"):
        file = release.path / name
        form = file.with_name(f"{file.name}.gz")
        form.write_bytes(gzip.compress(file.read_bytes(), mtime=0))
        os.utime(form, (file.stat().st_mtime, file.stat().st_mtime))
    return place


@pytest.mark.parametrize(
    ("accepted", "taken"),
    [
        ("gzip", True),
        ("GZIP", True),
        ("deflate, gzip", True),
        ("gzip;q=0.5, identity", True),
        ("gzip; q=0.001", True),
        ("gzip;q=1.0", True),
        ("", False),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip;q=0.000", False),
        ("*", False),
        ("xgzip", False),
        ("gzipped", False),
    ],
)
def test_who_takes_gzip_gets_it(compressed: Place, accepted: str, taken: bool) -> None:
    for path, name in (("/about", "about.html"), (f"/{SCRIPT}", SCRIPT)):
        found = compressed.ask(path, **({"accept_encoding": accepted} if accepted else {}))
        assert found.headers.get("content-encoding") == ("gzip" if taken else None)
        assert found.headers["vary"] == "Accept-Encoding"
        body = gzip.decompress(found.body) if taken else found.body
        assert body.decode() == FILES[name]
        assert found.headers["content-length"] == str(len(found.body))
        assert found.headers["content-type"] == serving.type_of(name)
        mtime = int((compressed.site.pointer / name).stat().st_mtime)
        assert found.headers["etag"] == f'"{mtime:x}-{len(found.body):x}"'


def test_forms_are_asked_about_by_their_own_validators(compressed: Place) -> None:
    whole, form = compressed.ask("/about"), compressed.ask("/about", accept_encoding="gzip")
    again = compressed.ask("/about", accept_encoding="gzip", if_none_match=form.headers["etag"])
    assert (again.status, again.headers["vary"], again.headers["etag"]) == (
        304,
        "Accept-Encoding",
        form.headers["etag"],
    )
    assert compressed.ask("/about", accept_encoding="gzip", if_none_match=whole.headers["etag"]).status == 200
    assert compressed.ask("/about", if_none_match=whole.headers["etag"]).status == 304


def test_no_parts_of_a_form(compressed: Place) -> None:
    found = compressed.ask("/about", accept_encoding="gzip", range="bytes=0-1")
    assert (found.status, found.headers["content-encoding"]) == (200, "gzip")
    assert "accept-ranges" not in found.headers
    part = compressed.ask("/about", range="bytes=0-1")
    assert (part.status, part.body, part.headers["vary"]) == (206, b"ab", "Accept-Encoding")


def test_what_has_no_form_does_not_vary(compressed: Place) -> None:
    for path in ("/", "/docs/", "/docs"):
        assert "vary" not in compressed.ask(path, accept_encoding="gzip").headers, path


def test_a_compressed_404(compressed: Place) -> None:
    found = compressed.ask("/missing", accept_encoding="gzip")
    assert (found.status, found.headers["content-encoding"]) == (404, "gzip")
    assert gzip.decompress(found.body) == b"not here"
    assert found.headers["cache-control"] == "no-store"


def test_a_form_by_its_own_name_is_a_file(compressed: Place) -> None:
    found = compressed.ask("/about.html.gz", accept_encoding="gzip")
    assert (found.status, found.headers["content-type"]) == (200, "application/gzip")
    assert "content-encoding" not in found.headers
    assert compressed.ask("/only.txt", accept_encoding="gzip").status in (200, 404)
