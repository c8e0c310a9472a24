"""What NGINX's own files on this host say. Only read, never written."""

import glob
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Directive:
    """One directive, wherever in the tree of files it stands."""

    file: Path
    line: int
    name: str
    args: tuple[str, ...]


def read_all(conf: Path, leave_out: Callable[[str], bool] = lambda _: False) -> Iterator[Directive]:
    """Every directive of the main file and of what it includes. What can't be read is passed over: NGINX says it."""
    waiting, seen = [conf], {conf}
    while waiting:
        file = waiting.pop(0)
        for directive in _read(file):
            yield directive
            if directive.name == "include":
                new = [Path(one) for one in _included(conf, directive) if not leave_out(one)]
                new = [one for one in new if one not in seen]
                seen.update(new)
                waiting += new


def included(conf: Path, include: Directive) -> list[Path]:
    """The files that an include takes in. NGINX starts from the folder of its main file."""
    return [Path(one) for one in _included(conf, include)]


def _included(conf: Path, include: Directive) -> list[str]:
    """Thousands of these are left out by their names: text is quicker than paths."""
    return sorted(glob.glob(os.path.join(conf.parent, include.args[0]))) if include.args else []


def _read(file: Path) -> Iterator[Directive]:
    if not os.access(file, os.R_OK) or not file.is_file():
        return
    import crossplane

    parsed = crossplane.parse(str(file), single=True, check_ctx=False, check_args=False)
    for part in parsed["config"]:
        yield from _flat(file, part["parsed"])


def _flat(file: Path, block: list[dict[str, Any]]) -> Iterator[Directive]:
    for it in block:
        yield Directive(file, it["line"], it["directive"], tuple(it["args"]))
        yield from _flat(file, it.get("block", []))
