"""Serving a released site over ASGI, with the same answers that NGINX gives by our template."""

import asyncio
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote_to_bytes

from starlette.types import Receive, Scope, Send

from appliance.model import serving
from appliance.model.answers import Answers, Asked, Outcome
from appliance.model.fronts import Front
from appliance.model.rules import Guard, Rules
from appliance.web import conditions, encodings
from appliance.web.conditions import Conditions, File
from appliance.web.guard import lets_in
from appliance.web.tree import Tree

AT_ONCE = 128 * 1024  # a body up to this size is read and sent in one go
CHUNK = 256 * 1024
LONGEST_LINE = 8192

Headers = list[tuple[bytes, bytes]]

_COMMON: Headers = [(name.lower().encode(), value.encode()) for name, value in serving.HEADERS.items()]
_UNKEPT: Headers = [(b"cache-control", b"no-store"), *(one for one in _COMMON if one[0] != b"cache-control")]
_UNLISTED: Headers = [(b"x-robots-tag", b"noindex")]
_HTML = serving.HTML.encode()
_PORT = re.compile(rb":[0-9]{1,5}\Z")
_BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_WORDS = {400: "Bad request", 412: "Not as expected", 414: "The address is too long", 416: "No such part of the file"}


@dataclass(frozen=True)
class Shown:
    """What a visitor is to be shown: a release, by which rules, and what stands before it."""

    root: Path
    answers: Answers = field(default_factory=lambda: Answers(Rules()))
    guard: Guard = field(default_factory=Guard)
    earlier: Path | None = None  # where files of earlier releases are
    unlisted: bool = False  # search engines are asked to leave it out
    empty: bool = False  # nothing leads to a release
    front: Front = field(default_factory=Front)  # of the URL that it was asked for by


@dataclass
class Reply:
    """What goes out: a body at hand, or pieces of an open file with text around them."""

    status: int
    headers: Headers
    body: bytes = b""
    file: int | None = None
    pieces: list[tuple[bytes, int, int]] = field(default_factory=list)  # text before it, from, up to
    end: bytes = b""
    more: Headers = field(default_factory=lambda: _COMMON)


async def serve(scope: Scope, receive: Receive, send: Send, shown: Shown) -> None:
    """Answer one HTTP request out of the release that is shown now."""
    with _answer(scope, shown) as reply:
        headers = [*reply.headers, *reply.more, *(_UNLISTED if shown.unlisted else ())]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        if reply.file is None or scope["method"] == "HEAD":
            await send({"type": "http.response.body", "body": reply.body if scope["method"] != "HEAD" else b""})
        elif sum(end - begin for _, begin, end in reply.pieces) <= AT_ONCE:
            body = b"".join(text + _read(reply.file, begin, end) for text, begin, end in reply.pieces)
            await send({"type": "http.response.body", "body": body + reply.end})
        else:
            await _stream(reply, reply.file, receive, send)


def served_path(raw: bytes) -> bytes:
    """The path that a request's target means: decoded once, without empty, `.` and `..` parts. ValueError for none."""
    if not raw.startswith(b"/") or _BAD_ESCAPE.search(raw):
        raise ValueError("not a path")
    text = unquote_to_bytes(raw) if b"%" in raw else raw
    if b"\0" in text:
        raise ValueError("NUL in a path")
    if b"//" not in text and b"/." not in text:
        return text
    parts: list[bytes] = []
    split = text.split(b"/")[1:]
    for part in split:
        if part == b"..":
            if not parts:
                raise ValueError("a path out of the site")
            parts.pop()
        elif part not in (b"", b"."):
            parts.append(part)
    folder = split[-1] in (b"", b".", b"..") and parts
    return b"/" + b"/".join(parts) + (b"/" if folder else b"")


@contextmanager
def _answer(scope: Scope, shown: Shown) -> Iterator[Reply]:
    method, raw, query = scope["method"], scope["raw_path"], scope["query_string"]
    if len(method) + len(raw) + len(query) + bool(query) + len("  HTTP/1.1\r\n") > LONGEST_LINE:
        yield _plain(414)
        return
    try:
        path = served_path(raw)
    except ValueError:
        yield _plain(400)
        return
    if refused := _before(scope, shown.front) or _refused(scope, shown.guard):
        yield refused
        return
    asked = Asked(path, raw, query, _header(scope, b"accept-language"))
    with Tree(shown.root) as tree, Tree(shown.earlier if shown.answers.rules.bridge else None) as earlier:
        outcome = shown.answers.to(asked, tree.has, earlier.has)
        reply = _reply(outcome, earlier if outcome.earlier else tree, scope)
        reply.more = shown.answers.headers(path, reply.status, outcome.file)
        if shown.guard.password:
            reply.more = [(name, _for_one(value) if name == b"cache-control" else value) for name, value in reply.more]
        yield reply


def _before(scope: Scope, front: Front) -> Reply | None:
    """What one URL answers before anything that stands before all of them."""
    if not front.lets_in(scope["client"][0] if scope.get("client") else ""):
        return _page(403, serving.OUTSIDE, kept=False)
    if not front.redirect_to:
        return None
    host, query = _header(scope, b"host"), scope["query_string"]
    port = _PORT.search(host)
    there = [scope.get("scheme", "http").encode(), b"://", front.redirect_to.encode(), port[0] if port else b""]
    there += [scope["raw_path"], b"?" + query if query else b""]
    return Reply(front.redirect_status, [(b"location", b"".join(there)), (b"content-length", b"0")])


def _refused(scope: Scope, guard: Guard) -> Reply | None:
    """What is answered before anyone looks at the rules."""
    if guard.maintenance:
        again = (b"retry-after", b"%d" % serving.RETRY_AFTER)
        return _page(503, serving.maintenance(guard.maintenance), again, kept=False)
    if scope["method"] not in ("GET", "HEAD"):
        return _page(405, serving.NOT_ALLOWED, (b"allow", b"GET, HEAD"))
    if not lets_in(guard, _header(scope, b"authorization")):
        ask = (b"www-authenticate", b'Basic realm="%s"' % serving.REALM.encode())
        return _page(401, serving.NOT_SIGNED_IN, ask, kept=False)
    return None


def _reply(outcome: Outcome, tree: Tree, scope: Scope) -> Reply:
    if outcome.location is not None:
        return Reply(outcome.status, [(b"location", outcome.location), (b"content-length", b"0")])
    if outcome.file is None:
        return _page(outcome.status, serving.NOT_FOUND)
    sent, coding, headers = _form(outcome.file, tree, _header(scope, b"accept-encoding"))
    file = tree.file(sent)
    assert file is not None  # noqa: S101 - it was seen a moment ago, and is held open
    kind = serving.type_of(os.path.basename(outcome.file).decode("utf-8", "replace")).encode()
    if outcome.status != 200:
        reply = _whole(outcome.status, file, kind)
    else:
        reply = _file(file, kind, Conditions.of(scope["headers"]), parts=not coding)
    if reply.status in (200, 206, 404, 410) and coding:
        headers = [(b"content-encoding", coding), *headers]
    reply.headers += headers
    return reply


def _form(name: bytes, tree: Tree, accepted: bytes) -> tuple[bytes, bytes, Headers]:
    """The file to send, how it is compressed, and what to say of there being a choice."""
    there = [(coding, name + ending) for coding, ending in encodings.FORMS if tree.has(name + ending)]
    vary: Headers = [(b"vary", b"Accept-Encoding")] if there else []
    for coding, form in there:
        if encodings.takes(coding, accepted):
            return form, coding, vary
    return name, b"", vary


def _header(scope: Scope, name: bytes) -> bytes:
    """The first of its name."""
    return next((value for found, value in scope["headers"] if found == name), b"")


def _for_one(value: bytes) -> bytes:
    """What came by a password is for nobody else."""
    return value if value == b"no-store" else b"private, no-cache"


def _file(file: int, kind: bytes, asked: Conditions, *, parts: bool) -> Reply:
    found = os.fstat(file)
    about = File(found.st_size, int(found.st_mtime))
    status = conditions.status(asked, about)
    if status == 412:
        return _plain(412)
    if status == 304:
        return Reply(304, [(b"etag", about.etag)])
    pieces = conditions.parts(asked, about) if parts else []
    if pieces is None:
        return _plain(416, (b"content-range", b"bytes */%d" % about.size), (b"etag", about.etag))
    if pieces:
        return _partial(file, about, kind, pieces)
    whole = _whole(200, file, kind)
    whole.headers += [(b"accept-ranges", b"bytes")] if parts else []
    return whole


def _whole(status: int, file: int, kind: bytes) -> Reply:
    """All of a file. With another status than 200, parts of it and questions about it are not answered."""
    found = os.fstat(file)
    about = File(found.st_size, int(found.st_mtime))
    headers = [(b"content-type", kind), (b"content-length", b"%d" % about.size), (b"etag", about.etag)]
    return Reply(status, headers, file=file, pieces=[(b"", 0, about.size)])


def _partial(file: int, about: File, kind: bytes, pieces: list[tuple[int, int]]) -> Reply:
    if len(pieces) == 1:
        begin, end = pieces[0]
        headers = [
            (b"content-type", kind),
            (b"content-length", b"%d" % (end - begin)),
            (b"etag", about.etag),
            (b"content-range", _span(begin, end, about.size)),
        ]
        return Reply(206, headers, file=file, pieces=[(b"", begin, end)])
    boundary = b"%020d" % (int.from_bytes(os.urandom(8)) % 10**20)
    text = b"\r\n--%s\r\nContent-Type: %s\r\nContent-Range: %s\r\n\r\n"
    several = [(text % (boundary, kind, _span(begin, end, about.size)), begin, end) for begin, end in pieces]
    last = b"\r\n--%s--\r\n" % boundary
    length = sum(len(before) + end - begin for before, begin, end in several) + len(last)
    headers = [
        (b"content-type", b"multipart/byteranges; boundary=" + boundary),
        (b"content-length", b"%d" % length),
        (b"etag", about.etag),
    ]
    return Reply(206, headers, file=file, pieces=several, end=last)


def _span(begin: int, end: int, size: int) -> bytes:
    return b"bytes %d-%d/%d" % (begin, end - 1, size)


def _page(status: int, html: str, *more: tuple[bytes, bytes], kept: bool = True) -> Reply:
    body = html.encode()
    headers = [(b"content-type", _HTML), (b"content-length", b"%d" % len(body)), *more]
    return Reply(status, headers, body, more=_COMMON if kept else _UNKEPT)


def _plain(status: int, *more: tuple[bytes, bytes]) -> Reply:
    return _page(status, _WORDS[status], *more)


def _read(file: int, begin: int, end: int) -> bytes:
    data = os.pread(file, end - begin, begin)
    if len(data) < end - begin:
        raise EOFError("A released file is shorter than it was.")
    return data


async def _stream(reply: Reply, file: int, receive: Receive, send: Send) -> None:
    """Piece by piece, read in a thread; ends when the visitor is gone."""
    loop = asyncio.get_running_loop()
    gone = asyncio.ensure_future(_gone(receive))
    try:
        for text, begin, end in reply.pieces:
            if text:
                await send({"type": "http.response.body", "body": text, "more_body": True})
            for at in range(begin, end, CHUNK):
                if gone.done():
                    return
                data = await loop.run_in_executor(None, _read, file, at, min(at + CHUNK, end))
                await send({"type": "http.response.body", "body": data, "more_body": True})
        await send({"type": "http.response.body", "body": reply.end})
    finally:
        gone.cancel()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
