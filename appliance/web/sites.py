"""Serving a released site over ASGI, with the same answers that NGINX gives by our template."""

import asyncio
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from errno import EACCES, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, ENXIO
from pathlib import Path
from typing import Self
from urllib.parse import quote_from_bytes, unquote_to_bytes

from starlette.types import Receive, Scope, Send

from appliance.model import serving
from appliance.web import conditions
from appliance.web.conditions import Asked, File

AT_ONCE = 128 * 1024  # a body up to this size is read and sent in one go
CHUNK = 256 * 1024
LONGEST_LINE = 8192

Headers = list[tuple[bytes, bytes]]

_COMMON: Headers = [(name.lower().encode(), value.encode()) for name, value in serving.HEADERS.items()]
_HTML = serving.HTML.encode()
_NOT_THERE = frozenset({ENOENT, ENOTDIR, ENAMETOOLONG, ELOOP, EACCES, ENXIO})
_BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_PLAIN = "!$&'()*+,-./:;=@[]_~"  # what NGINX leaves as it is in a Location
_WORDS = {400: "Bad request", 412: "Not as expected", 414: "The address is too long", 416: "No such part of the file"}


@dataclass
class Reply:
    """What goes out: a body at hand, or pieces of an open file with text around them."""

    status: int
    headers: Headers
    body: bytes = b""
    file: int | None = None
    pieces: list[tuple[bytes, int, int]] = field(default_factory=list)  # text before it, from, up to
    end: bytes = b""


async def serve(scope: Scope, receive: Receive, send: Send, root: Path) -> None:
    """Answer one HTTP request out of the release that `root` leads to now."""
    with _answer(scope, root) as reply:
        await send({"type": "http.response.start", "status": reply.status, "headers": reply.headers + _COMMON})
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
def _answer(scope: Scope, root: Path) -> Iterator[Reply]:
    method, raw, query = scope["method"], scope["raw_path"], scope["query_string"]
    if len(method) + len(raw) + len(query) + bool(query) + len("  HTTP/1.1\r\n") > LONGEST_LINE:
        yield _plain(414)
        return
    try:
        path = served_path(raw)
    except ValueError:
        yield _plain(400)
        return
    if method not in ("GET", "HEAD"):
        yield _page(405, serving.NOT_ALLOWED, (b"allow", b"GET, HEAD"))
        return
    with _Tree(root) as tree:
        if shown := tree.shown(path):
            yield _file(*shown, Asked.of(scope["headers"]))
        elif tree.wants_slash(path):
            yield _moved(path, query)
        elif (instead := tree.file(b"200.html")) is not None:
            yield _file(b"200.html", instead, Asked.of(scope["headers"]))
        elif (instead := tree.file(b"404.html")) is not None:
            yield _not_found(instead)
        else:
            yield _page(404, serving.NOT_FOUND)


class _Tree:
    """One release, held open: wherever the pointer leads meanwhile, one answer comes from one release."""

    def __init__(self, root: Path) -> None:
        self._open: list[int] = []
        try:
            self._top = self._keep(os.open(root, os.O_PATH | os.O_DIRECTORY))
        except OSError as why:
            if why.errno not in _NOT_THERE:
                raise
            self._top = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for handle in self._open:
            os.close(handle)

    def shown(self, path: bytes) -> tuple[bytes, int] | None:
        """The file that a path shows, with its name."""
        if _is_hidden(path):
            return None
        name = path[1:] + b"index.html" if path.endswith(b"/") else path[1:]
        file = self.file(name)
        return None if file is None else (name, file)

    def wants_slash(self, path: bytes) -> bool:
        """Whether this is a folder with a page of its own, asked for without its slash."""
        return not path.endswith(b"/") and not _is_hidden(path) and self.file(path[1:] + b"/index.html") is not None

    def file(self, name: bytes) -> int | None:
        """A regular file, opened without following a link anywhere on the way."""
        if self._top < 0:
            return None
        *folders, last = name.split(b"/")
        try:
            here = self._top
            for folder in folders:
                here = self._keep(os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=here))
            file = self._keep(os.open(last, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=here))
        except OSError as why:
            if why.errno in _NOT_THERE:
                return None
            raise
        return file if stat.S_ISREG(os.fstat(file).st_mode) else None

    def _keep(self, handle: int) -> int:
        self._open.append(handle)
        return handle


def _is_hidden(path: bytes) -> bool:
    """Whatever begins with a dot, but what is in /.well-known/."""
    return b"/." in path and path != b"/.well-known" and not path.startswith(b"/.well-known/")


def _file(name: bytes, file: int, asked: Asked) -> Reply:
    found = os.fstat(file)
    about = File(found.st_size, int(found.st_mtime))
    status = conditions.status(asked, about)
    if status == 412:
        return _plain(412)
    if status == 304:
        return Reply(304, [(b"etag", about.etag)])
    kind = serving.type_of(os.path.basename(name).decode("utf-8", "replace")).encode()
    pieces = conditions.parts(asked, about)
    if pieces is None:
        return _plain(416, (b"content-range", b"bytes */%d" % about.size))
    if pieces:
        return _partial(file, about, kind, pieces)
    headers = [
        (b"content-type", kind),
        (b"content-length", b"%d" % about.size),
        (b"etag", about.etag),
        (b"accept-ranges", b"bytes"),
    ]
    return Reply(200, headers, file=file, pieces=[(b"", 0, about.size)])


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


def _not_found(file: int) -> Reply:
    """The bundle's own page; parts of it and questions about it are not answered."""
    found = os.fstat(file)
    about = File(found.st_size, int(found.st_mtime))
    headers = [(b"content-type", _HTML), (b"content-length", b"%d" % about.size), (b"etag", about.etag)]
    return Reply(404, headers, file=file, pieces=[(b"", 0, about.size)])


def _moved(path: bytes, query: bytes) -> Reply:
    """Within the site, by path alone: whichever name and port a visitor came by stays."""
    location = quote_from_bytes(path, safe=_PLAIN).encode() + b"/" + (b"?" + query if query else b"")
    return Reply(301, [(b"location", location), (b"content-length", b"0")])


def _page(status: int, html: str, *more: tuple[bytes, bytes]) -> Reply:
    body = html.encode()
    return Reply(status, [(b"content-type", _HTML), (b"content-length", b"%d" % len(body)), *more], body)


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
