"""Amounts in words, the same in pages, logs and steps."""


def size(count: int) -> str:
    """Bytes in decimal units, one decimal under 100: `4.2 MB`."""
    value, unit = float(count), "B"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if round(value) < 1000 or unit == "TB":
            break
        value /= 1000
    return f"{value:.1f} {unit}" if unit != "B" and value < 99.95 else f"{value:,.0f} {unit}"


def how_many(count: int, noun: str) -> str:
    """`1 file`, `12,096 files`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
