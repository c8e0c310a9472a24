"""What a real NGINX makes of rules that a parser accepts, held against what they say."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from appliance.model import header_lines, redirect_lines, serving
from appliance.model.answers import Answers, Asked, Has
from appliance.model.rules import Rules
from appliance.nginx.template import SiteConf, render
from appliance.web.sites import served_path
from tests.servers import Answer, Nginx, ask

pytestmark = pytest.mark.nginx

STAMP = "app-3f2a1b9c.js"
FILES = [
    "index.html",
    "404.html",
    "a.html",
    "a/b.html",
    "a/b/index.html",
    "b/index.html",
    f"a/{STAMP}",
    "_astro/x/index.html",
    "_astro/y",
    "A/c.txt",
    "x y/ü.html",
    "q\"'$1;{}#.html",
    "back\\slash/index.html",
    ".well-known/a.html",
    "_redirects",
    "_headers",
    ".env",
]
EARLIER = [f"b/{STAMP}", f"a/{STAMP}", "_astro/z.css", "b/plain.css"]
WORDS = [
    "a", "b", "A", "c", "c.txt", "a.html", "index.html", "x y", "ü", "ü.html", STAMP, "_astro", "x", "y", "z.css",
    ".well-known", ".env", "q\"'$1;{}#", "back\\slash", "plain.css", "_redirects", "_headers", "%41", "a?b", "日本",
]  # fmt: skip


@dataclass(frozen=True)
class Place:
    nginx: Nginx
    root: Path
    earlier: Path


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("answers")
    for root, names in (("release", FILES), ("earlier", EARLIER)):
        for name in names:
            file = folder / root / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{root}: {name}")
    with Nginx(folder / "nginx") as nginx:
        (nginx.conf_d / "hash.conf").write_text("map_hash_bucket_size 64;\n")
        yield Place(nginx, folder / "release", folder / "earlier")


# Lines as people write them, odd ones too; what the parsers refuse is not for here.

parts = st.sampled_from(WORDS).map(lambda word: quote(word, safe="/"))
plain = st.lists(parts, max_size=3).map(lambda them: "/" + "/".join(them))
slashed = st.tuples(plain, st.sampled_from(["", "", "/"])).map("".join)
sources = st.one_of(
    slashed,
    plain.map(lambda path: f"{path.rstrip('/')}/*"),
    st.tuples(plain, st.sampled_from([":one", "c-:one", ":one/:two", "*/c", "a/*/:one"])).map("/".join),
).map(lambda path: path.replace("//", "/"))
targets = st.one_of(
    slashed,
    plain.map(lambda path: f"{path.rstrip('/')}/:splat"),
    st.sampled_from(
        ["/:one", "/:one/:two?x=$1", "/:splat/x", "https://example.org/:splat", "/a#:one", "/a/:splat", "/b/:id?q=:id"]
    ),
    st.sampled_from(["/$&'()*+,;=:@", "/a%20b", "/:splat.html", "http://example.org:8080/$1"]),
)
statuses = st.sampled_from(["", "", "301", "302!", "303", "307!", "308", "200", "200!", "404", "404!", "410", "410!"])
queries = st.sampled_from(["", "", "", "id=:id", "id=1", "id=:id page=2", "ID=x$y"])
conditions = st.sampled_from(["", "", "", "Language=de,en-GB", "Language=fr"])
redirects = st.tuples(sources, queries, targets, statuses, conditions).map(" ".join)
values = st.text(st.sampled_from("ab,; ${}#\"'\\%:=/\t~n"), min_size=1, max_size=8)
names = st.sampled_from(["X-One", "x-one", "X-Two", "Cache-Control", "X-Content-Type-Options", "X-$\"'{}", "X-A#$b'"])
lines = st.one_of(st.tuples(names, values).map(": ".join), names.map(lambda name: f"! {name}"))
blocks = st.tuples(sources, st.lists(lines, min_size=1, max_size=3)).map(lambda it: "\n  ".join([it[0], *it[1]]))


@st.composite
def rules(draw: st.DrawFn) -> Rules:
    found, _ = redirect_lines.parse("\n".join(draw(st.lists(redirects, max_size=6))).encode())
    given, _ = header_lines.parse("\n".join(draw(st.lists(blocks, max_size=4))).encode())
    return Rules(
        clean_urls=draw(st.booleans()),
        fallback=draw(st.sampled_from(["", "", "index.html", "q\"'$1;{}#.html", "_astro/y", "not-there.html"])),
        redirects=found,
        headers=given,
        pages=draw(st.sampled_from(["no-cache", 'private="a", max-age=1'])),
        bridge=draw(st.booleans()),
    )


def sent(word: str) -> st.SearchStrategy[str]:
    """A part of a path, encoded in one of the ways that there are."""
    lower = quote(word, safe="").lower() if "%" in quote(word, safe="") else quote(word, safe="")
    return st.sampled_from([quote(word), quote(word), quote(word), quote(word, safe="$&'()*+,;=:@!"), lower])


pieces = st.sampled_from(WORDS).flatmap(sent) | st.sampled_from(["", ".", "..", "%2F", "c-x", "%0D%0Ax", "a\\b", "%61"])
paths = st.tuples(
    st.lists(pieces, max_size=4).map(lambda them: "/" + "/".join(them)),
    st.sampled_from(
        ["", "", "", "/", "?", "?id=1", "?ID=2&id=3", "?page=2&id=a%20b", "?id=&id=4", "?id=x$y&$1", "/?a"]
    ),
).map("".join)
tongues = st.sampled_from(["", "de", "de-AT,de;q=0.9", "en", "en-GB,fr", " fr;q=1", "*"])
asked = st.tuples(paths, tongues)


@settings(
    max_examples=int(os.environ.get("HOMEPORT_TEST_EXAMPLES", "12")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(st.lists(rules(), min_size=8, max_size=8), st.lists(asked, min_size=60, max_size=60))
def test_it_answers_as_the_rules_say(place: Place, several: list[Rules], questions: list[tuple[str, str]]) -> None:
    for number, those in enumerate(several):
        conf = SiteConf(
            f"r{number}.example", place.root, (f"127.0.0.1:{place.nginx.port}",), those, earlier=place.earlier
        )
        place.nginx.site(f"r{number}", render(conf))
    place.nginx.reload()
    assert list(_amiss(place, several, questions)) == []


def _amiss(place: Place, several: list[Rules], questions: list[tuple[str, str]]) -> Iterator[tuple[object, ...]]:
    for number, those in enumerate(several):
        answers = Answers(those)
        for target, tongue in questions:
            more = {"accept_language": tongue} if tongue else {}
            found = ask(place.nginx.address, target, f"r{number}.example", **more)
            wanted = _wanted(place, answers, target, tongue)
            got = _what_matters(found, wanted)
            if got != wanted:
                different = {name: (got[name], wanted[name]) for name in wanted if got[name] != wanted[name]}
                yield target, tongue, different, those


def _wanted(place: Place, answers: Answers, target: str, tongue: str) -> dict[str, object]:
    raw, _, query = target.encode().partition(b"?")
    try:
        path = served_path(raw)
    except ValueError:
        return {"status": 400}
    asked = Asked(path, raw, query, tongue.strip().encode())
    outcome = answers.to(asked, _has(place.root), _has(place.earlier))
    wanted: dict[str, object] = {"status": outcome.status, "location": None}
    if outcome.location is not None:
        wanted["location"] = outcome.location.decode("latin-1")
    elif outcome.file is None:
        wanted["body"] = serving.NOT_FOUND
    else:
        wanted["body"] = f"{'earlier' if outcome.earlier else 'release'}: {outcome.file.decode()}"
    given = dict.fromkeys(["x-one", "x-two", "x-a#$b'", "cache-control", "x-content-type-options", "vary"])
    headers = answers.headers(path, outcome.status, outcome.file)
    return wanted | given | {name.decode(): value.decode().strip(" \t") for name, value in headers}


def _has(root: Path) -> Has:
    def has(name: bytes) -> bool:
        return (root / os.fsdecode(name)).is_file() and not name.endswith(b"/")

    return has


def _what_matters(found: Answer, wanted: dict[str, object]) -> dict[str, object]:
    own: dict[str, object] = {"status": found.status, "body": found.body.decode("utf-8", "replace")}
    return {name: own.get(name, found.headers.get(name)) for name in wanted}


def test_the_longest_lines_that_are_accepted_can_be_loaded(place: Place) -> None:
    """NGINX takes no word of more than 4,096 bytes, and no longer comment either."""
    taken = " ".join(f"{name}=:{name}{'n' * 50}" for name in "pqrst")
    asked_for = " ".join(f"{name * 64}={';' * 60}" for name in "pqrst")
    languages = f"Language={','.join(['de-AT'] * 60)}"
    paths = (f"/{'~' * 110}/*", f"/{'日' * 80}/*", "/a" * 200 + "/:x", f"/{'日' * 70}")
    lines = [
        " ".join((path, query, target, status))
        for path in paths
        for query in ("", taken, asked_for)
        for target in (f"/{'$' * 600}", f"/{'日' * 500}")
        for status in ("", "200", languages)
    ]
    found, ignored = redirect_lines.parse("\n".join(line for line in lines if len(line) <= 2000).encode())
    assert ignored == ()
    text = f"/*\n  X-A: {'$' * 1900}\n/日本{'日' * 100}\n  X-A: " + '\\"' * 900
    headers, ignored = header_lines.parse(text.encode())
    assert ignored == ()
    those = Rules(redirects=found, headers=headers)
    conf = SiteConf("longest.example", place.root, (f"127.0.0.1:{place.nginx.port}",), those)
    place.nginx.site("longest", render(conf))
    place.nginx.reload()
    assert ask(place.nginx.address, "/", "longest.example").headers["x-a"] == "$" * 1900
