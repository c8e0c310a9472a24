"""The file `_headers` of a bundle: a path, then lines below it that are headers for what it matches."""

import re

from appliance.model.rule_lines import Ignored, Wrong, lines_of, source_of
from appliance.model.rules import HeaderRule

FILE = "_headers"
MOST_BLOCKS = 500
MOST_IN_ONE = 100
Line = tuple[int, str]
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
SERVERS_OWN = re.compile(
    "accept-ranges|age|allow|connection|content-(?:encoding|length|range)|date|etag|keep-alive|last-modified|location|"
    "proxy-.*|server|set-cookie2|status|te|trailer|transfer-encoding|upgrade|via|x-accel-.*",
    re.IGNORECASE,
)
WHY_NOT = {
    "content-type": "Homeport gives the type, by the ending of a file's name.",
    "set-cookie": "A site of files gives no cookies.",
    "basic-auth": "Set a password on the environment instead.",
    "www-authenticate": "Set a password on the environment instead.",
}


def parse(data: bytes) -> tuple[tuple[HeaderRule, ...], tuple[Ignored, ...]]:
    """The blocks in their order, and the lines that are in none."""
    lines, ignored = lines_of(FILE, data)
    found: list[HeaderRule] = []
    for block in _blocks(lines):
        if len(found) == MOST_BLOCKS:
            ignored.append(Ignored(FILE, block[0][0], "", f"Only {MOST_BLOCKS} blocks are used, so the rest is not."))
            break
        made = _rule(block, ignored)
        if made.headers or made.removed:
            found.append(made)
    return tuple(found), tuple(sorted(ignored, key=lambda one: one.line))


def _blocks(lines: list[Line]) -> list[list[Line]]:
    """A line at the margin with the indented ones below it."""
    found: list[list[Line]] = []
    for number, line in lines:
        if line[0] not in " \t" or not found:
            found.append([])
        found[-1].append((number, line))
    return found


def _rule(block: list[Line], ignored: list[Ignored]) -> HeaderRule:
    number, first = block[0]
    headers, removed = list[tuple[str, str]](), list[str]()
    try:
        if first[0] in " \t":
            raise Wrong("There is no path above it.")
        source = source_of(first.strip())
    except Wrong as why:
        ignored.append(_ignored(block[0], why))
        return HeaderRule("", ())
    for line in block[1:]:
        try:
            if len(headers) + len(removed) == MOST_IN_ONE:
                raise Wrong(f"A block may have {MOST_IN_ONE} headers.")
            _take(line[1].strip(), headers, removed)
        except Wrong as why:
            ignored.append(_ignored(line, why))
    return HeaderRule(source, tuple(headers), tuple(removed), number)


def _take(text: str, headers: list[tuple[str, str]], removed: list[str]) -> None:
    if text.startswith("!"):
        removed.append(_name(text[1:].strip()))
        return
    name, colon, value = text.partition(":")
    if not colon:
        raise Wrong("A header is a name, a colon and a value.")
    headers.append((_name(name.strip()), _value(value.strip())))


def _ignored(line: Line, why: Wrong) -> Ignored:
    return Ignored(FILE, line[0], line[1].strip()[:200], str(why))


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise Wrong(f"“{text}” can't be the name of a header.")
    if text.lower() in WHY_NOT:
        raise Wrong(WHY_NOT[text.lower()])
    if SERVERS_OWN.fullmatch(text):
        raise Wrong(f"{text} is given by the server alone.")
    return text


def _value(text: str) -> str:
    if not text:
        raise Wrong("A header has a value; to take one away, write ! and its name.")
    if not re.fullmatch(r"[\t -~]+", text):
        raise Wrong("A header's value is plain ASCII.")
    return text
