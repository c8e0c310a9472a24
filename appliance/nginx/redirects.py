"""The redirects of a release as NGINX's directives. Pure.

Each is an `if` in the order of its lines, but those that are for one path without conditions: there may be thousands,
so they are looked up in hash tables. NGINX's tables know no upper case and no long keys, so a path is looked up by
pieces, and what comes out says which path it is for. Between the `if`s stands, where its turn is, what was looked up.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote

from appliance.model import answers, matching
from appliance.model.rules import TAKEN, Redirect
from appliance.nginx.words import LONGEST, assigned, fixed, indented, text, when

SHOWN = {200: 470, 404: 471, 410: 472}  # which error stands for a file that is shown in place
_PIECE = 32  # with a number before it, it fits the smallest of NGINX's hash buckets
_PIECES = 6
_PLAIN = re.compile(r"/[!-~]*")
_CAPTURE = re.compile(r"\((?!\?)")
Flags = dict[tuple[str, ...], str]


@dataclass
class Compiled:
    """Tables for the level above the server, and lines for a location in it."""

    tables: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    pieces: int = 0  # how many of a path its tables look at


@dataclass(frozen=True)
class _Single:
    """One that is looked up, and how many of those in line come before it."""

    one: Redirect
    path: str
    rank: int

    @property
    def kind(self) -> str:
        return f"{self.rank}:{self.one.status}:{'' if _own_query(self.one) else 'q'}"


def compiled(those: Sequence[Redirect], flags: Flags, away: list[str]) -> Compiled:
    """All of these, in their order. `away`: what is to be done before one leads away."""
    singles, in_line = _sorted(those)
    made = Compiled()
    if singles:
        last = _tables(singles, made)
        made.lines += [f'set $homeport_found "${last} $homeport_path";']
    ranked = {rank: sorted({one.kind for one in singles if one.rank == rank}) for rank in {it.rank for it in singles}}
    for rank in range(len(in_line) + 1):
        for kind in ranked.get(rank, ()):
            made.lines += _looked_up(kind, away)
        if rank < len(in_line):
            made.lines += _in_line(in_line[rank], flags, away)
    return made


def flags_of(those: Sequence[Redirect]) -> Flags:
    """For each condition about languages, the variable that says whether it holds."""
    asked = dict.fromkeys(one.languages for one in those if one.languages)
    return {languages: f"homeport_l{number}" for number, languages in enumerate(asked)}


def raised(flags: Flags) -> list[str]:
    lines = []
    for languages, flag in flags.items():
        lines += [f'set ${flag} "";']
        lines += when(f"$http_accept_language ~ {fixed(matching.language(languages))}", [f"set ${flag} yes;"])
    return lines


def _sorted(those: Sequence[Redirect]) -> tuple[list[_Single], list[Redirect]]:
    singles: dict[str, _Single] = {}
    in_line: list[Redirect] = []
    for one in those:
        path = one.source.rstrip("/") or "/"
        known = singles.get(path.lower())
        if known and known.path == path:
            continue  # the line before it has this path
        if _is_single(one) and known is None:
            singles[path.lower()] = _Single(one, path, len(in_line))
        else:
            in_line.append(one)
    return list(singles.values()), in_line


def _is_single(one: Redirect) -> bool:
    if matching.takes(one.source) or one.in_place or one.query or one.languages:
        return False
    small = len(one.source) <= _PIECE * _PIECES and len(text(one.target)) + len(one.source) < LONGEST // 2
    return small and bool(_PLAIN.fullmatch(one.source))


# Looking up


def _tables(singles: list[_Single], made: Compiled) -> str:
    """Tables from a path's pieces to what it leads to; gives the variable that the last of them makes."""
    depth = made.pieces = max(-(-len(one.path) // _PIECE) for one in singles)
    levels: list[dict[str, str]] = [{} for _ in range(depth)]
    for one in singles:
        state = ""
        for level, entries in enumerate(levels):
            piece = one.path.lower()[level * _PIECE : (level + 1) * _PIECE]
            key = f"{state}:{piece}" if level else piece
            if level == depth - 1:
                entries[key] = text(f"{one.kind} {one.one.target} {one.path}")
            else:
                state = entries.setdefault(key, str(len(entries)))
    bodies = [[f"{fixed(key)} {value};" for key, value in entries.items()] for entries in levels]
    mark = hashlib.sha256("\n".join(line for body in bodies for line in body).encode()).hexdigest()[:12]
    for level, body in enumerate(bodies):
        asked = f'"$homeport_t{level - 1}_{mark}:$homeport_p{level}"' if level else "$homeport_p0"
        made.tables += [f"map {asked} $homeport_t{level}_{mark} {{", *indented(body), "}"]
    return f"homeport_t{depth - 1}_{mark}"


def pieces(number: int) -> list[str]:
    """Lines for the server that take a path to pieces."""
    if not number:
        return []
    pieces = "".join(f"(?P<homeport_p{level}>.{{0,{_PIECE}}})" for level in range(number))
    return [
        "set $homeport_path $uri;",
        *when('$uri ~ "(?s)^(?P<homeport_path>/.+)/(?!.)"', []),
        *when(f'$homeport_path ~ "(?s)^{pieces}"', []),
    ]


def _looked_up(kind: str, away: list[str]) -> list[str]:
    """It is for this very path if the path stands there twice: NGINX's table takes all cases for one."""
    _, status, query = kind.split(":")
    same = rf"(?s)^{kind} (?P<homeport_to>[^ ]+) (?P<homeport_for>/.*) (?P=homeport_for)(?!.)"
    tail = "$is_args$args" if query else ""
    return when(f"$homeport_found ~ {fixed(same)}", [*away, f"return {status} $homeport_to{tail};"])


# In line


def _in_line(one: Redirect, flags: Flags, away: list[str]) -> list[str]:
    expression, taken = _expression(one)
    before, subject = _subject(one, flags)
    return before + when(f"{subject} ~ {fixed(expression)}", _outcome(one, taken, away))


def _expression(one: Redirect) -> tuple[str, dict[str, str]]:
    """What has to match, and which variables what was taken is in, by name."""
    takes = matching.takes(one.source)
    if takes and not one.in_place:
        path = matching.as_sent(one.source, whole=answers.whole(one))
    else:
        path = matching.as_served(one.source)
    conditions, taken = _conditions(one)
    names = [*taken, *matching.names(one.source)]
    expression = f"(?s)^{conditions}{path.removeprefix('(?s)^')}"
    numbers = iter(range(len(names)))
    named = _CAPTURE.sub(lambda _: f"(?P<homeport_{next(numbers)}>", expression)
    return named, {name: f"${{homeport_{number}}}" for number, name in enumerate(names)}


def _conditions(one: Redirect) -> tuple[str, list[str]]:
    """Before the path, each with a space after it: nothing that was sent has one."""
    found, taken = "yes " if one.languages else "", []
    for _, wanted in one.query:
        if wanted.startswith(":"):
            found += f"({matching.QUERY_VALUE}) "
            taken.append(wanted[1:])
        else:
            found += "".join(char if char.isalnum() else rf"\x{ord(char):02x}" for char in wanted) + " "
    return found, taken


def _subject(one: Redirect, flags: Flags) -> tuple[list[str], str]:
    served = one.in_place or not matching.takes(one.source)
    path = ("$homeport_wild" if one.stands_in else "$uri") if served else "$request_uri"
    words = [*([f"${flags[one.languages]}"] if one.languages else []), *(f"$arg_{name}" for name, _ in one.query)]
    if not words:
        return [], path
    return [f'set $homeport_asked "{" ".join([*words, path])}";'], "$homeport_asked"


def _outcome(one: Redirect, taken: dict[str, str], away: list[str]) -> list[str]:
    if one.in_place:
        return [*_filled("homeport_show", unquote(one.target), taken), f"return {SHOWN[one.status]};"]
    tail = "" if _own_query(one) else "$is_args$args"
    return [
        *_filled("homeport_to", one.target, taken),
        *away,
        f"return {one.status} $homeport_to{tail};",
    ]


def _filled(variable: str, target: str, taken: dict[str, str]) -> list[str]:
    """A target with what was taken in its places."""
    lines, at, before = list[str](), 0, ""
    for found in TAKEN.finditer(target):
        if value := taken.get(found[0][1:]):
            lines += assigned(variable, before, target[at : found.start()])
            at, before = found.end(), f"${{{variable}}}{value}"
    return lines + assigned(variable, before, target[at:])


def _own_query(one: Redirect) -> bool:
    return "?" in one.target or "#" in one.target
