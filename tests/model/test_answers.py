"""What rules make of paths, of queries and of what a visitor's browser asks for."""

import pytest

from appliance.model.answers import Answers, Asked, Outcome
from appliance.model.redirect_lines import parse
from appliance.model.rules import HeaderRule, Rules
from appliance.model.serving import is_fingerprinted

FILES = {
    b"index.html",
    b"404.html",
    b"about.html",
    b"docs/index.html",
    b"both.html",
    b"both/index.html",
    b"file",
    b"_redirects",
}
STAMPED = b"/assets/index-BfQ2nV7x.js"


def ask(rules: Rules, path: str, *, query: str = "", language: str = "", earlier: bool = False) -> Outcome:
    asked = Asked(path.encode(), path.encode(), query.encode(), language.encode())
    return Answers(rules).to(asked, FILES.__contains__, lambda _: earlier)


def redirected(lines: str, path: str, *, query: str = "", language: str = "") -> Outcome:
    found, ignored = parse(lines.encode())
    assert ignored == ()
    return ask(Rules(redirects=found), path, query=query, language=language)


def leads(location: str, status: int = 301) -> Outcome:
    return Outcome(status, location=location.encode())


MISSING = Outcome(404, b"404.html")


@pytest.mark.parametrize(
    ("path", "plain", "clean"),
    [
        ("/", Outcome(200, b"index.html"), Outcome(200, b"index.html")),
        ("/about", MISSING, Outcome(200, b"about.html")),
        ("/about/", MISSING, leads("/about")),
        ("/about.html", Outcome(200, b"about.html"), Outcome(200, b"about.html")),
        ("/docs", leads("/docs/"), leads("/docs/")),
        ("/docs/", Outcome(200, b"docs/index.html"), Outcome(200, b"docs/index.html")),
        ("/both", leads("/both/"), Outcome(200, b"both.html")),
        ("/both/", Outcome(200, b"both/index.html"), Outcome(200, b"both/index.html")),
        ("/file", Outcome(200, b"file"), Outcome(200, b"file")),
        ("/missing", MISSING, MISSING),
        ("/_redirects", MISSING, MISSING),
    ],
)
def test_clean_urls(path: str, plain: Outcome, clean: Outcome) -> None:
    assert ask(Rules(), path) == plain
    assert ask(Rules(clean_urls=True), path) == clean


def test_the_fallback_is_for_pages() -> None:
    rules = Rules(fallback="index.html")
    assert ask(rules, "/settings/me") == Outcome(200, b"index.html")
    assert ask(rules, STAMPED.decode()) == MISSING
    assert ask(rules, "/.git/config") == Outcome(200, b"index.html")


def test_earlier_files() -> None:
    assert ask(Rules(bridge=True), STAMPED.decode(), earlier=True) == Outcome(200, STAMPED[1:], earlier=True)
    assert ask(Rules(bridge=True), "/missing.js", earlier=True) == MISSING
    assert ask(Rules(), STAMPED.decode(), earlier=True) == MISSING
    everything = parse(b"/* /index.html 200")[0]
    assert ask(Rules(bridge=True, redirects=everything), STAMPED.decode(), earlier=True).earlier
    assert ask(Rules(redirects=everything), STAMPED.decode()) == MISSING
    moved = parse(b"/assets/* /:splat 301")[0]
    assert ask(Rules(bridge=True, redirects=moved), STAMPED.decode(), earlier=True).status == 301


@pytest.mark.parametrize(
    ("lines", "path", "outcome"),
    [
        ("/old /new", "/old", leads("/new")),
        ("/old /new", "/old/", leads("/new")),
        ("/old/ /new", "/old", leads("/new")),
        ("/old /new", "/older", MISSING),
        ("/about.html /new", "/about.html", Outcome(200, b"about.html")),
        ("/about.html /new 302!", "/about.html", leads("/new", 302)),
        ("/a /1\n/a /2", "/a", leads("/1")),
        ("/a/* /1\n/a/b /2", "/a/b", leads("/1")),
        ("/a/b /2\n/a/* /1", "/a/b", leads("/2")),
        ("/a/* /b/:splat", "/a", leads("/b/")),
        ("/a/* /b/:splat", "/a/", leads("/b/")),
        ("/a/* /b/:splat", "/a/c/d.html", leads("/b/c/d.html")),
        ("/a/* /b/:splat", "/a/%C3%BC%20x", leads("/b/%C3%BC%20x")),
        ("/a/* /b/:splat", "/ab", MISSING),
        ("/:y/:m /:m/:y", "/2026/11", leads("/11/2026")),
        ("/:y/:m /:m/:y", "/2026/11/", leads("/11/2026")),
        ("/:y/:m /:m/:y", "/2026/11/x", MISSING),
        ("/*.php /:splat", "/x/y.php", leads("/x/y")),
        ("/a /about 200", "/a", Outcome(200, b"about.html")),
        ("/a /docs 200", "/a", Outcome(200, b"docs/index.html")),
        ("/a /nothing 200", "/a", MISSING),
        ("/x/* /:splat.html 200", "/x/about", Outcome(200, b"about.html")),
        ("/x/* /:splat 200", "/x/_redirects", MISSING),
        ("/gone/* /about.html 410", "/gone/x", Outcome(410, b"about.html")),
        ("/* /about.html 404", "/x", Outcome(404, b"about.html")),
        ("/.x/* /y", "/.x/a", MISSING),
    ],
)
def test_redirects(lines: str, path: str, outcome: Outcome) -> None:
    assert redirected(lines, path) == outcome


def test_queries() -> None:
    assert redirected("/old /new", "/old", query="a=1&b") == leads("/new?a=1&b")
    assert redirected("/old /new?x=1", "/old", query="a=1") == leads("/new?x=1")
    assert redirected("/old /new#x", "/old", query="a=1") == leads("/new#x")
    line = "/p id=:id lang=en /q/:id"
    assert redirected(line, "/p", query="LANG=en&id=7&id=8") == leads("/q/7?LANG=en&id=7&id=8")
    for query in ("id=7", "id=7&lang=de", "id=&lang=en", "lang=en", "id=/evil.com&lang=en", "id=..&lang=en", ""):
        assert redirected(line, "/p", query=query) == MISSING, query


def test_languages() -> None:
    line = "/hello /de/ 302 Language=de,pt-BR"
    for language in ("de", "de-AT,en;q=0.5", " DE;q=1", "pt-BR", "pt-br,de"):
        assert redirected(line, "/hello", language=language) == leads("/de/", 302), language
    for language in ("", "en,de", "den", "pt", "pt-PT,pt-BR"):
        assert redirected(line, "/hello", language=language) == MISSING, language


def headers(rules: Rules, path: str = "/a/b", status: int = 200, shown: bytes | None = b"a/b") -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in Answers(rules).headers(path.encode(), status, shown)}


def test_headers_of_several_blocks_join_and_ours_give_way() -> None:
    rules = Rules(headers=(
        HeaderRule("/*", (("X-A", "1"), ("Cache-Control", "max-age=5"), ("X-B", "gone"))),
        HeaderRule("/a/*", (("x-a", "2"),), ("X-B", "X-Content-Type-Options")),
        HeaderRule("/other", (("X-C", "no"),)),
    ))  # fmt: skip
    assert headers(rules) == {"cache-control": "max-age=5", "x-a": "1, 2"}
    assert headers(rules, "/x")["x-b"] == "gone"
    assert headers(rules, status=404)["cache-control"] == "no-store"
    assert headers(rules, status=301, shown=None)["cache-control"] == "no-cache"


def test_the_name_of_the_file_says_how_long_it_is_kept() -> None:
    rules = Rules(pages="max-age=1", fingerprinted="max-age=2")
    assert headers(rules, "/", shown=b"index.html")["cache-control"] == "max-age=1"
    assert headers(rules, "/x", shown=STAMPED[1:])["cache-control"] == "max-age=2"
    assert headers(rules, STAMPED.decode(), shown=b"index.html")["cache-control"] == "max-age=1"


def test_whoever_asks_by_language_varies() -> None:
    assert "vary" not in headers(Rules())
    assert headers(Rules(redirects=parse(b"/a /b 302 Language=de")[0]))["vary"] == "Accept-Language"


FINGERPRINTED = """
    /index-BfQ2nV7x.js /assets/index-BfQnVxab.js /main.3f2a1b9c.css /static/js/main.3f2a1b9c.chunk.js
    /main.3f2a1b9c.css.map
    /_next/static/chunks/abc.js /docs/_next/static/css/x.css /app-TZ7ZGQ4M.js /_app/immutable/entry/start.B2-dY7xK.js
    /_astro/index.BfQ2nV7x.css /_nuxt/entry.js /d41d8cd98f00b204e9800998ecf8427e.png /assets/logo-DqAx_k-z.svg
    /styles-3f2a1b9c0d1e2f3a4b5c.css
"""
PLAIN = """
    / /index.html /some-filename.js /assets/some-filename.js /assets/some-FileName.js /report-20240101.pdf
    /logo-Version2.png
    /Chapter-Section1.png /_nuxt/builds/latest.json /jquery-3.7.1.min.js /x-3f2a1b9c.html /a.b.c /sw.js /deadbeef
    /x-deadbeef.js
    /style-v2.min.css /bootstrap.bundle.js /assets/x-HTMLVIEW.js /robots.txt /favicon-32x32.png /IMG_20240101.jpg
    /assets/abi-v6-Clang.js /assets/EVP-TLS1_PRF.gz /assets/Windows-MSVC-CXX.js
    /android-chrome-512x512.png /_next/static/ /facade-interior.jpg /3f2a1b9c
"""


@pytest.mark.parametrize("path", FINGERPRINTED.split())
def test_names_made_from_their_content(path: str) -> None:
    assert is_fingerprinted(path.encode())


@pytest.mark.parametrize("path", PLAIN.split())
def test_names_that_only_look_odd(path: str) -> None:
    assert not is_fingerprinted(path.encode())
