"""What is in a backup, by name."""

import json
import re
from dataclasses import asdict, dataclass
from typing import Self

from appliance.errors import BadBackup

FORMAT = 1
INFO = "homeport-backup.json"
KEYS = "keys.json"
LEFT_OUT = "left-out.json"
DATABASE = "homeport.db.gz"
SMALL = 1 << 20  # bytes that the members with JSON may have
NAMED = re.compile(r"(?:bundles|files)/([0-9a-f]{2})/([0-9a-f]{64})(\.zip|\.json)?")
LOG = re.compile(r"logs/[0-9a-z]{20}\.log")


@dataclass(frozen=True)
class Info:
    """The first member: what this is."""

    format: int
    homeport: str  # the version that made it
    form: list[str]  # of the database
    made_at: str
    instance: str
    keys: bool

    @classmethod
    def parse(cls, text: bytes) -> Self:
        try:
            found = json.loads(text)
            number = int(found["format"])
            if number > FORMAT:
                raise newer(str(found.get("homeport", "unknown")))
            named = {name: str(found[name]) for name in ("homeport", "made_at", "instance")}
            return cls(number, form=[str(one) for one in found["form"]], keys=bool(found["keys"]), **named)
        except (ValueError, KeyError, TypeError) as why:
            raise no_backup() from why

    def written(self) -> bytes:
        return json.dumps(asdict(self), indent=1).encode() + b"\n"


def no_backup() -> BadBackup:
    return BadBackup(
        "This file is not a backup that Homeport made.", todo=("Choose a file that `homeport backup` wrote.",)
    )


def newer(version: str) -> BadBackup:
    return BadBackup(
        f"This backup was made by a newer Homeport ({version}), which this one can't read.",
        code="newer_backup",
        todo=("Restore it with the file of that version, or a newer one.",),
    )
