"""An upload from a request: a raw body or a form, streamed to disk as it comes."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import unquote

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request

from appliance.context import Context
from appliance.deploy.receive import Incoming, Received
from appliance.deploy.submit import refuse_empty
from appliance.errors import BadRequest, Invalid, TooLarge

BATCH = 1 << 20  # bytes gathered before a thread writes them
FIELDS_MOST = 64 << 10  # bytes of all other fields together, their names included


EXTENDED = re.compile(r";\s*filename\*=utf-8'[^']*'([^;\s]+)", re.IGNORECASE)


@dataclass(frozen=True)
class Upload:
    """A file that has arrived, and the other fields of its form."""

    received: Received
    filename: str
    fields: dict[str, str]


@asynccontextmanager
async def receive(
    request: Request, ctx: Context, *, name: str = "bundle", most: int | None = None
) -> AsyncIterator[Upload]:
    """Take the file in, out of the field with that name; when the block ends, what was not kept is gone."""
    with Incoming(ctx, expected(request), most) as incoming:
        kind = request.headers.get("content-type", "")
        try:
            if kind.lower().startswith("multipart/"):
                form = _Form(kind, name)
                await spool(request, incoming, form)
                filename, fields = form.finish()
            else:
                await spool(request, incoming)
                filename, fields = _filename(request.headers.get("content-disposition", "")), {}
        except ClientDisconnect as why:
            raise BadRequest("The upload ended before it was whole.", code="cut_off") from why
        received = await run_in_threadpool(incoming.finish)
        refuse_empty(received)
        yield Upload(received, filename, fields)


class Sink(Protocol):
    """Where a body goes."""

    def refuse_size(self, size: int) -> None: ...

    def write(self, chunks: Sequence[bytes]) -> None: ...


async def spool(request: Request, sink: Sink, form: "_Form | None" = None) -> None:
    """One batch is written by a thread while the next one comes in. What came before a body broke off is written."""
    batch: list[bytes] = []
    gathered, total, writing = 0, 0, _done()
    try:
        async for chunk in request.stream():
            parts = form.feed(chunk) if form else [chunk]
            batch += parts
            gathered += sum(map(len, parts))
            total += sum(map(len, parts))
            sink.refuse_size(total)
            if gathered >= BATCH:
                await writing
                writing = asyncio.ensure_future(run_in_threadpool(sink.write, batch))
                batch, gathered = [], 0
    except ClientDisconnect:
        await writing
        await run_in_threadpool(sink.write, batch)
        raise
    finally:
        await writing
    await run_in_threadpool(sink.write, batch)


def _done() -> asyncio.Future[None]:
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    future.set_result(None)
    return future


@dataclass
class _Part:
    headers: dict[str, str] = field(default_factory=dict)
    name: str = ""
    filename: str = ""
    is_file: bool = False
    data: bytearray = field(default_factory=bytearray)


class _Form:
    """A multipart body: the file in one field is passed on as it comes, the other fields are small texts."""

    def __init__(self, content_type: str, file: str) -> None:
        self._file = file
        _, options = parse_options_header(content_type.encode("latin-1"))
        if b"boundary" not in options:
            raise BadRequest("The form does not say where its parts end (no boundary).", code="bad_form")
        self._parser = MultipartParser(
            options[b"boundary"],
            {
                "on_part_begin": self._begin,
                "on_header_field": self._header_name,
                "on_header_value": self._header_value,
                "on_header_end": self._header_end,
                "on_headers_finished": self._headers,
                "on_part_data": self._data,
                "on_part_end": self._end,
                "on_end": self._over,
            },
        )
        self._part = _Part()
        self._field, self._value = b"", b""
        self._ready: list[bytes] = []
        self._fields: dict[str, str] = {}
        self._room = FIELDS_MOST
        self._filename: str | None = None
        self._whole = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """Bytes of the file that this chunk held."""
        self._ready = []
        try:
            self._parser.write(chunk)
        except MultipartParseError as why:
            raise BadRequest("The form can't be read: it is not well-formed multipart.", code="bad_form") from why
        return self._ready

    def finish(self) -> tuple[str, dict[str, str]]:
        if not self._whole:
            raise BadRequest("The form ended before it was whole.", code="cut_off")
        if self._filename is None:
            raise Invalid({self._file: f"Choose a file; the form has none in the field `{self._file}`"})
        return self._filename, self._fields

    def _begin(self) -> None:
        self._part = _Part()

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        self._part.headers[self._field.decode("latin-1").lower()] = self._value.decode("utf-8", "replace")
        self._field, self._value = b"", b""

    def _headers(self) -> None:
        _, options = parse_options_header(self._part.headers.get("content-disposition", "").encode())
        self._part.name = options.get(b"name", b"").decode("utf-8", "replace")
        self._part.is_file = b"filename" in options
        if not self._part.is_file:
            self._take(len(self._part.name))
            return
        if self._part.name != self._file or self._filename is not None:
            raise Invalid({self._part.name or "file": f"Send one file, in the field `{self._file}`"})
        self._filename = options[b"filename"].decode("utf-8", "replace").replace("\\", "/").rpartition("/")[2]

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._part.is_file:
            self._ready.append(data[start:end])
            return
        self._take(end - start)
        self._part.data += data[start:end]

    def _take(self, size: int) -> None:
        self._room -= max(size, 1)
        if self._room < 0:
            raise TooLarge("The fields of the form beside the file are larger than 64 KiB.")

    def _end(self) -> None:
        if not self._part.is_file:
            self._fields[self._part.name] = self._part.data.decode("utf-8", "replace")

    def _over(self) -> None:
        self._whole = True


def expected(request: Request) -> int | None:
    """How long the body says it is."""
    length = request.headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() else None


def _filename(disposition: str) -> str:
    """A header is no form: `filename*` has a place in it, and is the better one."""
    if found := EXTENDED.search(disposition):
        return unquote(found[1]).replace("\\", "/").rpartition("/")[2]
    _, options = parse_options_header(disposition.encode("utf-8", "replace"))
    return options.get(b"filename", b"").decode("utf-8", "replace").replace("\\", "/").rpartition("/")[2]
