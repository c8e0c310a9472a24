"""How things are printed: tables and facts for people, JSON for programs."""

import json
import shutil
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

import click

from appliance.cli.text import clean

COLOURS = {
    "live": "green",
    "succeeded": "green",
    "active": "green",
    "ok": "green",
    "running": "blue",
    "queued": "cyan",
    "pending": "cyan",
    "warn": "yellow",
    "skipped": "yellow",
    "cancelled": "yellow",
    "failed": "red",
}
GAP = "  "
NARROWEST = 8
Row = Sequence[str]


def as_json(data: object) -> None:
    """The API's JSON, as it came. Only ASCII: no terminal or locale can take it amiss."""
    click.echo(json.dumps(data, indent=2))


def table(head: Row, rows: Sequence[Row]) -> None:
    """Aligned columns, cut to the terminal's width where there is a terminal."""
    cells = [[clean(cell) for cell in row] for row in rows]
    widths = [max(len(row[at]) for row in [head, *cells]) for at in range(len(head))]
    if sys.stdout.isatty():
        widths = _fitted(widths, shutil.get_terminal_size().columns)
    click.echo(_line(head, widths, bold=True))
    for row in cells:
        click.echo(_line(row, widths))


def facts(pairs: Sequence[tuple[str, str]]) -> None:
    """One thing, as names and values."""
    widest = max(len(name) for name, _ in pairs)
    for name, value in pairs:
        if value:
            click.echo(f"{click.style(name.ljust(widest), bold=True)}{GAP}{_painted(clean(value))}")


def note(text: str) -> None:
    """Something said beside the result: standard error, so that the result can be piped."""
    click.echo(clean(text), err=True)


def ago(moment: str | None, now: datetime | None = None) -> str:
    """Under a week relative, then the date."""
    if not moment:
        return "never"
    at, here = datetime.fromisoformat(moment), now or datetime.now(UTC)
    seconds = (here - at).total_seconds()
    if seconds >= 7 * 86400 or seconds < -60:
        return f"{at.day} {at:%b}" if at.year == here.year else f"{at.day} {at:%b} {at.year}"
    if seconds < 10:
        return "just now"
    for unit, length in (("day", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            count = int(seconds // length)
            return "yesterday" if (unit, count) == ("day", 1) else f"{count} {unit}{'s' if unit == 'day' else ''} ago"
    return f"{int(seconds)} s ago"


def clock_time(moment: str) -> str:
    """The time of day where the reader is."""
    return datetime.fromisoformat(moment).astimezone().strftime("%H:%M:%S")


def took(started: str | None, finished: str | None) -> str:
    if not started or not finished:
        return ""
    seconds = max(0.0, (datetime.fromisoformat(finished) - datetime.fromisoformat(started)).total_seconds())
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def size(count: int) -> str:
    """Decimal units, one decimal under 100."""
    if count < 1000:
        return f"{count} bytes" if count != 1 else "1 byte"
    amount = float(count)
    for unit in ("kB", "MB", "GB", "TB"):
        amount /= 1000
        if amount < 999.5 or unit == "TB":
            break
    return f"{amount:.1f} {unit}" if amount < 99.95 else f"{amount:.0f} {unit}"


def counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _fitted(widths: Sequence[int], room: int) -> list[int]:
    """Widths that fit: the first column whole, for it is what one copies; the last ones go if they must."""
    least = [widths[0], *(min(width, NARROWEST) for width in widths[1:])]
    count = len(widths)
    while count > 1 and _total(least[:count]) > room:
        count -= 1
    fitted = list(widths[:count])
    while count > 1 and _total(fitted) > room:
        fitted[fitted.index(max(fitted[1:]), 1)] -= 1
    return fitted


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _line(row: Row, widths: Sequence[int], *, bold: bool = False) -> str:
    cells = [_cut(cell, width) for cell, width in zip(row, widths, strict=False)]
    padded = [cell.ljust(width) for cell, width in zip(cells, widths, strict=True)]
    padded[-1] = cells[-1]
    return GAP.join(click.style(cell, bold=True) if bold else _painted(cell) for cell in padded).rstrip()


def _cut(cell: str, width: int) -> str:
    return cell if len(cell) <= width else f"{cell[: width - 3]}..."


def _painted(cell: str) -> str:
    colour = COLOURS.get(cell.strip())
    return click.style(cell, fg=colour) if colour else cell
