"""A file that is to run in place of this one: whether it is a Homeport, whole, and for this Python."""

import ast
import importlib.machinery
import sys
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from appliance.errors import BadRequest

PARTS = ("built.py", "bootstrap.py", "site-packages/appliance/__init__.py")
AGAIN = "Download or build it again."


@dataclass(frozen=True)
class Candidate:
    path: Path
    python: tuple[int, int]
    suffix: str  # of the native code that it can load
    build: str
    unpacked: int


def read(path: Path) -> Candidate:
    """Look at all of it; a file that is anything else, or not whole, is refused."""
    try:
        with ZipFile(path) as file:
            if not set(PARTS) <= set(file.namelist()):
                raise _refused(f"{path} is no Homeport.", "Name a file that ./build.sh made.")
            broken = file.testzip()
            python, suffix, build = _made_for(file.read("built.py").decode())
            unpacked = sum(entry.file_size for entry in file.infolist())
    except FileNotFoundError:
        raise _refused(f"{path} is not there.", "Name the new file.") from None
    except IsADirectoryError:
        raise _refused(f"{path} is a folder.", "Name the new file itself.") from None
    except (BadZipFile, EOFError, ValueError, LookupError, TypeError, SyntaxError, NotImplementedError) as why:
        raise _refused(f"{path} is no Homeport, or not a whole one: {str(why) or type(why).__name__}.", AGAIN) from why
    if broken:
        raise _refused(f"{path} is not whole: {broken} in it is damaged.", AGAIN)
    return Candidate(path, python, suffix, build, unpacked)


def refuse_foreign(candidate: Candidate) -> None:
    """One for another Python or machine could not go on in this process."""
    here = sys.version_info[:2]
    if candidate.python == here and candidate.suffix in importlib.machinery.EXTENSION_SUFFIXES:
        return
    wanted, found = f"Python {_dotted(candidate.python)}", f"Python {_dotted(here)}"
    if candidate.python == here:
        wanted, found = candidate.suffix.strip("."), importlib.machinery.EXTENSION_SUFFIXES[0].strip(".")
    raise _refused(
        f"{candidate.path} is made for {wanted}, and the Homeport that runs here uses {found}.",
        "Build it for that one. To change Python, stop the appliance and start the new file.",
    )


def _made_for(text: str) -> tuple[tuple[int, int], str, str]:
    """The Python, the ending of native code, and its own name, that a build names."""
    found = {}
    for line in ast.parse(text).body:
        if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name):
            found[line.targets[0].id] = ast.literal_eval(line.value)
    major, minor = found["PYTHON"]
    return (int(major), int(minor)), str(found["SUFFIX"]), str(found["BUILD"])


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _refused(detail: str, *todo: str) -> BadRequest:
    return BadRequest(detail, code="bad_file", todo=todo)
