"""What Homeport itself runs on: Python, SQLite, open files, and code that nobody else can change."""

import os
import platform
import resource
import sqlite3
import sys
from pathlib import Path

import appliance
from appliance.machine import trust
from appliance.model.checks import Check

LEAST_PYTHON = (3, 11)
LEAST_SQLITE = (3, 37)
LEAST_FILES = 1024


def checks() -> list[Check]:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return [python(sys.version_info[:2]), sqlite(sqlite3.sqlite_version_info), open_files(soft), code(_home())]


def python(version: tuple[int, ...]) -> Check:
    text = f"Python {platform.python_version()}."
    if version < LEAST_PYTHON:
        return Check("python", "failed", text, "Install Python 3.11 or newer.")
    return Check("python", "ok", text)


def sqlite(version: tuple[int, ...]) -> Check:
    text = f"SQLite {'.'.join(map(str, version))}."
    if version < LEAST_SQLITE:
        return Check("sqlite", "failed", text, "Use a Python that is built with SQLite 3.37 or newer.")
    return Check("sqlite", "ok", text)


def open_files(soft: int) -> Check:
    if soft == resource.RLIM_INFINITY:
        return Check("open.files", "ok", "Any number of files may be open at once.")
    text = f"{soft:,} files may be open at once."
    if soft < LEAST_FILES:
        return Check("open.files", "warn", text, "Raise it: `ulimit -n 65536`, or LimitNOFILE= in the unit.")
    return Check("open.files", "ok", text)


def code(home: Path) -> Check:
    """Whoever can change what we run is us."""
    flaw = trust.flaw(home, {0, os.geteuid()})
    if flaw:
        mend = "Put an end to that, or unpack Homeport elsewhere with HOMEPORT_RUNTIME."
        return Check("program", "failed", f"Someone else can change what runs here: {flaw}.", mend)
    return Check("program", "ok", f"Homeport {appliance.__version__} runs from {home}, which nobody else can change.")


def _home() -> Path:
    return Path(appliance.__file__).resolve().parent
