"""The headers of a release as NGINX's directives. Pure.

Each header is a variable that is put together while its blocks are gone through, from the first to the last, and is
sent unless it is empty. Cache-Control is two, for pages and for fingerprinted names: the name shown decides late.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from appliance.model import matching, serving
from appliance.model.rules import HeaderRule
from appliance.nginx.words import assigned, fixed, text, when

CACHE = "cache-control"
EVERYWHERE = "/*"
OURS = {name.lower(): value for name, value in serving.HEADERS.items() if name.lower() != CACHE}


@dataclass
class Compiled:
    """What adds headers, and the lines that work out their values."""

    adding: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    cache: bool = False  # whether Cache-Control is among what is worked out


def compiled(blocks: Sequence[HeaderRule]) -> Compiled:
    names = _names(blocks)
    made = Compiled(cache=CACHE in names)
    for number, (key, name) in enumerate(names.items()):
        if key != CACHE:
            made.adding.append(f"add_header {fixed(name)} {_sent(key, number)} always;")
            made.lines += [f"set $homeport_own{number} {text(OURS[key])};"] if key in OURS else []
        made.lines += [f'set $homeport_h{number} "";', f'set $homeport_s{number} "";']
    made.adding += [f"add_header {_spelled(key)} {value} always;" for key, value in OURS.items() if key not in names]
    numbers = {key: number for number, key in enumerate(names)}
    for block in blocks:
        lines = _changes(block, numbers)
        expression = fixed(matching.as_served(block.source))
        made.lines += lines if block.source == EVERYWHERE else when(f"$uri ~ {expression}", lines)
    return made


def _names(blocks: Sequence[HeaderRule]) -> dict[str, str]:
    """Every header that is given or taken away, each as it is first spelled."""
    found: dict[str, str] = {}
    for block in blocks:
        for name in (*block.removed, *(name for name, _ in block.headers)):
            found.setdefault(name.lower(), name)
    return found


def _sent(key: str, number: int) -> str:
    own = f"${{homeport_own{number}}}" if key in OURS else ""
    return f'"{own}${{homeport_h{number}}}"'


def _changes(block: HeaderRule, numbers: dict[str, int]) -> list[str]:
    """Taken away first, then given; a value joins those that are there."""
    lines = []
    for name in block.removed:
        number = numbers[name.lower()]
        lines += [f'set $homeport_h{number} "";', f'set $homeport_s{number} "";', *_without_ours(name, number)]
    for name, value in block.headers:
        number = numbers[name.lower()]
        lines += assigned(f"homeport_h{number}", f"${{homeport_h{number}}}${{homeport_s{number}}}", value)
        lines += [f'set $homeport_s{number} ", ";', *_without_ours(name, number)]
    return lines


def _without_ours(name: str, number: int) -> list[str]:
    key = name.lower()
    if key == CACHE:
        return [f"set $homeport_pages $homeport_h{number};", f"set $homeport_stamped $homeport_h{number};"]
    return [f'set $homeport_own{number} "";'] if key in OURS else []


def _spelled(key: str) -> str:
    return next(name for name in serving.HEADERS if name.lower() == key)
