import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_check_is_documented() -> None:
    """By the names in the source: no host has every trouble at once."""
    page = (ROOT / "docs/doctor.md").read_text("utf-8")
    files = [*(ROOT / "appliance/doctor").glob("*.py"), ROOT / "appliance/nginx/checks.py"]
    names = {name for file in files for name in re.findall(r'Check\(\s*"([a-z.]+)"', file.read_text("utf-8"))}
    assert len(names) > 20
    assert sorted(name for name in names if f"`{name}`" not in page) == []
