"""Sets of records as Route 53 has them: all values of one name and type together, changed by exact exchange."""

import re
from dataclasses import dataclass, replace
from html import escape

from appliance.machine.aws import Answer

NAMESPACE = "https://route53.amazonaws.com/doc/2013-04-01/"
PLAIN = ("A", "AAAA", "CNAME", "TXT")


@dataclass(frozen=True)
class Set:
    name: str
    type: str
    ttl: int
    values: tuple[str, ...]
    plain: bool = True  # no alias, nor one of several by weight, place or the like: those are never changed

    def without(self, value: str) -> "Set":
        return replace(self, values=tuple(one for one in self.values if one != value))

    def having(self, value: str) -> "Set":
        return self if value in self.values else replace(self, values=(*self.values, value))


def read(found: Answer) -> Set:
    """A set as it came."""
    name = plain_name(found.tag("Name"))
    alias = found.inside("AliasTarget")
    if alias:
        return Set(name, found.tag("Type"), 0, (plain_name(alias[0].tag("DNSName")),), plain=False)
    values = tuple(found.tags("Value"))
    return Set(name, found.tag("Type"), int(found.tag("TTL") or 0), values, plain=not found.tag("SetIdentifier"))


def batch(changes: list[tuple[str, Set]]) -> bytes:
    """The body of a change: all of it or nothing."""
    inner = "".join(_change(action, one) for action, one in changes)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><ChangeResourceRecordSetsRequest xmlns="{NAMESPACE}">'
        f"<ChangeBatch><Changes>{inner}</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>"
    ).encode()


def exchange(before: Set | None, after: Set) -> list[tuple[str, Set]]:
    """What turns one into the other. Deleting asks for the exact old values, so that nobody's change is lost."""
    if before and (set(before.values), before.ttl) == (set(after.values), after.ttl):
        return []
    gone = [("DELETE", before)] if before and before.values else []
    return gone + ([("CREATE", after)] if after.values else [])


def text(value: str) -> str:
    """What a TXT value says."""
    strings = re.findall(r'"((?:[^"\\]|\\.)*)"', value)
    return re.sub(r"\\(\d{3}|.)", _unescaped, "".join(strings))


def quoted(text: str) -> str:
    plain = text.replace("\\", "\\\\").replace('"', '\\"')
    return " ".join(f'"{plain[at : at + 250]}"' for at in range(0, len(plain) or 1, 250))


def plain_name(name: str) -> str:
    """`*` comes back as `\\052`."""
    return re.sub(r"\\(\d{3})", lambda found: chr(int(found[1], 8)), name).rstrip(".").lower()


def _unescaped(found: re.Match[str]) -> str:
    return chr(int(found[1], 8)) if len(found[1]) == 3 else found[1]


def _change(action: str, one: Set) -> str:
    values = "".join(f"<ResourceRecord><Value>{escape(value)}</Value></ResourceRecord>" for value in one.values)
    return (
        f"<Change><Action>{action}</Action><ResourceRecordSet><Name>{escape(one.name)}.</Name><Type>{one.type}</Type>"
        f"<TTL>{one.ttl}</TTL><ResourceRecords>{values}</ResourceRecords></ResourceRecordSet></Change>"
    )
