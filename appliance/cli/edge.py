"""Where the command line ends: an error becomes a sentence and an exit code, never a traceback."""

import os
import traceback
from types import TracebackType
from typing import Any, NoReturn

import click

from appliance.cli.lazy import LazyGroup
from appliance.cli.text import clean
from appliance.errors import HomeportError

FAILED, NOT_ALLOWED, UNREACHABLE, INTERRUPTED = 1, 3, 4, 130


class Stopped(HomeportError):
    """Someone pressed Ctrl-C; says what goes on without them."""

    code = "interrupted"
    title = "Stopped"


class Root(LazyGroup):
    """The command of all commands."""

    def make_context(self, *args: Any, **more: Any) -> click.Context:
        if os.environ.get("NO_COLOR"):
            more.setdefault("color", False)
        return super().make_context(*args, **more)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except HomeportError as why:
            _give_up(why)
        except KeyboardInterrupt:
            _give_up(Stopped("Stopped."))
        except BrokenPipeError:
            raise  # whoever read our output has had enough: click ends quietly
        except OSError as why:
            _give_up(HomeportError(f"{why.filename or 'This host'}: {why.strerror or why}."))


def _give_up(why: HomeportError) -> NoReturn:
    """Say on standard error what happened, then what to do."""
    if os.environ.get("HOMEPORT_DEBUG"):
        traceback.print_exc()
    click.echo(f"{click.style('Error:', fg='red')} {sentence(why)}", err=True)
    raise click.exceptions.Exit(exit_code(why))


def sentence(why: HomeportError) -> str:
    """What happened, what the machine said of it where that is not yet in there, and what to do."""
    todo = why.todo
    if why.status == 401 and why.code != "wrong_password" and not todo:
        todo = ("Run `homeport login`, or check HOMEPORT_KEY.",)
    said = [f"  {line}" for line in why.said.splitlines() if line.strip()] if why.said not in why.detail else []
    first = why.detail if why.detail.endswith((".", "!", "?")) else f"{why.detail}."
    return clean("\n".join([" ".join([first, *todo]), *said]), lines=True)


def exit_code(why: HomeportError) -> int:
    if isinstance(why, Stopped):
        return INTERRUPTED
    if why.code == "unreachable":
        return UNREACHABLE
    return NOT_ALLOWED if why.status in (401, 403) else FAILED


def fault(kind: type[BaseException], why: BaseException, trace: TracebackType | None) -> None:
    """The last word on a fault of our own: what it was in one line, the rest when asked for."""
    if os.environ.get("HOMEPORT_DEBUG"):
        traceback.print_exception(kind, why, trace)
        return
    said = f"{kind.__name__}: {clean(str(why))}"
    click.echo(f"Error: Homeport has a fault: {said}. Run it again with HOMEPORT_DEBUG=1 to see where.", err=True)
