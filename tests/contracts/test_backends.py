"""What a backend promises, asked of each over real sockets: a real NGINX, and Homeport itself in Uvicorn."""

import hashlib
import re
from collections.abc import Iterator

import pytest

from appliance.backends import pointer
from appliance.model import serving
from appliance.model.manifests import etag
from appliance.model.sites import Release
from tests.contracts.both import BACKENDS, Backed, both
from tests.releases import Files, make_release
from tests.servers import Answer, ask

TEXT = b"0123456789" * 10
pytestmark = pytest.mark.nginx

SITE: Files = {
    "index.html": "<h1>home</h1>",
    "about.html": "about",
    "docs/index.html": "docs",
    "docs/deep/page.html": "deep",
    "docs/deep/index.html": "deep index",
    "empty/inside.txt": "only a file",
    "nothing.txt": "",
    "digits.txt": TEXT,
    "large.bin": bytes(range(256)) * 4096,
    "no ending": "none",
    "UPPER.HTML": "upper",
    "[slug].html": "slug",
    "a b.html": "space",
    "a+b.html": "plus",
    "100%.html": "percent",
    "what?.html": "question",
    "sharp#.html": "sharp",
    "quote\"'.html": "quotes",
    "back\\slash.html": "backslash",
    "über/größe.html": "umlauts",
    "über/index.html": "umlaut index",
    "日本語.html": "kanji",
    "🚢.html": "ship",
    "f;o=o,b:a@r&z!$(1)*~.html": "marks",
    "a b#?%/index.html": "odd folder",
    ".hidden": "hidden",
    ".git/config": "git",
    "docs/.secret/file.txt": "secret",
    "docs/.env": "env",
    ".well-known/security.txt": "well known",
    ".well-known/.inner/file.txt": "well known, inner",
    ".well-known/folder/index.html": "well known folder",
    "docs/.well-known/file.txt": "not at the top",
}
OWN_404: Files = {**SITE, "404.html": "<h1>our own 404</h1>"}
SINGLE_PAGE: Files = {**SITE, "200.html": "<h1>single page</h1>", "404.html": "never shown"}


class Place(Backed):
    def publish(self, files: Files) -> Release:
        release = make_release(self.data, files)
        self.backend.publish(self.site, release, print)
        return release


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Place]]:
    with both(tmp_path_factory.mktemp("backends"), Place) as found:
        yield found


@pytest.fixture(params=BACKENDS)
def place(request: pytest.FixtureRequest, places: dict[str, Place]) -> Place:
    return places[str(request.param)]


# What visitors get


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/", b"<h1>home</h1>"),
        ("/index.html", b"<h1>home</h1>"),
        ("/about.html", b"about"),
        ("/docs/", b"docs"),
        ("/docs/deep/page.html", b"deep"),
        ("/nothing.txt", b""),
        ("/large.bin", bytes(range(256)) * 4096),
        ("/%5Bslug%5D.html", b"slug"),
        ("/[slug].html", b"slug"),
        ("/a%20b.html", b"space"),
        ("/a+b.html", b"plus"),
        ("/a%2bb.html", b"plus"),
        ("/100%25.html", b"percent"),
        ("/what%3F.html", b"question"),
        ("/sharp%23.html", b"sharp"),
        ("/quote%22'.html", b"quotes"),
        ("/back%5Cslash.html", b"backslash"),
        ("/%C3%BCber/gr%C3%B6%C3%9Fe.html", b"umlauts"),
        ("/%E6%97%A5%E6%9C%AC%E8%AA%9E.html", b"kanji"),
        ("/%F0%9F%9A%A2.html", b"ship"),
        ("/f;o=o,b:a@r&z!$(1)*~.html", b"marks"),
        ("/a%20b%23%3F%25/", b"odd folder"),
        ("/.well-known/security.txt", b"well known"),
        ("/.well-known/.inner/file.txt", b"well known, inner"),
        ("/%2Ewell-known/security.txt", b"well known"),
        ("/.well-known/folder/", b"well known folder"),
        ("//docs//", b"docs"),
        ("/docs/../about.html", b"about"),
        ("/docs/%2e%2e/about.html", b"about"),
        ("/docs%2Fdeep%2fpage.html", b"deep"),
        ("/./about.html", b"about"),
        ("/docs/.", b"docs"),
        ("/docs/deep/..", b"docs"),
        ("/about.html?a=/../../x", b"about"),
    ],
)
def test_files_and_front_pages(place: Place, path: str, body: bytes) -> None:
    place.publish(OWN_404)
    found = place.ask(path)
    assert (found.status, found.body) == (200, body)
    assert found.headers["content-length"] == str(len(body))
    assert found.headers["etag"] == etag(len(body), hashlib.sha256(body).hexdigest())


@pytest.mark.parametrize(
    "path",
    [
        "/missing",
        "/missing/",
        "/missing.js",
        "/about.html/",
        "/about.html/index.html",
        "/empty",
        "/empty/",
        "/docs/missing/",
        "/index.htm",
        "/about.html%20",
        "/About.html",
        "/.hidden",
        "/.git/config",
        "/.git/",
        "/.git",
        "/docs/.secret/file.txt",
        "/docs/.env",
        "/%2egit/config",
        "/docs/%2Eenv",
        "/docs/.well-known/file.txt",
        "/.well-known",
        "/.well-known/",
        "/.well-knownish",
        "/.well-known%0A",
        "/x%0A/.git/config",
        "/%C3%BCber/missing",
        "/%FF%FE",
        "/docs/...",
        "/%2525",
        "/" + "a" * 300,
        "/" + "a/" * 2500,
    ],
)
def test_what_is_not_there(place: Place, path: str) -> None:
    place.publish(OWN_404)
    own = place.ask(path)
    assert (own.status, own.body) == (404, b"<h1>our own 404</h1>")
    assert own.headers["content-type"] == "text/html; charset=utf-8"
    place.publish(SITE)
    standing_in = place.ask(path)
    assert (standing_in.status, standing_in.body) == (404, serving.NOT_FOUND.encode())
    assert standing_in.headers["content-type"] == "text/html; charset=utf-8"
    place.publish(SINGLE_PAGE)
    page = place.ask(path)
    assert (page.status, page.body) == (200, b"<h1>single page</h1>")


def test_nothing_published_is_not_there(place: Place) -> None:
    place.publish({"index.html": "x"})
    pointer.clear(place.site)
    found = place.ask("/")
    assert (found.status, found.body) == (404, serving.NOT_FOUND.encode())


def test_a_404_page_is_a_page_when_asked_for_by_name(place: Place) -> None:
    place.publish(OWN_404)
    assert place.ask("/404.html").status == 200
    place.publish(SINGLE_PAGE)
    assert place.ask("/200.html").body == place.ask("/missing").body


def test_a_404_page_is_never_partial_or_unchanged(place: Place) -> None:
    place.publish(OWN_404)
    whole = place.ask("/missing")
    assert place.ask("/missing", range="bytes=0-1").body == whole.body
    assert place.ask("/missing", if_none_match=whole.headers["etag"]).status == 404


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/docs", "/docs/"),
        ("/docs?a=1&b=%20/", "/docs/?a=1&b=%20/"),
        ("/docs?", "/docs/"),
        ("//docs", "/docs/"),
        ("/%2Fdocs", "/docs/"),
        ("/docs/deep", "/docs/deep/"),
        ("/docs/./deep", "/docs/deep/"),
        ("/%C3%BCber", "/%C3%BCber/"),
        ("/a%20b%23%3F%25", "/a%20b%23%3F%25/"),
        ("/.well-known/folder", "/.well-known/folder/"),
    ],
)
def test_folders_get_their_slash(place: Place, path: str, location: str) -> None:
    place.publish(SITE)
    found = place.ask(path)
    assert (found.status, found.headers["location"]) == (301, location)


def test_a_name_with_every_byte_is_escaped_alike(places: dict[str, Place]) -> None:
    names = [f"x{chr(code)}y" for code in (*range(32, 127), 0xFC, 0x20AC) if chr(code) not in "/"]
    files: Files = {f"{name}/index.html": name for name in names}
    asked = ["/" + "".join(f"%{byte:02x}" for byte in name.encode()) for name in names]
    answers = []
    for place in places.values():
        place.publish(files)
        answers.append([(path, place.ask(path).headers.get("location")) for path in asked])
    assert answers[0] == answers[1]
    assert all(location for _, location in answers[0])


def test_only_reading_is_allowed(place: Place) -> None:
    place.publish(SITE)
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"):
        for path in ("/", "/missing", "/docs"):
            found = place.ask(path, method=method)
            assert (found.status, found.body) == (405, serving.NOT_ALLOWED.encode()), (method, path)
            assert found.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    "path", ["/%00", "/a%00.html", "/%", "/%zz", "/%4", "/../x", "/..", "/%2e%2e/x", "/docs/../../x"]
)
def test_what_can_not_be_a_path_is_refused(place: Place, path: str) -> None:
    place.publish(SITE)
    assert place.ask(path).status == 400


@pytest.mark.parametrize(("length", "status"), [(8176, 404), (8177, 414), (20_000, 414)])
def test_a_path_may_be_so_long(place: Place, length: int, status: int) -> None:
    place.publish(SITE)
    assert place.ask("/" + "a" * length).status == status
    assert place.ask("/?" + "a" * (length - 1)).status == (414 if status == 414 else 200)


def test_head_is_get_without_a_body(place: Place) -> None:
    place.publish(OWN_404)
    for path in ("/", "/large.bin", "/docs", "/missing", "/nothing.txt"):
        got, head = place.ask(path), place.ask(path, method="HEAD")
        assert head.body == b""
        for answer in (got, head):
            answer.headers.pop("date")
        assert (head.status, head.headers) == (got.status, got.headers)


# Types


ENDINGS = [
    "html",
    "htm",
    "css",
    "js",
    "mjs",
    "json",
    "map",
    "xml",
    "rss",
    "atom",
    "txt",
    "md",
    "csv",
    "ics",
    "vtt",
    "svg",
    "png",
    "jpg",
    "jpeg",
    "gif",
    "webp",
    "avif",
    "ico",
    "bmp",
    "woff",
    "woff2",
    "ttf",
    "otf",
    "eot",
    "wasm",
    "pdf",
    "zip",
    "gz",
    "mp3",
    "m4a",
    "ogg",
    "wav",
    "mp4",
    "webm",
    "mov",
    "m3u8",
    "ts",
    "webmanifest",
    "yaml",
    "docx",
    "xlsx",
    "glb",
    "bin",
    "unknown",
]


def test_types(place: Place) -> None:
    place.publish({f"file.{ending}": ending for ending in ENDINGS} | {"NAME.PNG": "x", "none": "x", "a.b/none": "x"})
    for ending in ENDINGS:
        assert place.ask(f"/file.{ending}").headers["content-type"] == serving.type_of(f"file.{ending}"), ending
    assert place.ask("/file.html").headers["content-type"] == "text/html; charset=utf-8"
    assert place.ask("/file.js").headers["content-type"] == "text/javascript; charset=utf-8"
    assert place.ask("/file.json").headers["content-type"] == "application/json"
    assert place.ask("/NAME.PNG").headers["content-type"] == "image/png"
    for path in ("/none", "/a.b/none", "/file.unknown"):
        assert place.ask(path).headers["content-type"] == "application/octet-stream"


def test_every_ending_of_the_table_on_both(places: dict[str, Place]) -> None:
    for place in places.values():
        place.publish({f"file.{ending}": ending for ending in serving.BY_ENDING})
        found = {
            ending: place.ask(f"/file.{ending}", method="HEAD").headers["content-type"] for ending in serving.BY_ENDING
        }
        assert found == serving.BY_ENDING


# Validators and ranges


def test_validators_come_from_content(place: Place) -> None:
    place.publish({"index.html": "one of a size", "other.txt": "stays"})
    first, other = place.ask("/"), place.ask("/other.txt")
    place.publish({"index.html": "two of a size", "other.txt": "stays"})
    second = place.ask("/", if_none_match=first.headers["etag"])
    assert (second.status, second.body) == (200, b"two of a size")
    assert second.headers["etag"] != first.headers["etag"]
    assert place.ask("/other.txt", if_none_match=other.headers["etag"]).status == 304
    place.publish({"index.html": "one of a size"})
    assert place.ask("/", if_none_match=first.headers["etag"]).status == 304


def test_every_answer_is_asked_about_again_and_taken_at_its_word(place: Place) -> None:
    place.publish(OWN_404)
    tag = place.ask("/").headers["etag"]
    answers = [place.ask("/"), place.ask("/docs"), place.ask("/", method="POST")]
    answers += [place.ask("/", if_none_match=tag), place.ask("/digits.txt", range="bytes=1-2")]
    for answer in answers:
        assert answer.headers["cache-control"] == "no-cache"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "last-modified" not in answer.headers
        assert "content-encoding" not in answer.headers


@pytest.mark.parametrize(
    ("asked", "status", "body"),
    [
        ("bytes=0-3", 206, b"0123"),
        ("bytes=95-", 206, b"56789"),
        ("bytes=-3", 206, b"789"),
        ("bytes=-1000", 206, TEXT),
        ("bytes=90-1000", 206, TEXT[90:]),
        ("bytes=0-0", 206, b"0"),
        ("Bytes=0-1", 206, b"01"),
        ("bytes= 1 - 2 ", 206, b"12"),
        ("bytes=100-", 416, None),
        ("bytes=-0", 416, None),
        ("bytes=5-2", 416, None),
        ("bytes=a-b", 416, None),
        ("bytes=1", 416, None),
        ("bytes=-", 416, None),
        ("bytes=0-1,x", 416, None),
        ("bytes=99999999999999999999-", 416, None),
        ("bytes=", 200, TEXT),
        ("items=0-1", 200, TEXT),
        ("bytes=0-99,0-99", 200, TEXT),
        ("bytes=0-,0-", 200, TEXT),
        ("bytes=0-1,200-", 206, b"01"),
    ],
)
def test_ranges(place: Place, asked: str, status: int, body: bytes | None) -> None:
    place.publish(SITE)
    found = place.ask("/digits.txt", range=asked)
    assert found.status == status
    if body is not None:
        assert found.body == body
    if status == 416:
        assert found.headers["content-range"] == "bytes */100"
    if status == 206:
        begin, end, size = map(int, re.findall(r"\d+", found.headers["content-range"]))
        assert (TEXT[begin : end + 1], size) == (body, 100)


def test_several_ranges(place: Place) -> None:
    place.publish(SITE)
    found = place.ask("/digits.txt", range="bytes=0-1,10-12,-1")
    assert found.status == 206
    boundary = found.headers["content-type"].removeprefix("multipart/byteranges; boundary=")
    parts = found.body.split(b"\r\n--" + boundary.encode())
    assert parts[0] == b""
    assert parts[-1] == b"--\r\n"
    head = "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes {}/100\r\n\r\n"
    assert parts[1:-1] == [
        head.format("0-1").encode() + b"01",
        head.format("10-12").encode() + b"012",
        head.format("99-99").encode() + b"9",
    ]
    assert found.headers["content-length"] == str(len(found.body))
    assert place.ask("/digits.txt", method="HEAD", range="bytes=0-1,10-12,-1").headers["content-length"] == str(
        len(found.body)
    )


def test_several_ranges_of_a_large_file(place: Place) -> None:
    place.publish(SITE)
    whole = bytes(range(256)) * 4096
    found = place.ask("/large.bin", range="bytes=1-300000,400000-700000")
    assert found.status == 206
    assert whole[1:300001] in found.body
    assert whole[400000:700001] in found.body
    assert found.headers["content-length"] == str(len(found.body))


def test_if_range(place: Place) -> None:
    place.publish(SITE)
    tag = place.ask("/digits.txt").headers["etag"]
    assert place.ask("/digits.txt", range="bytes=0-1", if_range=tag).status == 206
    for other in ('"other"', f"W/{tag}", "Fri, 20 Nov 2020 10:00:00 GMT", "nonsense"):
        assert place.ask("/digits.txt", range="bytes=0-1", if_range=other).status == 200, other


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"if_none_match": "{}"}, 304),
        ({"if_none_match": "W/{}"}, 304),
        ({"if_none_match": '"a", {} , "b"'}, 304),
        ({"if_none_match": '"a",W/{}'}, 304),
        ({"if_none_match": "*"}, 304),
        ({"if_none_match": '"a"'}, 200),
        ({"if_none_match": '"a{}"'}, 200),
        ({"if_none_match": ""}, 200),
        ({"if_match": "{}"}, 200),
        ({"if_match": "*"}, 200),
        ({"if_match": '"a", {}'}, 200),
        ({"if_match": "W/{}"}, 412),
        ({"if_match": '"a"'}, 412),
        ({"if_modified_since": "Fri, 20 Nov 2037 10:00:00 GMT"}, 200),
        ({"if_modified_since": "Fri, 20 Nov 1970 10:00:00 GMT"}, 200),
        ({"if_unmodified_since": "Fri, 20 Nov 2037 10:00:00 GMT"}, 200),
        ({"if_unmodified_since": "Fri, 20 Nov 1970 10:00:00 GMT"}, 412),
        ({"if_unmodified_since": "nonsense"}, 412),
        ({"if_none_match": "{}", "range": "bytes=0-1"}, 304),
    ],
)
def test_conditions(place: Place, headers: dict[str, str], status: int) -> None:
    place.publish(SITE)
    tag = place.ask("/about.html").headers["etag"]
    found = place.ask("/about.html", **{name: value.replace("{}", tag) for name, value in headers.items()})
    assert found.status == status
    if status == 304:
        assert found.headers["etag"] == tag
        assert found.body == b""
        assert "content-type" not in found.headers


# Both the same


def test_both_answer_the_same(places: dict[str, Place]) -> None:
    """Status, body and the headers that matter, for everything above at once."""
    paths = [
        "/",
        "/docs",
        "/docs/",
        "/docs?x=1",
        "/missing",
        "/.git/config",
        "/empty/",
        "/large.bin",
        "/a%20b.html",
        "/200.html",
    ]
    asked: list[dict[str, str]] = [
        {},
        {"method": "HEAD"},
        {"method": "POST"},
        {"range": "bytes=0-4"},
        {"range": "bytes=5000000-"},
        {"if_none_match": "*"},
        {"if_match": '"x"'},
        {"accept_encoding": "gzip, br"},
    ]
    for files in (SITE, OWN_404, SINGLE_PAGE):
        for place in places.values():
            place.publish(files)
        for path in paths:
            for more in asked:
                own, theirs = (places[name].ask(path, **more) for name in BACKENDS)
                assert _what_matters(own) == _what_matters(theirs), (path, more)


def _what_matters(answer: Answer) -> tuple[object, ...]:
    names = [
        "content-type",
        "content-length",
        "content-range",
        "content-encoding",
        "etag",
        "cache-control",
        "accept-ranges",
    ]
    names += ["location", "allow", "last-modified", "vary", "x-content-type-options"]
    if answer.status in (301, 412, 416):  # their few words are each server's own
        return answer.status, [answer.headers.get(name) for name in names if not name.startswith("content-")]
    return answer.status, answer.body, [answer.headers.get(name) for name in names]


# The verbs


def test_publish_probe_unpublish(place: Place) -> None:
    first = place.publish({"index.html": "first", "gone.html": "gone", "same.css": "same"})
    assert all(probe.ok for probe in place.backend.probe(place.site, first))
    second = place.publish({"index.html": "second", "new.html": "new", "same.css": "same"})
    assert all(probe.ok for probe in place.backend.probe(place.site, second, first))
    assert not any(probe.ok for probe in place.backend.probe(place.site, first))
    place.backend.unpublish(place.site, first, print)
    assert place.ask("/").body == b"first"
    assert all(probe.ok for probe in place.backend.probe(place.site, first, second))


def test_a_probe_tells_releases_apart_that_differ_in_one_file(place: Place) -> None:
    same: Files = {f"{number:03}.txt": "x" for number in range(50)} | {"index.html": "same"}
    first = place.publish({**same, "zz/last.txt": "one"})
    second = make_release(place.data, {**same, "zz/last.txt": "two"})
    fewer = make_release(place.data, same)
    assert not any(probe.ok for probe in place.backend.probe(place.site, second, first))
    assert not any(probe.ok for probe in place.backend.probe(place.site, fewer, first))
    assert all(probe.ok for probe in place.backend.probe(place.site, first, second))


@pytest.mark.parametrize("files", [{"a.txt": "x"}, {"200.html": "x"}, {"404.html": "x"}, {".a": "x", "b/c.txt": "y"}])
def test_a_probe_of_a_site_without_a_front_page(place: Place, files: Files) -> None:
    release = place.publish(files)
    assert [probe.detail for probe in place.backend.probe(place.site, release) if not probe.ok] == []


def test_publishing_twice_is_publishing_once(place: Place) -> None:
    release = place.publish({"index.html": "again"})
    place.publish({"index.html": "again"})
    assert place.site.pointer.resolve() == release.path.resolve()
    assert place.ask("/").body == b"again"


def test_unpublishing_the_first_leaves_nothing(place: Place) -> None:
    place.publish({"index.html": "first ever"})
    place.backend.unpublish(place.site, None, print)
    assert not place.site.pointer.is_symlink()
    assert place.ask("/").status == 404
    place.backend.unpublish(place.site, None, print)


def test_withdraw_twice(place: Place) -> None:
    place.publish({"index.html": "here"})
    place.backend.withdraw(place.site, print)
    place.backend.withdraw(place.site, print)
    assert place.ask("/").status == 404


def test_a_url_by_itself(place: Place) -> None:
    place.publish({"index.html": "here"})
    place.backend.attach(place.site, "extra.example.com", print)
    place.backend.attach(place.site, "extra.example.com", print)
    assert ask(place.address, "/", "extra.example.com").body == b"here"
    place.backend.detach(place.site, "extra.example.com", print)
    place.backend.detach(place.site, "extra.example.com", print)


def test_several_urls_at_once(place: Place) -> None:
    """Twice is once, and of those that come or go nobody is refused."""
    place.publish({"index.html": "front"})
    those = [(place.site, f"extra{number}.example.com") for number in range(5)]
    for _ in range(2):
        assert place.backend.attach_many(those, print) == {}
    assert [ask(place.address, "/", host).body for _, host in those] == [b"front"] * 5
    for _ in range(2):
        assert place.backend.detach_many(those, print) == {}
    assert list(place.backend.edits([place.site])) == []
    place.backend.test()


def test_its_checks_are_in_order(place: Place) -> None:
    assert [check for check in place.backend.checks() if check.status != "ok"] == []
