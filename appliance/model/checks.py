"""A check: one thing on the host that is or isn't in order."""

from dataclasses import dataclass
from typing import Annotated


@dataclass(frozen=True)
class Check:
    name: Annotated[str, "What was looked at, such as `nginx.reload`"]
    status: Annotated[str, "`ok`, `warn`, `failed` or `off`"]
    text: Annotated[str, "What was found"]
    mend: Annotated[str, "What to do about it"] = ""
