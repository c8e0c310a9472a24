"""The operator's side of an upgrade: lay the new file beside the old, ask, and swap when told to."""

import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path

from appliance.errors import HostFailed, NotFound
from appliance.machine import faults
from appliance.machine.process import go_on_as
from appliance.machine.trust import keeper
from appliance.upgrade import candidate, swap
from appliance.upgrade import record as progress
from appliance.upgrade.talk import Message, Talk, call, refused

SILENT = "no_answer"
PATIENCE = 60.0  # seconds that the new file gets to answer
QUIET = 300.0  # seconds that a step may take, over the patience that the new file is given
Tell = Callable[[str, Mapping[str, object]], None]


def runs_from(data: Path, program: Path) -> bool:
    """Whether an appliance that can be upgraded runs from this program."""
    try:
        talk = call(data)
    except (NotFound, HostFailed):
        return False
    talk.say(do="about")
    about = talk.hear(PATIENCE) or {}
    talk.close()
    return Path(about.get("file") or "/").resolve() == program.resolve()


def ask(data: Path, source: Path | None, patience: float, tell: Tell = lambda step, about: None) -> tuple[str, str]:
    """From which version to which; without a source, back to the file before. Fails with everything as it was."""
    talk = call(data)
    talk.say(do="about")
    about = _heard(talk, patience)
    _as_owner(data, about)
    file = swap.place_of(about["file"], str(about.get("build")))
    source = source or swap.old(file)
    candidate.read(source)
    new = swap.lay_beside(source, file)
    talk.say(do="upgrade", file=str(new), patience=patience)
    swapped = False
    try:
        while True:
            told = _heard(talk, patience)
            if "done" in told:
                return str(about["version"]), str(told["done"])
            if told["step"] == "swap":
                signal.signal(signal.SIGINT, signal.SIG_IGN)  # from here on it is the appliance that decides
                swap.swap(file)
                swapped = True
                faults.point("upgrade swapped")
                talk.say(new=str(file), old=str(swap.old(file)))
            tell(told["step"], {**told, "file": file, "old": swap.old(file)})
    except BaseException as why:
        if swapped and _is_undecided(data, why):
            swap.swap_back(file)
        new.unlink(missing_ok=True)
        raise
    finally:
        talk.close()


def _heard(talk: Talk, patience: float) -> Message:
    told = talk.hear(patience + QUIET)
    if told is None:
        raise HostFailed(
            "The appliance ended, or says nothing more. The next start of either file goes on with everything.",
            code=SILENT,
            todo=("Start it, then see `homeport --version` and `homeport doctor`.",),
        )
    if "failed" in told:
        raise refused(told)
    return told


def _is_undecided(data: Path, why: BaseException) -> bool:
    """Whether the old file is the one to start next. Where nothing was heard, the new one may have taken over."""
    silent = isinstance(why, HostFailed) and why.code == SILENT
    return not silent or (data / progress.NAME).exists()


def _as_owner(data: Path, about: Message) -> None:
    """Root goes on as the user whose appliance it is, unless root installed the program."""
    owner = keeper(data)
    if os.geteuid() == 0 and owner != 0 and Path(about["file"] or "/").stat().st_uid == owner:
        go_on_as(owner, os.environ)
