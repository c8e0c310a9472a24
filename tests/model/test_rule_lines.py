"""Reading `_redirects` and `_headers`: what they may say, what is refused and why; nothing breaks the reading."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.model import header_lines, redirect_lines
from appliance.model.answers import Answers, Asked, is_hidden
from appliance.model.rules import HeaderRule, Redirect, Rules


def redirect(line: str) -> Redirect:
    found, ignored = redirect_lines.parse(line.encode())
    assert ignored == ()
    return found[0]


def why_not(line: str) -> str:
    found, ignored = redirect_lines.parse(line.encode())
    assert found == ()
    return ignored[0].why


@pytest.mark.parametrize(
    ("line", "made"),
    [
        ("/a /b", Redirect("/a", "/b", line=1)),
        ("/a\t/b   301", Redirect("/a", "/b", line=1)),
        ("/a /b 302! # why", Redirect("/a", "/b", 302, forced=True, line=1)),
        ("/a/* /b/:splat 307", Redirect("/a/*", "/b/:splat", 307, line=1)),
        ("/* /index.html 200", Redirect("/*", "/index.html", 200, line=1)),
        ("/:y/:m/x /blog/:m/:y", Redirect("/:y/:m/x", "/blog/:m/:y", line=1)),
        ("/q id=:id x=1 /p/:id 303", Redirect("/q", "/p/:id", 303, query=(("id", ":id"), ("x", "1")), line=1)),
        ("/ /de/ 302 Language=de,de-AT", Redirect("/", "/de/", 302, languages=("de", "de-AT"), line=1)),
        ("/caf%C3%A9 /b%20c?x=1#y", Redirect("/café", "/b%20c?x=1#y", line=1)),
        ("/größe /maß", Redirect("/größe", "/ma%C3%9F", line=1)),
        ("/a https://example.com:8443/:x", Redirect("/a", "https://example.com:8443/:x", line=1)),
        ("/gone /why/ 410", Redirect("/gone", "/why/", 410, line=1)),
        ("/*.php /:splat", Redirect("/*.php", "/:splat", line=1)),
    ],
)
def test_a_redirect(line: str, made: Redirect) -> None:
    assert redirect(line) == made


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("/a", "two parts"),
        ("a /b", "begin with a slash"),
        ("https://other.com/a /b", "every host"),
        ("/a b", "neither a path nor"),
        ("/a /b 999", "Status 999"),
        ("/a /b 200 Country=de", "only Language"),
        ("/a /b Role=admin", "only Language"),
        ("/a https://api.example.com/ 200", "passing on"),
        ("/a /.netlify/functions/x 200", "no functions"),
        ("/a //evil.com", "https://"),
        ("/a /\\evil.com", "https://"),
        ("/a https:///x", "no host name"),
        ("/a https://:host/x", "no host name"),
        ("/a https://x@evil.com/", "no host name"),
        ("/a javascript:alert(1)", "neither a path nor"),
        ("/a /b%0d%0aSet-Cookie:x", "can't be seen"),
        ("/a /b?x=%0d%0a", "can't be seen"),
        ("/a%00 /b", "can't be seen"),
        ("/a /b%zz", "two hex digits"),
        ("/a%ff /b", "not UTF-8"),
        ("/a*b /c", "slash before"),
        ("/*/*/x /c", "one *"),
        ("/:a/:a /c", "twice"),
        ("/:a-:b /c", "one :name"),
        ("/a?x=1 /c", "no ?"),
        ("/a x-y=1 /c", "letters, digits and _"),
        ("/a/../b /c", "dots only"),
        ("/a//b /c", "two slashes"),
        ("/a /.git/config 200", "nothing that is served"),
        ("/a /_headers 200", "nothing that is served"),
        ("/a /a", "leads to itself"),
        ("/a /a/?x=1", "leads to itself"),
        ("/* /:splat", "leads to itself"),
        ("/* / 302!", "leads to itself"),
        ("/a /b 301 Language=<de>", "no languages"),
        ("/a /b what", "neither a status nor a condition"),
    ],
)
def test_what_is_no_redirect(line: str, why: str) -> None:
    assert why in why_not(line)


def test_lines_are_named_by_their_number_and_the_good_ones_count() -> None:
    found, ignored = redirect_lines.parse(b"# remark\r\n/a /b\r\n\r\nwrong\n/c /d\n")
    assert [one.line for one in found] == [2, 5]
    assert [one.words for one in ignored] == ["_redirects line 4: A redirect has two parts at least: from and to."]


def test_what_is_too_much_is_left_out() -> None:
    found, ignored = redirect_lines.parse(b"".join(b"/%d /x\n" % number for number in range(5001)))
    assert (len(found), len(ignored), ignored[0].line) == (5000, 1, 5001)
    assert redirect_lines.parse(b"#" * (1 << 20) + b"##")[1][0].line == 0
    assert "characters" in redirect_lines.parse(b"/a /" + b"x" * 3000)[1][0].why
    assert "UTF-8" in redirect_lines.parse(b"/a /\xff")[1][0].why
    blocks, rest = header_lines.parse(b"".join(b"/%d\n  A: b\n" % number for number in range(501)))
    assert (len(blocks), len(rest)) == (500, 1)


def test_headers() -> None:
    found, ignored = header_lines.parse(b"""\
/*
  X-Frame-Options: DENY
  Content-Security-Policy: default-src 'self'; img-src *
  ! X-Robots-Tag
/a/:b/*
\tX-Odd: $uri "quoted" \\ {x};
""")
    assert ignored == ()
    csp = ("Content-Security-Policy", "default-src 'self'; img-src *")
    assert found == (
        HeaderRule("/*", (("X-Frame-Options", "DENY"), csp), ("X-Robots-Tag",), 1),
        HeaderRule("/a/:b/*", (("X-Odd", '$uri "quoted" \\ {x};'),), (), 5),
    )


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("X", "a colon"),
        ("X Y: z", "can't be the name"),
        ("Naïve: z", "can't be the name"),
        (": z", "can't be the name"),
        ("X:", "has a value"),
        ("X: naïve", "plain ASCII"),
        ("Transfer-Encoding: chunked", "by the server alone"),
        ("content-length: 5", "by the server alone"),
        ("Connection: close", "by the server alone"),
        ("Location: /x", "by the server alone"),
        ("X-Accel-Redirect: /etc/passwd", "by the server alone"),
        ("! Content-Encoding", "by the server alone"),
        ("Content-Type: text/html", "by the ending"),
        ("Set-Cookie: a=b", "no cookies"),
        ("Basic-Auth: a:b", "a password on the environment"),
    ],
)
def test_what_is_no_header(line: str, why: str) -> None:
    found, ignored = header_lines.parse(f"/x\n  {line}\n".encode())
    assert found == ()
    assert ignored[0].line == 2
    assert why in ignored[0].why


PIECES = st.sampled_from([
    "/", "/a", "/*", ":splat", ":a", "?", "#", " ", "\t", "\n", "\r", "%0a", "%2f", "%", "..", "//", "\\", "https://",
    "x.com", "200", "301!", "404", "Language=de", "id=:id", "é", "\0", "\x85", "\u2028", "$", '"', "{", ";", ":", "!",
    "X-A: b",
    "_headers",
])  # fmt: skip
TEXTS = st.one_of(st.binary(max_size=60), st.lists(PIECES, max_size=16).map(lambda parts: "".join(parts).encode()))


@given(TEXTS, TEXTS)
def test_nothing_breaks_the_reading_and_what_is_read_is_harmless(one: bytes, two: bytes) -> None:
    redirects, no_redirects = redirect_lines.parse(one)
    headers, no_headers = header_lines.parse(two)
    rules = Rules(redirects=redirects, headers=headers)
    assert Rules.of(rules.text) == rules
    assert all(one.why for one in (*no_redirects, *no_headers))
    for made in redirects:
        assert re.fullmatch(r"(/(?![/\\])|https?://[A-Za-z0-9.\[\]:-]+)?[!-\[\]-~]*", made.target), made
        assert made.source.startswith("/")
        assert made.source.isprintable()
    for block in headers:
        for name, value in block.headers:
            assert re.fullmatch(r"[!-9;-~]+", name)
            assert re.fullmatch(r"[\t -~]+", value)


PATHS = st.lists(
    st.sampled_from([
        "/", "a", "b.html", "index.html", ".git", "..", "//", "evil.com", "\\", "%5c", "%2f", "é", "\n", "a-BfQ2nV7x.js"
    ]),
    max_size=8,
).map(lambda parts: "/" + "".join(parts))  # fmt: skip
SOURCES = st.sampled_from(["/*", "/:a/*", "/:a", "/a/*", "/*/go/:b", "/*.html", "/a/:b", "/:a.html", "/", "/a"])
SHOWN = st.sampled_from([
    "/:splat", "/:splat/:b", "/:a/:splat", "/x/:splat", "/:b", "/:id", "/index.html", "/a/:a", "https://x.y/:splat"
])  # fmt: skip
LINES = st.builds(
    lambda source, query, target, status: f"{source} {query} {target} {status}",
    SOURCES, st.sampled_from(["", "id=:id"]), SHOWN, st.sampled_from(["301", "302!", "200", "200!", "410"]),
)  # fmt: skip


@given(
    st.lists(LINES, max_size=4), PATHS, st.sampled_from(["", "id=/evil.com", "id=..", "id=7", "id=%0d%0a", "ID=a&b"])
)
def test_no_answer_leads_out_of_the_site_or_shows_what_is_hidden(lines: list[str], path: str, query: str) -> None:
    rules = Rules(redirects=redirect_lines.parse("\n".join(lines).encode())[0], clean_urls=True, fallback="index.html")
    served = re.sub("//+", "/", path)
    sent = path.replace("\n", "%0a").encode()  # no server hands on a request with a line end in its target
    outcome = Answers(rules).to(Asked(served.encode(), sent, query.encode()), lambda _: True, lambda _: True)
    assert outcome.status in (200, 301, 302, 404, 410)
    if outcome.file is not None:
        assert not is_hidden(b"/" + outcome.file)
        assert not outcome.file.startswith(b"/")
    if outcome.location is not None:
        assert outcome.location.startswith(b"https://x.y/") or re.match(rb"/(?![/\\])|/$", outcome.location)
        assert b"\n" not in outcome.location
