"""A session: one browser or program in which somebody is signed in."""

import re
from dataclasses import dataclass

BROWSERS = (
    (r"\bEdgA?/", "Edge"),
    (r"\bOPR/", "Opera"),
    (r"\bFirefox/|\bFxiOS/", "Firefox"),
    (r"\bCriOS/|Chrom(e|ium)/", "Chrome"),
    (r"\bVersion/[\d.]+.* Safari/", "Safari"),
    (r"^homeport/", "the homeport command"),
    (r"^curl/", "curl"),
)
SYSTEMS = (
    (r"\biPhone\b", "iPhone"),
    (r"\biPad\b", "iPad"),
    (r"\bAndroid\b", "Android"),
    (r"\bWindows\b", "Windows"),
    (r"\bMac OS X\b", "macOS"),
    (r"\bCrOS\b", "ChromeOS"),
    (r"\bLinux\b", "Linux"),
)


@dataclass(frozen=True)
class Session:
    id: str
    person_id: str
    created_at: str
    expires_at: str
    ip: str | None
    agent: str
    seen_at: str
    seen_from: str | None
    confirmed_at: str
    strong: bool  # came in by a second factor, or by a passkey that asked who it was

    @property
    def device(self) -> str:
        """In words: `Firefox on Linux`."""
        browser, system = _first(BROWSERS, self.agent), _first(SYSTEMS, self.agent)
        known = " on ".join(part for part in (browser, system) if part)
        return (known[0].upper() + known[1:]) if known else "An unknown program"


def _first(known: tuple[tuple[str, str], ...], text: str) -> str:
    return next((word for pattern, word in known if re.search(pattern, text)), "")
