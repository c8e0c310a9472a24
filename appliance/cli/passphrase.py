"""The passphrase of a backup's keys: from a file, the environment, or asked for; never on the command line."""

import os
import sys
from pathlib import Path

import click

from appliance.cli.options import option
from appliance.errors import BadRequest

LEAST = 12
file_option = option(
    "--passphrase-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file whose first line is the passphrase.",
)


def given(file: Path | None) -> str:
    """What was given without asking; HOMEPORT_PASSPHRASE holds one too."""
    if file is None:
        return os.environ.get("HOMEPORT_PASSPHRASE", "")
    lines = file.read_text("utf-8", "replace").splitlines()
    if not lines or not lines[0]:
        raise BadRequest(f"{file} holds no passphrase.", todo=("Put it on the first line.",))
    return lines[0]


def asked(*, twice: bool) -> str:
    """Typed without being shown; where nobody can be asked, the first line of standard input."""
    if sys.stdin.isatty():
        answer: str = click.prompt("Passphrase", hide_input=True, confirmation_prompt=twice, err=True)
        return answer
    return sys.stdin.readline().rstrip("\r\n")


def strong(passphrase: str) -> str:
    if len(passphrase) < LEAST:
        raise BadRequest(f"Use a passphrase of at least {LEAST} characters: the keys are no safer than it is.")
    return passphrase
