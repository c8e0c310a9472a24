"""Putting what was found into words that are never too many."""

from collections.abc import Collection

from appliance.model.fields import UNSEEN
from appliance.model.xrays import KINDS, WARNING, Finding

MOST = 8  # examples
_LONGEST = 200  # characters of one


def found(code: str, text: str, examples: Collection[str], todo: str) -> Finding:
    return Finding(code, KINDS[code].level, text, max(len(examples), 1), few(examples), todo)


def few(names: Collection[str]) -> tuple[str, ...]:
    """The first few by name, fit to be shown."""
    return tuple(_shown(name) for name in sorted(names)[:MOST])


def in_order(findings: list[Finding]) -> tuple[Finding, ...]:
    """Warnings first, then as the kinds are listed."""
    order = list(KINDS)
    return tuple(sorted(findings, key=lambda one: (one.level != WARNING, order.index(one.code))))


def _shown(name: str) -> str:
    short = name if len(name) <= _LONGEST else f"{name[:_LONGEST]}…"
    return UNSEEN.sub("\N{REPLACEMENT CHARACTER}", short)
