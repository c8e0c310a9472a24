"""A notice in words, free of whatever could move a cursor, and no longer than it may be."""

from dataclasses import dataclass

from appliance.model.fields import HALF, UNSEEN
from appliance.model.notices import Notice

LONGEST_TITLE = 200
LONGEST_DETAIL = 1500
MORE = "…"


@dataclass(frozen=True)
class Said:
    id: str  # of the delivery: the same each time it is sent
    notice: Notice
    title: str
    detail: str
    facts: tuple[tuple[str, str], ...]
    link: str
    address: str  # of this appliance

    @property
    def tone(self) -> str:
        return self.notice.kind.tone

    @property
    def text(self) -> str:
        """In plain lines."""
        facts = "\n".join(f"{name}: {value}" for name, value in self.facts)
        return "\n\n".join(part for part in (self.title, self.detail, facts, self.link) if part)


def said(delivery_id: str, notice: Notice, address: str) -> Said:
    facts = (
        ("Project", notice.project or ""),
        ("Environment", notice.environment or ""),
        ("By", notice.actor),
        ("At", f"{notice.at[:16].replace('T', ' ')} UTC"),
    )
    return Said(
        delivery_id,
        notice,
        line(notice.title, LONGEST_TITLE),
        line(notice.detail, LONGEST_DETAIL),
        tuple((name, short) for name, value in facts if (short := line(value, 100))),
        f"{address}{notice.path}",
        address,
    )


def line(text: str, most: int) -> str:
    """On one line, with nothing unseen in it."""
    whole = HALF.sub("�", UNSEEN.sub(" ", text))
    short = " ".join(whole.split())
    return short if len(short) <= most else short[: most - 1] + MORE
