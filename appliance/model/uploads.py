"""An upload in pieces, by the tus protocol."""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Self

from appliance.errors import BadRequest

LONGEST = 4096  # characters of metadata
_KEY = re.compile(r"[!-+\--~]+")  # no space, no comma


@dataclass(frozen=True)
class NewUpload:
    """What its sender says of it beforehand."""

    length: int
    metadata: str

    @classmethod
    def parse(cls, length: str | None, metadata: str) -> Self:
        if length is None or not (length.isascii() and length.isdigit() and len(length) <= 18):
            raise BadRequest("Upload-Length must say how many bytes the upload has.", code="no_length")
        if len(metadata) > LONGEST:
            raise BadRequest("Upload-Metadata is too long.", code="bad_metadata")
        read_metadata(metadata)
        return cls(int(length), metadata)


@dataclass(frozen=True)
class Upload:
    id: str
    actor: str
    length: int
    metadata: str
    bundle: str | None  # once it was deployed
    created_at: str
    expires_at: str

    @property
    def filename(self) -> str:
        found = read_metadata(self.metadata)
        return (found.get("filename") or found.get("name") or "").replace("\\", "/").rpartition("/")[2]


def read_metadata(text: str) -> dict[str, str]:
    """`filename c2l0ZS56aXA=,private`: keys with values in base64."""
    found = {}
    for pair in filter(None, (part.strip() for part in text.split(","))):
        key, _, value = pair.partition(" ")
        try:
            if not _KEY.fullmatch(key) or key in found:
                raise ValueError(key)
            found[key] = base64.b64decode(value.strip(), validate=True).decode("utf-8", "replace")
        except (ValueError, binascii.Error) as why:
            raise BadRequest(
                "Upload-Metadata can't be read: it holds keys, each once, with values in base64.", code="bad_metadata"
            ) from why
    return found
