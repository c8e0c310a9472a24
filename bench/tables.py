"""What was measured, in one table."""

from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Row:
    what: str
    ours: str
    theirs: str
    ratio: str
    goal: str


def compared(what: str, ours: list[float], theirs: list[float], goal: str, *, unit: str = "s") -> Row:
    """Two series side by side; less is better."""
    a, b = median(ours), median(theirs)
    return Row(what, f"{a:.2f} {unit}", f"{b:.2f} {unit}", f"{a / b:.2f}", goal)


def alone(what: str, ours: list[float], goal: str, *, unit: str = "s") -> Row:
    return Row(what, f"{median(ours):.2f} {unit}", "", "", goal)


def table(rows: list[Row]) -> str:
    head = ("", "Homeport", "beside it", "ratio", "goal")
    cells = [head, *((row.what, row.ours, row.theirs, row.ratio, row.goal) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(head))]
    lines = [
        "| " + " | ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) + " |" for line in cells
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])
