"""Options that commands share. Each can be set from the environment as HOMEPORT_<NAME>."""

from collections.abc import Callable
from typing import Any, TypeVar

import click
from click.core import ParameterSource

F = TypeVar("F", bound=Callable[..., object])


class EnvOption(click.Option):
    """Says which variable a value came from when it is a wrong one."""

    def get_error_hint(self, ctx: click.Context | None) -> str:
        hint = super().get_error_hint(ctx)
        if ctx and ctx.get_parameter_source(self.name) is ParameterSource.ENVIRONMENT:
            return f"{hint} (from {self.envvar})"
        return hint


def option(*names: str, **more: Any) -> Callable[[F], F]:
    """A click option with its environment variable."""
    long = next(name for name in names if name.startswith("--"))
    variable = long.partition("/")[0].removeprefix("--").replace("-", "_").upper()
    return click.option(*names, cls=EnvOption, envvar=f"HOMEPORT_{variable}", **more)


def json_option(function: F) -> F:
    return option("--json", "json_wanted", is_flag=True, help="Print JSON.")(function)


def server_option(function: F) -> F:
    return option("--server", metavar="URL", help="The server; the one of the last login when left out.")(function)


def remote(function: F) -> F:
    """What every command takes that speaks to a server."""
    return server_option(json_option(function))


def limit_option(function: F) -> F:
    text = "The most to list."
    return option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help=text)(function)


def project_option(function: F) -> F:
    return option("--project", "-p", required=True, metavar="NAME", help="The project.")(function)


def environment_option(function: F) -> F:
    text = "The environment."
    return option("--environment", "-e", default="production", show_default=True, metavar="NAME", help=text)(function)


def no_wait_option(function: F) -> F:
    return option("--no-wait", is_flag=True, help="Return once it is queued.")(function)


def yes_option(function: F) -> F:
    return option("--yes", "-y", is_flag=True, help="Don't ask first.")(function)
