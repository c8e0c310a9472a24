"""Large files in pieces, by tus: a broken line is taken up where it broke."""

import base64
import time
from collections.abc import Callable, Iterator
from typing import BinaryIO

import httpx

from appliance.client.address import path_of, place_of
from appliance.client.connection import Connection
from appliance.client.problems import ClientError, Unreachable
from appliance.client.shapes import DeploymentData
from appliance.client.upload import TAKING_IN, Line

TUS = {"Tus-Resumable": "1.0.0"}
PIECE = "application/offset+octet-stream"
READ = 1 << 18
PAUSES = (0.5, 1, 2, 4, 8, 8, 8, 8)  # seconds between tries after a line broke
TO_BE_TRIED_AGAIN = (409, 423, 460)

Progress = Callable[[int], None]  # is told how much has arrived, which may be less than it was


class Uploads(Connection):
    """Uploads that survive a broken line, a restart, and a night."""

    def create_upload(self, size: int, filename: str) -> str:
        """Its id."""
        said = {**TUS, "Upload-Length": str(size)}
        if filename:
            said["Upload-Metadata"] = f"filename {base64.b64encode(filename.encode()).decode()}"
        with self.sent("POST", "/uploads", headers=said) as answer:
            return answer.headers["location"].rpartition("/")[2]

    def uploaded(self, upload: str) -> int:
        """How much of it has arrived."""
        with self.sent("HEAD", path_of("uploads", upload), headers=TUS) as answer:
            return int(answer.headers["upload-offset"])

    def send_upload(self, upload: str, source: BinaryIO, size: int, progress: Progress = lambda _: None) -> None:
        """Send what has not arrived yet, across as many broken lines as it takes while each brings some of it."""
        at, tries = self.uploaded(upload), 0
        while at < size:
            progress(at)
            try:
                self._append(upload, source, at, progress)
                now = self.uploaded(upload)
            except (Unreachable, ClientError) as why:
                if isinstance(why, ClientError) and why.status not in TO_BE_TRIED_AGAIN:
                    raise
                now = self._when_back(upload, at, why)
            tries = 0 if now > at else tries + 1
            if tries == len(PAUSES):
                raise Unreachable(f"{self.server} takes nothing more.", todo=("Run the same command again.",))
            at = now
        progress(size)

    def deploy_upload(
        self, project: str, environment: str, upload: str, *, wait: float | None = None
    ) -> DeploymentData:
        body = {"upload": upload}
        return self.waited(DeploymentData, place_of(project, environment, "deployments"), body, (wait or 0) + TAKING_IN)

    def _append(self, upload: str, source: BinaryIO, at: int, progress: Progress) -> None:
        line = Line()
        said = {**TUS, "Content-Type": PIECE, "Upload-Offset": str(at)}
        with self.connected() as http:
            with self.sent(
                "PATCH",
                path_of("uploads", upload),
                headers=said,
                content=line.until_answered(_from(source, at, progress)),
                timeout=httpx.Timeout(self.timeout, read=TAKING_IN),
                extensions={"trace": line.trace},
                http=http,
            ):
                pass

    def _when_back(self, upload: str, at: int, why: Exception) -> int:
        for pause in PAUSES:
            try:
                return self.uploaded(upload)
            except Unreachable:
                time.sleep(pause)
        raise why


def _from(source: BinaryIO, at: int, progress: Progress) -> Iterator[bytes]:
    source.seek(at)
    while data := source.read(READ):
        yield data
        at += len(data)
        progress(at)
