"""What a path is answered with under the rules of a release. Pure: it is told which files there are."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from appliance.model import matching, serving
from appliance.model.rules import REVALIDATE, TAKEN, HeaderRule, Redirect, Rules

FILE_STATES = (200, 206, 304)
MISSING = (404, 410)
_TAKEN = re.compile(TAKEN.pattern.encode())
_QUERY_VALUE = re.compile(matching.QUERY_VALUE.encode())
_SLASHES = re.compile(rb"//+")
Has = Callable[[bytes], bool]


@dataclass(frozen=True)
class Asked:
    """Of a request, what the rules look at."""

    path: bytes  # as it is served: decoded, without empty and dot parts
    sent: bytes  # as it came, without its query
    query: bytes = b""
    language: bytes = b""


@dataclass(frozen=True)
class Outcome:
    """A file, a place to go, or neither: then our own page."""

    status: int
    file: bytes | None = None  # its name in the release
    earlier: bool = False  # it is among the files of earlier releases
    location: bytes | None = None


class Answers:
    """The rules of one release, ready to be asked."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self._forced = _Redirects([one for one in rules.redirects if one.forced])
        self._others = _Redirects([one for one in rules.redirects if not one.forced])
        self._headers = [(re.compile(matching.as_served(one.source).encode()), one) for one in rules.headers]
        self.varies = any(one.languages for one in rules.redirects)

    def to(self, asked: Asked, has: Has, had: Has | None = None) -> Outcome:
        """What comes back. `has`: whether the release has a file; `had`: whether an earlier one had."""
        stamped = serving.is_fingerprinted(asked.path)
        if not is_hidden(asked.path):
            found = (
                self._forced.answer(asked, has, stamped=stamped)
                or self._file(asked, has)
                or self._others.answer(asked, has, stamped=stamped)
            )
            if found:
                return found
            if stamped and self.rules.bridge and had is not None and had(asked.path[1:]):
                return Outcome(200, asked.path[1:], earlier=True)
        fallback = self.rules.fallback.encode()
        if fallback and not stamped and has(fallback):
            return Outcome(200, fallback)
        return missing(has)

    def headers(self, path: bytes, status: int, shown: bytes | None) -> list[tuple[bytes, bytes]]:
        """Those that go with an answer besides the ones that make it; `shown` is the name of the file in it."""
        found = {name.lower(): (name, value) for name, value in self._ours(shown).items()}
        given: set[str] = set()
        for pattern, block in self._headers:
            if pattern.match(path):
                _apply(block, found, given)
        if status not in FILE_STATES:
            found["cache-control"] = ("Cache-Control", "no-store" if status in MISSING else REVALIDATE)
        answer = [(name.lower().encode(), value.encode()) for name, value in found.values()]
        return [*answer, (b"vary", b"Accept-Language")] if self.varies else answer

    def _ours(self, shown: bytes | None) -> dict[str, str]:
        rules = self.rules
        stamped = shown is not None and serving.is_fingerprinted(b"/" + shown)
        return {**serving.HEADERS, "Cache-Control": rules.fingerprinted if stamped else rules.pages}

    def _file(self, asked: Asked, has: Has) -> Outcome | None:
        path, name, clean = asked.path, asked.path[1:], self.rules.clean_urls
        if path.endswith(b"/"):
            if has(name + b"index.html"):
                return Outcome(200, name + b"index.html")
            if clean and name and asked.sent == serving.escaped(path) and has(name[:-1] + b".html"):
                return Outcome(301, location=_with_query(asked.sent[:-1], asked.query))
            return None
        for file in (name, name + b".html") if clean else (name,):
            if has(file):
                return Outcome(200, file)
        if has(name + b"/index.html"):
            return Outcome(301, location=_with_query(serving.escaped(path) + b"/", asked.query))
        return None


class _Redirects:
    """Some redirects in their order, the ones for a single path found without looking at each."""

    def __init__(self, those: list[Redirect]) -> None:
        self._those = those
        self._single: dict[bytes, list[int]] = {}
        self._patterns: list[tuple[int, re.Pattern[bytes]]] = []
        self._languages = {
            one.languages: re.compile(matching.language(one.languages).encode()) for one in those if one.languages
        }
        for at, one in enumerate(those):
            if not matching.takes(one.source):
                self._single.setdefault(_bare(one.source.encode()), []).append(at)
                continue
            text = matching.as_served(one.source) if one.in_place else matching.as_sent(one.source, whole=whole(one))
            self._patterns.append((at, re.compile(text.encode())))

    def answer(self, asked: Asked, has: Has, *, stamped: bool) -> Outcome | None:
        best, taken = len(self._those), dict[str, bytes]()
        for at in self._single.get(_bare(asked.path), ()):
            given = self._given(self._those[at], asked)
            if given is not None:
                best, taken = at, given
                break
        for at, pattern in self._patterns:
            if at >= best:
                break
            one = self._those[at]
            match = pattern.match(asked.path if one.in_place else asked.sent)
            given = self._given(one, asked) if match and not (stamped and one.stands_in) else None
            if match and given is not None:
                groups = (group or b"" for group in match.groups())
                best, taken = at, given | dict(zip(matching.names(one.source), groups, strict=True))
        return _come_out(self._those[best], taken, asked, has) if best < len(self._those) else None

    def _given(self, one: Redirect, asked: Asked) -> dict[str, bytes] | None:
        """What the query brings in; None where the conditions don't hold."""
        if one.languages and not self._languages[one.languages].match(asked.language):
            return None
        found: dict[str, bytes] = {}
        for name, wanted in one.query:
            value = argument(asked.query, name.encode())
            if wanted.startswith(":"):
                if not _QUERY_VALUE.fullmatch(value):
                    return None
                found[wanted[1:]] = value
            elif not value or value != wanted.encode():
                return None
        return found


def is_hidden(path: bytes) -> bool:
    """Whatever begins with a dot, but what is in /.well-known/; and the two files that say how to answer."""
    if path in (b"/_redirects", b"/_headers"):
        return True
    return b"/." in path and path != b"/.well-known" and not path.startswith(b"/.well-known/")


def missing(has: Has) -> Outcome:
    return Outcome(404, b"404.html" if has(b"404.html") else None)


def whole(redirect: Redirect) -> bool:
    """Whether what its last `*` takes may not be empty: the target would begin with two slashes."""
    return redirect.target.startswith(f"/:{matching.SPLAT}/")


def argument(query: bytes, name: bytes) -> bytes:
    """The value of the first parameter of this name, letter case aside; empty where there is none."""
    for part in query.split(b"&"):
        found, equals, value = part.partition(b"=")
        if equals and found.lower() == name.lower():
            return value
    return b""


def _come_out(one: Redirect, taken: dict[str, bytes], asked: Asked, has: Has) -> Outcome:
    if one.in_place:
        return _in_place(one, taken, has)
    location = _filled(one.target.encode(), taken)
    own = "?" in one.target or "#" in one.target
    return Outcome(one.status, location=location if own else _with_query(location, asked.query))


def _in_place(one: Redirect, taken: dict[str, bytes], has: Has) -> Outcome:
    path = _SLASHES.sub(b"/", _filled(unquote_to_bytes(one.target), taken))
    if is_hidden(path):
        return missing(has)
    name = path[1:]
    names = [name + b"index.html"] if path.endswith(b"/") else [name, name + b".html", name + b"/index.html"]
    for file in names:
        if has(file):
            return Outcome(one.status, file)
    return missing(has)


def _filled(target: bytes, taken: dict[str, bytes]) -> bytes:
    return _TAKEN.sub(lambda found: taken.get(found[0][1:].decode(), found[0]), target)


def _with_query(location: bytes, query: bytes) -> bytes:
    return location + b"?" + query if query else location


def _bare(path: bytes) -> bytes:
    return path.rstrip(b"/") or b"/"


def _apply(block: HeaderRule, found: dict[str, tuple[str, str]], given: set[str]) -> None:
    """Ours give way to the first that is given; later ones join it."""
    for name in block.removed:
        found.pop(name.lower(), None)
        given.discard(name.lower())
    for name, value in block.headers:
        key = name.lower()
        joined = f"{found[key][1]}, {value}" if key in given and key in found else value
        found[key] = (name, joined)
        given.add(key)
