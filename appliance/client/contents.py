"""Deploying file by file: what is missing is asked for, and only that is sent."""

import gzip
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import httpx

from appliance.client.address import given, place_of
from appliance.client.connection import Connection
from appliance.client.shapes import ArrivedData, DeploymentData
from appliance.client.upload import TAKING_IN, Line

KIND = "application/vnd.homeport.contents"
SMALL = 512  # bytes up to which packing a body is not worth it

Named = Mapping[str, tuple[str, int]]  # each path with the SHA-256 and the size of its content


@dataclass(frozen=True)
class Content:
    """One content, read when it is sent."""

    sha256: str
    size: int
    pieces: Iterable[bytes]


class Contents(Connection):
    """Files, one by one."""

    def deploy_files(
        self,
        project: str,
        environment: str,
        files: Named,
        *,
        base: str | None = None,
        removed: Sequence[str] | None = None,
        wait: float | None = None,
    ) -> DeploymentData:
        """A ClientError with the code `contents_missing` says in `missing` what has to be sent first."""
        told = given(files=files, base=base, removed=removed)
        body = json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
        headers = {"Content-Type": "application/json"}
        if len(body) > SMALL:
            body, headers["Content-Encoding"] = gzip.compress(body, 6, mtime=0), "gzip"
        path, params = place_of(project, environment, "deployments"), given(wait=wait)
        timeout = self.timeout + 120 + (wait or 0)  # every content is read once more
        return self.shaped(DeploymentData, "POST", path, params=params, content=body, headers=headers, timeout=timeout)

    def send_contents(
        self, contents: Iterable[Content], *, pack: bool = True, sent: Callable[[int], None] = lambda _: None
    ) -> ArrivedData:
        """One batch; `sent` is told of the bytes that go out. What is packed already need not be packed again."""
        headers = {"Content-Type": KIND, **({"Content-Encoding": "gzip"} if pack else {})}
        body, line = _packed(_framed(contents)) if pack else _framed(contents), Line()
        with self.connected() as http:  # a connection of its own, so that a no is heard while bytes still go out
            return self.shaped(
                ArrivedData,
                "POST",
                "/contents",
                content=line.until_answered(_counted(body, sent)),
                headers=headers,
                timeout=httpx.Timeout(self.timeout, read=TAKING_IN),
                extensions={"trace": line.trace},
                http=http,
            )


def _framed(contents: Iterable[Content]) -> Iterator[bytes]:
    for one in contents:
        yield bytes.fromhex(one.sha256) + one.size.to_bytes(8)
        yield from one.pieces


def _packed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(6, wbits=16 + zlib.MAX_WBITS)
    for piece in pieces:
        if packed := packer.compress(piece):
            yield packed
    yield packer.flush()


def _counted(pieces: Iterable[bytes], sent: Callable[[int], None]) -> Iterator[bytes]:
    for piece in pieces:
        sent(len(piece))
        yield piece
