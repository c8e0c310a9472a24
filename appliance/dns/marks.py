"""Marks where records have no comments: a TXT record beside each, which says what was made."""

import re
from collections.abc import Iterable

from appliance.dns.rows import Row
from appliance.errors import RemoteFailed

TTL = 300
LABEL = "_homeport"
LONGEST = 253  # characters of a name
MARK = re.compile(r"(?P<mark>Homeport \S+: (?P<host>\S+)) (?P<type>A|AAAA|CNAME) (?P<content>\S+)")


def name(host: str) -> str:
    """Where the mark of a host stands. A wildcard's is beside that of the name below it."""
    found = f"{LABEL}.{host.removeprefix('*.')}"
    if len(found) > LONGEST:
        detail = f"{host} is too long: there is no room for a name beside it that could bear Homeport’s mark."
        raise RemoteFailed(detail, permanent=True, code="dns_too_long", todo=("Choose a shorter host name.",))
    return found


def text(row: Row) -> str:
    return f"{row.mark} {row.type} {row.content}"


def rows(host: str, there: Iterable[tuple[str, str, int]], texts: Iterable[str]) -> list[Row]:
    """What is there, as type, content and TTL, each with its mark; and marks that stand beside nothing any more."""
    marks = {(found["type"], found["content"]): found["mark"] for found in map(MARK.fullmatch, texts) if found}
    marks = {key: mark for key, mark in marks.items() if _is_of(mark, host)}
    found = [Row("", host, type, content, False, marks.pop((type, content), ""), ttl) for type, content, ttl in there]
    lost = [Row("", host, type, content, False, mark, there=False) for (type, content), mark in marks.items()]
    return found + lost


def hosts(texts: Iterable[str], mark: str) -> set[str]:
    """The hosts of marks that begin so."""
    found = (MARK.fullmatch(one) for one in texts if one.startswith(mark))
    return {one["host"] for one in found if one}


def _is_of(mark: str, host: str) -> bool:
    """A mark is cut where it gets too long."""
    marked = mark.partition(": ")[2]
    return marked == host or (len(mark) == 100 and host.startswith(marked))
