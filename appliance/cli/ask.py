"""Asking before something goes that can't be brought back."""

import sys

import click

from appliance.errors import BadRequest


def ask_first(question: str, *, yes: bool, otherwise: str = "Nothing was deleted.") -> None:
    """Go on only with a yes: from --yes, or typed."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise BadRequest(f"{question} Nobody is here to be asked.", todo=("Add --yes.",))
    if not click.confirm(question, err=True):
        raise BadRequest(otherwise)
