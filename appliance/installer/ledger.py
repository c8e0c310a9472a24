"""What install wrote on this host, kept in root's own file: the only things that uninstall removes."""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

from appliance.errors import HostFailed
from appliance.installer.plan import LEDGER, File, Link, Plan
from appliance.machine import files

OLD = ".old"  # the program before the last upgrade, beside the one that runs


@dataclass(frozen=True)
class Ledger:
    data: str = ""
    rules: str = ""  # what the root helper went by
    user: str = ""  # empty where the user was there before
    files: dict[str, list[str]] = field(default_factory=dict)  # the SHA-256 of what we wrote, newest last
    links: dict[str, str] = field(default_factory=dict)
    folders: list[str] = field(default_factory=list)
    units: list[str] = field(default_factory=list)
    caches: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, root: Path) -> Self | None:
        """None where nothing is installed."""
        file = root / LEDGER.relative_to("/")
        try:
            raw: dict[str, Any] = json.loads(file.read_text("utf-8"))
            return cls(**raw)
        except FileNotFoundError:
            return None
        except (ValueError, TypeError) as why:
            raise HostFailed(f"{file} can't be read: {why}. It says what Homeport wrote on this host.") from why

    def write(self, root: Path) -> None:
        files.write_whole(root / LEDGER.relative_to("/"), json.dumps(asdict(self), indent=2) + "\n")

    def intending(self, plan: Plan, claimed: Iterable[File], made: Iterable[str], *, user_is_new: bool) -> Self:
        """With what is about to be written: noted first, so that a stop in the middle leaves nothing unknown."""
        ours = {str(file.path): [*self.files.get(str(file.path), []), file.sha256] for file in claimed}
        return replace(
            self,
            data=str(plan.data),
            rules=plan.rules.text(),
            user=self.user or (plan.user if user_is_new else ""),
            files={**self.files, **ours},
            folders=[*self.folders, *made],
            units=list(plan.units),
            caches=[str(path) for path in plan.caches],
        )

    def settled(self, claimed: Iterable[File]) -> Self:
        """Once all is written, one hash of each file that we wrote."""
        return replace(self, files={**self.files, **{str(file.path): [file.sha256] for file in claimed}})

    def with_program(self, root: Path, program: Path) -> Self:
        """After an upgrade: the program that lies there now, and the one before, are what we put there."""
        if str(program) not in self.files:
            return self
        paths = {f"{program}{ending}": root / f"{program}{ending}".removeprefix("/") for ending in ("", OLD)}
        there = {name: [sha256(path.read_bytes()).hexdigest()] for name, path in paths.items() if path.is_file()}
        return replace(self, files={**self.files, **there})

    def with_link(self, link: Link) -> Self:
        return replace(self, links={**self.links, str(link.path): link.target})

    def left(self, root: Path) -> Self:
        """What is still there once all that could be removed is: enough to purge it later."""
        there = {path: hashes for path, hashes in self.files.items() if os.path.lexists(root / path.removeprefix("/"))}
        return replace(self, files=there, links={}, units=[], caches=[])

    def without(self, paths: Iterable[str]) -> Self:
        gone = set(paths)
        return replace(
            self,
            files={path: hashes for path, hashes in self.files.items() if path not in gone},
            links={path: target for path, target in self.links.items() if path not in gone},
        )


def is_as_written(path: Path, hashes: list[str]) -> bool:
    """Whether a file is still what we wrote."""
    return not path.is_symlink() and path.is_file() and sha256(path.read_bytes()).hexdigest() in hashes
