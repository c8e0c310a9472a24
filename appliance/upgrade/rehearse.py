"""Trying a file on a copy of the database, while this one goes on serving."""

import json
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import appliance
from appliance.context import Context
from appliance.errors import HomeportError, HostFailed, OutOfRoom
from appliance.machine import files
from appliance.machine.process import Ran, run
from appliance.upgrade.candidate import Candidate
from appliance.upgrade.handover import BACK, HANDED
from appliance.upgrade.talk import Refused

FOLDER = "rehearsal"
SPARE = 64 << 20  # bytes that stay free


@dataclass(frozen=True)
class Rehearsed:
    version: str
    changes: tuple[str, ...]  # of the form of the database


def rehearse(ctx: Context, candidate: Candidate, patience: float) -> Rehearsed:
    """Have it bring a copy to its form, and answer; Refused says what it could not."""
    folder = ctx.data / FOLDER
    _refuse_full(ctx, candidate)
    clear(ctx.data)
    try:
        folder.mkdir(mode=0o700)
        ctx.db.copy(folder / "homeport.db")
        files.write_whole(folder / "secret.key", ctx.secret, mode=0o600)
        version = _version(candidate, patience)
        said = _run(candidate, ("rehearse", str(folder)), patience)
        found = json.loads(said.output.splitlines()[-1])
        return Rehearsed(version, tuple(found["changes"]))
    except (ValueError, LookupError, TypeError) as why:
        raise _refused(candidate, "it doesn't say how the rehearsal went", "") from why
    finally:
        clear(ctx.data)


def clear(data: Path) -> None:
    shutil.rmtree(data / FOLDER, ignore_errors=True)


def _version(candidate: Candidate, patience: float) -> str:
    name, _, version = _run(candidate, ("--version",), patience).output.strip().rpartition(" ")
    if name.splitlines()[-1:] != ["homeport"]:
        raise _refused(candidate, "it doesn't say its version", "")
    return version


def _run(candidate: Candidate, words: tuple[str, ...], patience: float) -> Ran:
    argv = [sys.executable, *(["-I"] if sys.flags.isolated else []), str(candidate.path), *words]
    try:
        ran = run(argv, timeout=patience, env=_environ())
    except HostFailed as why:
        if why.code != "command_slow":
            raise
        raise _refused(
            candidate, f"`{' '.join(words[:1])}` gave no answer within {patience:g} seconds", why.said
        ) from why
    if ran.code == 2 and "No such command" in ran.output:
        raise _refused(candidate, "it is too old to take over from one that runs", "")
    if not ran.ok:
        raise _refused(candidate, f"`{words[0]}` ended with {ran.code}", ran.output)
    return ran


def _environ() -> Mapping[str, str]:
    """It unpacks itself where this one did, and where it will run from."""
    mine = {name: value for name, value in os.environ.items() if name not in (HANDED, BACK, "HOMEPORT_DATA")}
    if os.environ.get("HOMEPORT_FILE"):
        mine.setdefault("HOMEPORT_RUNTIME", str(Path(appliance.__file__).resolve().parents[3]))
    return mine


def _refuse_full(ctx: Context, candidate: Candidate) -> None:
    """Room for two copies of the database, one of which stays, and for the program."""
    size = sum(file.stat().st_size for file in ctx.data.glob("homeport.db*"))
    needed, free = 2 * size + candidate.unpacked + SPARE, files.free_bytes(ctx.data)
    if free < needed:
        raise OutOfRoom(
            f"The upgrade needs {needed >> 20} MiB in {ctx.data}, and {free >> 20} MiB are free.",
            todo=("Make room on the disk, then try again.",),
        )


def _refused(candidate: Candidate, why: str, said: str) -> HomeportError:
    return Refused(
        f"The new file failed its rehearsal on a copy of the database: {why}. Nothing was changed.", said=said[-4000:]
    )
