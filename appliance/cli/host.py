"""What commands on the server's host ask of the server's own side."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

import click
from click.core import ParameterSource

from appliance.access.secrets import Rotated
from appliance.backups.restore import Came
from appliance.backups.write import Written
from appliance.cli.options import option
from appliance.deploy.mend import Found
from appliance.errors import BadRequest
from appliance.installer.env import beneath
from appliance.machine.process import go_on_as
from appliance.machine.trust import keeper
from appliance.model.activity import Verified
from appliance.model.checks import Check
from appliance.model.people import Person
from appliance.settings import Settings

F = TypeVar("F", bound=Callable[..., object])


class Host(Protocol):
    """The operations of the composition root. The command line is above it and gets it handed in."""

    def serve(self, settings: Settings) -> None: ...

    def rehearse(self, settings: Settings) -> Mapping[str, object]: ...

    def setup_link(self, settings: Settings) -> str: ...

    def doctor(self, settings: Settings) -> Sequence[Check]: ...

    def examine_store(self, settings: Settings) -> Found: ...

    def verify_activity(self, settings: Settings) -> Verified: ...

    def backup(self, settings: Settings, file: Path, passphrase: str) -> Written: ...

    def restore(self, settings: Settings, file: Path, passphrase: str, *, without_keys: bool) -> Came: ...

    def rotate_key(self, settings: Settings, *, lost: bool) -> Rotated: ...

    def add_person(self, settings: Settings, email: str, password: str, role: str) -> Person: ...

    def list_people(self, settings: Settings) -> Sequence[Person]: ...

    def reset_password(self, settings: Settings, email: str, password: str) -> Person: ...

    def reset_factors(self, settings: Settings, email: str) -> Person: ...


def host() -> Host:
    """Imported now and not before."""
    found: Host = click.get_current_context().obj()
    return found


def settings(**flags: Any) -> Settings:
    """What was typed comes first; the environment is read by the settings themselves."""
    ctx = click.get_current_context()
    typed = {name: flags[name] for name in flags if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE}
    environ = beneath(os.environ, typed.get("data"))
    found = Settings.load(typed, environ)
    _as_keeper(found.data, environ)
    return found


def _as_keeper(data: Path, environ: Mapping[str, str]) -> None:
    """As root, go on as the user whose data it is: the service could not use what root leaves there."""
    if os.geteuid() == 0 and data.exists() and keeper(data) != 0:
        go_on_as(keeper(data), environ)


def data_option(function: F) -> F:
    text = "The folder that holds everything: /var/lib/homeport for root, $XDG_DATA_HOME/homeport otherwise."
    return option("--data", metavar="DIR", help=text)(function)


def ask_password(*, twice: bool) -> str:
    """Asked for without showing it; where nobody can be asked, the first line of standard input."""
    if sys.stdin.isatty():
        answer: str = click.prompt("Password", hide_input=True, confirmation_prompt=twice, err=True)
        return answer
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise BadRequest("No password was given.", todo=("Type it at the prompt, or send it on standard input.",))
    return line
