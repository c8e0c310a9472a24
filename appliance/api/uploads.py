"""Uploads in pieces, by tus 1.0: creation, creation with upload, expiration, checksums and termination."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import format_datetime
from functools import wraps
from typing import Annotated

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message, Receive

from appliance.api.answers import answer, number
from appliance.context import Context
from appliance.deploy import uploads
from appliance.deploy.uploads import CHECKS, Appending, Checksum
from appliance.errors import BadRequest, HomeportError, Locked, OtherVersion, WrongKind
from appliance.machine import clock
from appliance.model.uploads import NewUpload, Upload
from appliance.web.routes import actor_of, ctx_of, doc
from appliance.web.upload import spool

VERSION = "1.0.0"
PIECE = "application/offset+octet-stream"
TUS = {"Tus-Resumable": VERSION}
SAYS = {"Tus-Resumable": f"`{VERSION}`"}
EXTENSIONS = "creation,creation-with-upload,expiration,checksum,termination"
LET_GO = 5.0  # seconds for which a request waits until the one before has let go of the upload
Endpoint = Callable[[Request], Awaitable[Response]]

_held: dict[str, "_Hold"] = {}


@dataclass(frozen=True)
class UploadShape:
    id: str
    length: Annotated[int, "Bytes that it has once it is whole"]
    offset: Annotated[int, "Bytes of it that have arrived"]
    filename: str
    bundle: Annotated[str | None, "The SHA-256 of the bundle that it became, once it was deployed"]
    created_at: str
    expires_at: Annotated[str, "When it is removed, if nothing more arrives"]


def tus(endpoint: Endpoint) -> Endpoint:
    """Speaks the protocol's one version, and says so on every answer, a no too."""

    @wraps(endpoint)
    async def speak(request: Request) -> Response:
        try:
            if request.method not in ("GET", "OPTIONS") and request.headers.get("tus-resumable") != VERSION:
                raise OtherVersion(f"Say Tus-Resumable: {VERSION}.", headers={"Tus-Version": VERSION})
            response = await endpoint(request)
        except HomeportError as why:
            why.headers.update(TUS)
            raise
        response.headers.update(TUS)
        return response

    return speak


@doc("Say what of tus is spoken here", status=204)
@tus
async def options(request: Request) -> Response:
    most = str(ctx_of(request).settings.upload_max)
    headers = {"Tus-Version": VERSION, "Tus-Extension": EXTENSIONS, "Tus-Max-Size": most}
    return Response(status_code=204, headers={**headers, "Tus-Checksum-Algorithm": ",".join(CHECKS)})


@doc(
    "Begin an upload in pieces (tus)",
    status=201,
    headers={**SAYS, "Upload-Length": "Its bytes", "Upload-Metadata": "`filename` and its value in base64"},
)
@tus
async def created(request: Request) -> Response:
    ctx, said = ctx_of(request), request.headers
    new = NewUpload.parse(said.get("upload-length"), said.get("upload-metadata", ""))
    first = _kind(request) == PIECE
    checksum = Checksum.parse(said.get("upload-checksum")) if first else None
    made = await run_in_threadpool(uploads.create, ctx, actor_of(request), new)
    headers = {"Location": f"/api/v1/uploads/{made.id}", "Upload-Offset": "0"}
    if first:
        headers["Upload-Offset"] = str(await _append(request, made, 0, checksum))
    return Response(status_code=201, headers={**_expires(made), **headers})


@doc("Show an upload; HEAD says how much has arrived (tus)", returns=UploadShape)
@tus
async def shown(request: Request) -> Response:
    ctx, actor = ctx_of(request), actor_of(request)
    wanted = request.path_params["upload"]
    if request.method == "HEAD":
        async with _alone(wanted):
            return await run_in_threadpool(_state, ctx, uploads.find(ctx, actor, wanted))
    return await run_in_threadpool(_state, ctx, uploads.find(ctx, actor, wanted))


@doc(
    "Append to an upload (tus)",
    status=204,
    kinds=(PIECE,),
    headers={**SAYS, "Upload-Offset": "Where this piece begins", "Upload-Checksum": "Such as `sha1` and its base64"},
)
@tus
async def appended(request: Request) -> Response:
    ctx, said = ctx_of(request), request.headers
    if _kind(request) != PIECE:
        raise WrongKind("A piece of an upload has another type.", todo=(f"Send it as {PIECE}.",))
    begin = number(said.get("upload-offset", ""))
    if begin is None:
        raise BadRequest("Upload-Offset must say where this piece begins.", code="no_offset")
    checksum = Checksum.parse(said.get("upload-checksum"))
    upload = uploads.find(ctx, actor_of(request), request.path_params["upload"])
    here = await _append(request, upload, begin, checksum)
    now = uploads.find(ctx, actor_of(request), upload.id)
    return Response(status_code=204, headers={**_expires(now), "Upload-Offset": str(here)})


@doc("Remove an upload (tus)", status=204, headers=SAYS)
@tus
async def removed(request: Request) -> Response:
    ctx = ctx_of(request)
    upload = uploads.find(ctx, actor_of(request), request.path_params["upload"])
    async with _alone(upload.id):
        await run_in_threadpool(uploads.remove, ctx, upload)
    return Response(status_code=204)


@doc(
    "The same, where nothing but POST gets through (tus)",
    status=204,
    headers={**SAYS, "X-HTTP-Method-Override": "`PATCH`, `HEAD` or `DELETE`"},
)
async def overridden(request: Request) -> Response:
    meant = request.headers.get("x-http-method-override", "").upper()
    acts: dict[str, Endpoint] = {"PATCH": appended, "HEAD": shown, "DELETE": removed}
    if meant not in acts:
        raise BadRequest("X-HTTP-Method-Override must say PATCH, HEAD or DELETE.", code="no_method")
    return await acts[meant](request)


async def _append(request: Request, upload: Upload, begin: int, checksum: Checksum | None) -> int:
    """Whatever has arrived is kept, also where the sender goes away in the middle."""
    ctx = ctx_of(request)
    async with _alone(upload.id) as hold:
        with Appending(ctx, upload, begin, checksum) as appending:
            try:
                await spool(Request(request.scope, hold.until_asked(request.receive)), appending)
            except ClientDisconnect as why:
                await run_in_threadpool(appending.finish, whole=False)
                if hold.asked.is_set():
                    raise Locked("Another request took this upload over.", code="taken_over") from why
                raise BadRequest("The piece ended before it was whole. What arrived is kept.", code="cut_off") from why
            return await run_in_threadpool(appending.finish)


class _Hold:
    """One request has an upload for itself, until another asks for it."""

    def __init__(self) -> None:
        self.asked, self.free = asyncio.Event(), asyncio.Event()

    def until_asked(self, receive: Receive) -> Receive:
        """The body as it comes; to be asked ends it as if the sender had gone."""

        async def either() -> Message:
            asked, message = asyncio.ensure_future(self.asked.wait()), asyncio.ensure_future(_message(receive))
            await asyncio.wait({asked, message}, return_when=asyncio.FIRST_COMPLETED)
            asked.cancel()
            if message.done():
                return message.result()
            message.cancel()
            return {"type": "http.disconnect"}

        return either


async def _message(receive: Receive) -> Message:
    return await receive()


@asynccontextmanager
async def _alone(upload_id: str) -> AsyncIterator[_Hold]:
    """Has the upload for itself. A sender who lost the line comes back before the old line is known to be dead:
    so whoever holds it is asked to let go."""
    try:
        async with asyncio.timeout(LET_GO):
            while before := _held.get(upload_id):
                before.asked.set()
                await before.free.wait()
    except TimeoutError as why:
        raise Locked("This upload is being written to.", todo=("Try again in a moment.",)) from why
    hold = _held[upload_id] = _Hold()
    try:
        yield hold
    finally:
        del _held[upload_id]
        hold.free.set()


def _state(ctx: Context, upload: Upload) -> Response:
    here = uploads.offset(ctx, upload) or 0
    shape = UploadShape(
        upload.id, upload.length, here, upload.filename, upload.bundle, upload.created_at, upload.expires_at
    )
    headers = {"Upload-Offset": str(here), "Upload-Length": str(upload.length), "Cache-Control": "no-store"}
    if upload.metadata:
        headers["Upload-Metadata"] = upload.metadata
    return answer(shape, headers={**_expires(upload), **headers})


def _expires(upload: Upload) -> dict[str, str]:
    return {"Upload-Expires": format_datetime(clock.parse(upload.expires_at), usegmt=True)}


def _kind(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()
