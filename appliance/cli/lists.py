"""How the list commands print what the API listed."""

from collections.abc import Callable
from typing import TypeVar

from appliance.cli.show import Row, as_json, note, table
from appliance.client import Page

T = TypeVar("T")


def listed(page: Page[T], head: Row, row: Callable[[T], Row], *, json_wanted: bool, empty: str) -> None:
    """A table, or the API's own JSON; says so when there is nothing, or more."""
    if json_wanted:
        as_json(page)
        return
    if not page["items"]:
        note(empty)
        return
    table(head, [row(item) for item in page["items"]])
    if page["next"]:
        note("There are more: use --limit.")
