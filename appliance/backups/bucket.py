"""Backups in a bucket of an S3-compatible store."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from appliance.errors import HomeportError, RemoteFailed
from appliance.machine.s3 import CHUNK, Bucket
from appliance.machine.tar import Sink

PART = 16 << 20  # bytes kept in memory, and sent again where sending fails
PARTS_OF_A_SIZE = 1000  # a store takes 10,000 parts: each thousand is twice as large as the one before


@dataclass(frozen=True)
class Store:
    bucket: Bucket
    prefix: str
    part: int = PART

    @property
    def name(self) -> str:
        return f"{self.bucket.url}/{self.prefix}".rstrip("/")

    @contextmanager
    def keep(self, name: str) -> Iterator[Sink]:
        """Sent in parts, each with its SHA-256; an object only when the block has ended well."""
        key = self._key(name)
        begun = self.bucket.ask("POST", key, {"uploads": ""}, content_type="application/x-tar")
        upload = _Upload(self.bucket, key, begun.tag("UploadId"), self.part)
        try:
            yield upload
            upload.finish()
        except BaseException:
            upload.abort()
            raise

    def check(self, name: str, size: int) -> None:
        """What was kept is all there."""
        if self.size(name) != size:
            raise RemoteFailed(f"{self.name}/{name} is not as large as what was sent.", permanent=True, code="not_kept")

    def size(self, name: str) -> int:
        return int(self.bucket.ask("HEAD", self._key(name)).headers.get("content-length", "-1"))

    def read(self, name: str) -> Iterator[bytes]:
        with self.bucket.opened("GET", self._key(name)) as response:
            while chunk := response.read(CHUNK):
                yield chunk

    def remove(self, name: str) -> None:
        self.bucket.ask("DELETE", self._key(name))

    def sweep(self, name: str) -> None:
        """What is left of one that was broken off: parts that no object was made of."""
        key = self._key(name)
        with suppress(HomeportError):  # a store cleans up by itself where this key may not look
            found = self.bucket.ask("GET", "", {"uploads": "", "prefix": key})
            for key_found, upload_id in zip(found.tags("Key"), found.tags("UploadId"), strict=False):
                if key_found == key:
                    self.bucket.ask("DELETE", key, {"uploadId": upload_id})

    def _key(self, name: str) -> str:
        return f"{self.prefix.strip('/')}/{name}".lstrip("/")


@dataclass
class _Upload:
    bucket: Bucket
    key: str
    id: str
    part: int
    _waiting: bytearray = field(default_factory=bytearray)
    _sent: list[tuple[str, str]] = field(default_factory=list)  # its ETag, and its MD5

    def write(self, data: bytes, /) -> None:
        self._waiting += data
        while len(self._waiting) >= self._size:
            self._send(self._size)

    def finish(self) -> None:
        """The object is made of the parts; the store says of what."""
        if self._waiting or not self._sent:
            self._send(len(self._waiting))
        lines = (
            f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
            for number, (etag, _) in enumerate(self._sent, 1)
        )
        body = f"<CompleteMultipartUpload>{''.join(lines)}</CompleteMultipartUpload>".encode()
        done = self.bucket.ask("POST", self.key, {"uploadId": self.id}, body)
        if done.tag("Code"):  # some say 200 first, and what went wrong afterwards
            raise RemoteFailed(
                f"{self.bucket.url} could not put the parts together: {done.tag('Code')}.", permanent=True
            )
        found = done.tag("ETag").strip('"')
        if all(etag.strip('"') == md5 for etag, md5 in self._sent) and found != self._whole():
            raise RemoteFailed(f"{self.bucket.url} has something else than what was sent.", permanent=True)

    def abort(self) -> None:
        with suppress(HomeportError):
            self.bucket.ask("DELETE", self.key, {"uploadId": self.id})

    @property
    def _size(self) -> int:
        return self.part << (len(self._sent) // PARTS_OF_A_SIZE)

    def _send(self, size: int) -> None:
        data = bytes(self._waiting[:size])
        del self._waiting[:size]
        number = str(len(self._sent) + 1)
        answer = self.bucket.ask("PUT", self.key, {"partNumber": number, "uploadId": self.id}, data)
        self._sent.append((answer.headers.get("etag", ""), hashlib.md5(data, usedforsecurity=False).hexdigest()))

    def _whole(self) -> str:
        """The ETag that a store makes of the parts' MD5s; one that encrypts with other keys makes another."""
        joined = b"".join(bytes.fromhex(md5) for _, md5 in self._sent)
        return f"{hashlib.md5(joined, usedforsecurity=False).hexdigest()}-{len(self._sent)}"
