"""A bundle: an uploaded archive, immutable, named by its SHA-256."""

from dataclasses import dataclass
from typing import Annotated, Self

from appliance.model.fields import Reader, sha256_of


@dataclass(frozen=True)
class Bundle:
    sha256: Annotated[str, "Its name: the SHA-256 of its bytes"]
    size: Annotated[int, "Bytes of the zip"]
    files: Annotated[int, "Files that it publishes"]
    unpacked: Annotated[int, "Bytes of those files"]
    filename: Annotated[str, "What the file was called when it was uploaded"]
    created_at: Annotated[str, "When it arrived"]
    created_by: Annotated[str, "Who uploaded it"]
    release: Annotated[str | None, "The release that it became, once it was unpacked"] = None
    made: Annotated[bool, "Whether it was deployed file by file; its zip is put together when it is asked for"] = False


@dataclass(frozen=True)
class BundleByHash:
    """Deploying something that was uploaded before."""

    bundle: Annotated[str, "The SHA-256 of a bundle that is already here"]

    @classmethod
    def parse(cls, raw: object) -> Self:
        reader = Reader(raw)
        bundle = reader.checked("bundle", sha256_of, missing="Name the bundle by its SHA-256")
        reader.done()
        return cls(bundle or "")
