"""Uploads in pieces: each piece is appended to a file, whose length is how much has arrived."""

import base64
import binascii
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from appliance.access.actor import Actor
from appliance.context import Context
from appliance.deploy import paths, submit
from appliance.deploy.receive import Received, not_written, refuse_full, refuse_size
from appliance.errors import BadBundle, BadRequest, Conflict, Garbled, NotFound, TooLarge
from appliance.machine import clock, faults, files
from appliance.model.deployments import Deployment
from appliance.model.environments import Environment
from appliance.model.uploads import NewUpload, Upload
from appliance.store import uploads

CHECKS = ("sha1", "sha256", "md5")
PIECE = 1 << 20


@dataclass(frozen=True)
class Checksum:
    """What a piece must add up to."""

    algorithm: str
    digest: bytes

    @classmethod
    def parse(cls, text: str | None) -> Self | None:
        if text is None:
            return None
        algorithm, _, digest = text.strip().partition(" ")
        if algorithm not in CHECKS:
            raise BadRequest(
                f"Upload-Checksum names {algorithm[:20] or 'no algorithm'}; use one of {', '.join(CHECKS)}.",
                code="bad_checksum",
            )
        try:
            return cls(algorithm, base64.b64decode(digest.strip(), validate=True))
        except (ValueError, binascii.Error) as why:
            raise BadRequest("The digest in Upload-Checksum is not base64.", code="bad_checksum") from why


def create(ctx: Context, actor: Actor, new: NewUpload) -> Upload:
    refuse_size(new.length, ctx.settings.upload_max)
    refuse_full(ctx.data, new.length)
    made = Upload(clock.new_id(), actor.id, new.length, new.metadata, None, ctx.moment(), _expiry(ctx))
    path = paths.upload_file(ctx, made.id)
    with files.refusals():
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))
        files.sync_folder(path.parent)
        faults.point("upload begun")
    with ctx.db.write() as db:
        uploads.add(db, made)
    return made


def find(ctx: Context, actor: Actor, upload_id: str) -> Upload:
    """Only whoever began an upload may know of it."""
    found = uploads.find(ctx.db.read(), upload_id)
    if found is None or found.actor != actor.id or found.expires_at <= ctx.moment() or offset(ctx, found) is None:
        raise NotFound(
            "There is no such upload; an unfinished one is removed after a while.",
            code="no_upload",
            todo=("Begin again with a new upload.",),
        )
    return found


def offset(ctx: Context, upload: Upload) -> int | None:
    """How much has arrived."""
    if upload.bundle is not None:
        return upload.length
    try:
        return paths.upload_file(ctx, upload.id).stat().st_size
    except FileNotFoundError:
        return None


class Appending:
    """One piece on its way in. What has arrived when the block is left stays, unless it is not what was sent."""

    def __init__(self, ctx: Context, upload: Upload, begin: int, checksum: Checksum | None = None) -> None:
        self._ctx, self._upload, self._checksum = ctx, upload, checksum
        here = offset(ctx, upload) or 0
        if begin != here:
            raise Conflict(
                f"The upload has {here:,} bytes, and this piece begins at {begin:,}.",
                code="wrong_offset",
                todo=("Ask with HEAD how much has arrived, and go on from there.",),
            )
        self._room = upload.length - here
        self._target = paths.upload_file(ctx, upload.id)
        self._hash = hashlib.new(checksum.algorithm, usedforsecurity=False) if checksum else None
        self._path = ctx.data / "incoming" / f"{clock.new_id()}.piece" if checksum else self._target
        flags = os.O_CREAT | os.O_EXCL if checksum else 0
        self._handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | flags, 0o600)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, why: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._handle)
        if self._checksum:
            self._path.unlink(missing_ok=True)

    def refuse_size(self, size: int) -> None:
        if size > self._room:
            raise TooLarge(f"The piece goes on after the {self._upload.length:,} bytes that the upload has.")

    def write(self, chunks: Sequence[bytes]) -> None:
        try:
            for chunk in chunks:
                files.write_all(self._handle, chunk)
                if self._hash:
                    self._hash.update(chunk)
        except OSError as why:
            raise not_written(self._target.parent, why) from why

    def finish(self, *, whole: bool = True) -> int:
        """How much of the upload is on the disk now. A piece with a checksum counts only whole."""
        if self._checksum and self._hash:
            if whole and self._hash.digest() != self._checksum.digest:
                raise Garbled(
                    "The piece is not what its checksum says; it was thrown away.", todo=("Send that piece again.",)
                )
            if whole:
                self._append(self._path)
        with files.refusals():
            faults.point("piece")
            files.sync_file(self._target)
        with self._ctx.db.write(lasting=False) as db:
            uploads.put_off(db, self._upload.id, _expiry(self._ctx))
        return self._target.stat().st_size

    def _append(self, piece: Path) -> None:
        try:
            with piece.open("rb") as source, self._target.open("ab", buffering=0) as target:
                while data := source.read(PIECE):
                    files.write_all(target.fileno(), data)
        except OSError as why:
            raise not_written(self._target.parent, why) from why


def remove(ctx: Context, upload: Upload) -> None:
    with ctx.db.write() as db:
        uploads.remove(db, upload.id)
    paths.upload_file(ctx, upload.id).unlink(missing_ok=True)


def deploy_upload(
    ctx: Context, actor: Actor, environment: Environment, upload_id: str, once: submit.Once | None = None
) -> Deployment:
    """The upload becomes a bundle; one that can't be a bundle is removed."""
    upload = find(ctx, actor, upload_id)
    if upload.bundle is not None:
        return submit.again(ctx, actor, environment, upload.bundle, once)
    here = offset(ctx, upload)
    if here != upload.length:
        raise Conflict(
            f"{here or 0:,} of the upload's {upload.length:,} bytes have arrived.",
            code="unfinished",
            todo=("Send the rest first.",),
        )
    received = _received(ctx, upload)
    try:
        deployment = submit.upload(ctx, actor, environment, received, filename=upload.filename, once=once)
    except BadBundle:
        remove(ctx, upload)
        raise
    faults.point("upload deployed")
    with ctx.db.write() as db:
        uploads.set_bundle(db, upload.id, received.sha256)
    received.path.unlink(missing_ok=True)  # where the same bundle was here already
    return deployment


def forget_expired(ctx: Context) -> None:
    for upload in uploads.expired(ctx.db.read(), ctx.moment()):
        remove(ctx, upload)


def sweep(ctx: Context) -> None:
    """On start: no file without a row, and no row that waits for more of a file that is gone."""
    forget_expired(ctx)
    known = {one.id: one for one in uploads.everyone(ctx.db.read())}
    for path in (ctx.data / "uploads").iterdir():
        if path.name not in known:
            path.unlink()
    for one in known.values():
        if offset(ctx, one) is None:
            remove(ctx, one)


def _received(ctx: Context, upload: Upload) -> Received:
    path = paths.upload_file(ctx, upload.id)
    with files.refusals(), path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    seconds = (ctx.now() - clock.parse(upload.created_at)).total_seconds()
    return Received(path, sha256, upload.length, max(0.0, seconds))


def _expiry(ctx: Context) -> str:
    return clock.text(ctx.now() + timedelta(hours=ctx.settings.upload_hours))
