"""A zip on its way up, and hearing a no while it is."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpcore

TAKING_IN = 600  # seconds that a server may take over an upload once it has all of it


@dataclass(frozen=True)
class Upload:
    """A zip on its way: its bytes, and as much of its size and name as is known beforehand."""

    body: Iterable[bytes]
    size: int | None = None
    filename: str = ""

    def headers(self) -> dict[str, str]:
        found = {"Content-Type": "application/zip"}
        if self.size is not None:
            found["Content-Length"] = str(self.size)
        if self.filename:
            plain = re.sub(r"[^ !#-\[\]-~]", "_", self.filename)
            exact = quote(self.filename, safe="")
            found["Content-Disposition"] = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{exact}"
        return found


class Line:
    """The connection of an upload, watched for an answer that comes before the end.

    Without this a refusal would be read only once every byte had been sent. Encrypted connections can't be
    watched: they carry more than answers. There the refusal is read when the server hangs up.
    """

    def __init__(self) -> None:
        self._stream: httpcore.NetworkStream | None = None

    def trace(self, name: str, info: Mapping[str, Any]) -> None:
        if name == "connection.connect_tcp.complete":
            self._stream = info["return_value"]
        elif name.startswith("connection.start_tls"):
            self._stream = None

    def until_answered(self, body: Iterable[bytes]) -> Iterator[bytes]:
        for piece in body:
            if self._stream and self._stream.get_extra_info("is_readable"):
                raise httpcore.WriteError("answered")  # httpcore then stops sending and reads the answer
            yield piece
