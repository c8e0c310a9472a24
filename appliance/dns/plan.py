"""What is to become of the records of one name: made of what is wanted and what is there, then carried out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from appliance.dns.rows import Row
from appliance.errors import RemoteFailed

MOST_DELETED = 5  # at one name; whoever has more of ours there than that had better look first

Verb = Literal["create", "update", "delete", "leave"]


@dataclass(frozen=True)
class Change:
    verb: Verb
    row: Row  # as it will be, or as it is where it is deleted or left
    why: str
    was: Row | None = None


@dataclass(frozen=True)
class Plan:
    """All of it for one name. A provider carries it out in one transaction where it has them."""

    host: str
    changes: tuple[Change, ...]

    def of(self, *verbs: Verb) -> list[Change]:
        return [change for change in self.changes if change.verb in verbs]

    @property
    def changes_anything(self) -> bool:
        return any(change.verb != "leave" for change in self.changes)

    @property
    def gone(self) -> list[Row]:
        """Rows that won't be there as they are now."""
        return [change.was or change.row for change in self.of("delete", "update")]

    @property
    def made(self) -> list[Row]:
        return [change.row for change in self.of("create", "update")]

    def checked(self, most: int = MOST_DELETED) -> "Plan":
        """Itself, unless it deletes more than one name ever needs."""
        deleted = len(self.of("delete"))
        if deleted > most:
            raise RemoteFailed(
                f"{self.host} has {deleted} records with Homeport's mark, more than the {most} deleted at once.",
                permanent=True,
                code="dns_too_many",
                todo=("Look at them where the zone is kept, delete what is too many, then check again.",),
            )
        return self


def pointing(wanted: Row, ours: Sequence[Row], accepted: Row | None, leads: Callable[[Row], bool]) -> Plan:
    """Bring a name to one record: what was made by hand and leads there, or ours."""
    if accepted:
        return Plan(wanted.host, tuple(_beside(accepted, ours, leads)))
    same = [row for row in ours if _alike(row, wanted)]
    if same:
        extra = [Change("delete", row, "one is enough") for row in ours if row is not same[0]]
        return Plan(wanted.host, (Change("leave", same[0], "as it should be"), *extra))
    if [row.type for row in ours] == [wanted.type]:
        return Plan(wanted.host, (Change("update", replace(wanted, id=ours[0].id), "leads elsewhere", ours[0]),))
    old = [Change("delete", row, "gives way to one of another type") for row in ours]
    return Plan(wanted.host, (*old, Change("create", wanted, "is missing")))


def removing(host: str, ours: Sequence[Row]) -> Plan:
    return Plan(host, tuple(Change("delete", row, "no longer needed") for row in ours))


def _beside(accepted: Row, ours: Sequence[Row], leads: Callable[[Row], bool]) -> list[Change]:
    """Ours gives way where it leads elsewhere."""
    kept = [Change("leave", row, "leads there too") for row in ours if leads(row)]
    gone = [Change("delete", row, "leads elsewhere") for row in ours if not leads(row)]
    return [Change("leave", accepted, "made by hand, and leads there"), *kept, *gone]


def _alike(one: Row, other: Row) -> bool:
    """The TTL may be tuned by hand."""
    return (one.type, one.content, one.proxied, one.there) == (other.type, other.content, other.proxied, True)
