"""Numbers, sizes and times in the words of the pages."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from markupsafe import Markup, escape

from appliance.model.amounts import how_many

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
LONG_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
TERMINAL = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # colours and cursor moves
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?"  # titles, links and other strings
    r"|\x1b[@-_]?"
)
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def limit(count: int) -> str:
    """A limit the way the setting has it: `2 GiB`."""
    for power, unit in ((30, "GiB"), (20, "MiB"), (10, "KiB")):
        if count >= 1 << power and count % (1 << power) == 0:
            return f"{count >> power:,} {unit}"
    return f"{count:,} bytes"


def number(count: int) -> str:
    return f"{count:,}"


def duration(seconds: float) -> str:
    """`<0.01 s`, `0.02 s`, `0.4 s`, `19 s`, `2 min 5 s`, `1 h 3 min`."""
    if seconds < 0.095:
        return f"{seconds:.2f} s" if seconds >= 0.005 else "<0.01 s"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


def stopwatch(seconds: float) -> str:
    """For columns and running clocks: `0:19`, `1:02:05`."""
    minutes, rest = divmod(int(max(seconds, 0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def between(start: str, end: datetime | str) -> float:
    """Seconds from one moment to another."""
    until = end if isinstance(end, datetime) else datetime.fromisoformat(end)
    return (until - datetime.fromisoformat(start)).total_seconds()


def since(moment: datetime, now: datetime) -> str:
    """Under a week relative, then the date."""
    seconds = int((now - moment).total_seconds())
    return next((say(seconds) for most, say in RECENTLY if seconds < most), date(moment, now))


def date(moment: datetime, now: datetime) -> str:
    short = f"{moment.day} {MONTHS[moment.month - 1]}"
    return short if moment.year == now.year else f"{short} {moment.year}"


RECENTLY: tuple[tuple[int, Callable[[int], str]], ...] = (
    (5, lambda seconds: "just now"),
    (60, lambda seconds: f"{seconds} s ago"),
    (3600, lambda seconds: f"{seconds // 60} min ago"),
    (86400, lambda seconds: f"{how_many(seconds // 3600, 'hour')} ago"),
    (2 * 86400, lambda seconds: "yesterday"),
    (7 * 86400, lambda seconds: f"{seconds // 86400} days ago"),
)


def until(moment: datetime, now: datetime) -> str:
    """How long there is still: `In 6 days`."""
    left = moment - now
    if left <= timedelta(0):
        return f"Ended {since(moment, now)}"
    if left < timedelta(hours=1):
        return f"In {how_many(max(int(left.total_seconds() // 60), 1), 'minute')}"
    if left < timedelta(days=1):
        return f"In {how_many(int(left.total_seconds() // 3600), 'hour')}"
    return f"In {how_many(-(-left // timedelta(days=1)), 'day')}"


def day(moment: datetime, now: datetime) -> str:
    """A heading for a day: `Today, 20 November`."""
    text = f"{moment.day} {LONG_MONTHS[moment.month - 1]}"
    if moment.year != now.year:
        text += f" {moment.year}"
    apart = (now.date() - moment.date()).days
    return f"{('Today', 'Yesterday')[apart]}, {text}" if apart in (0, 1) else text


def time_element(text: str, moment: datetime, *, live: bool = False) -> Markup:
    """Words for a moment, with the whole of it in the title."""
    at = moment.astimezone(UTC)
    full = f"{at.day} {MONTHS[at.month - 1]} {at.year}, {at:%H:%M:%S} UTC"
    return Markup('<time datetime="{}" title="{}"{}>{}</time>').format(
        at.strftime("%Y-%m-%dT%H:%M:%SZ"), full, Markup(" data-ago") if live else "", text
    )


def code_words(text: str) -> Markup:
    """Plain words with what stands between backticks as code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    pieces = (Markup("<code>{}</code>").format(part) if place % 2 else escape(part) for place, part in enumerate(parts))
    return Markup("").join(pieces)


def bare(address: str) -> str:
    """An address the way people say it: `blog.localhost:8420`."""
    return address.split("://", 1)[-1].rstrip("/")


def first_strong(text: str) -> Markup:
    """The first sentence stands out; the rest explains it."""
    first, dot, rest = text.partition(". ")
    return Markup("<p><strong>{}</strong> {}</p>").format(code_words(first + dot.strip()), code_words(rest))


def plain(text: str) -> str:
    """What a machine wrote, without what would act on a terminal or turn the reading direction around."""
    return CONTROL.sub("\N{REPLACEMENT CHARACTER}", TERMINAL.sub("", text))


def plain_lines(text: str) -> str:
    return "\n".join(plain(line) for line in text.splitlines())
