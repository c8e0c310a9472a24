"""An edit by hand: a URL's NGINX file or link that is no longer as Homeport made it."""

from dataclasses import dataclass
from difflib import unified_diff


@dataclass(frozen=True)
class Edit:
    host: str
    what: str  # `changed`, `missing` (the file or a link is gone) or `taken` (something else is where a link was)
    detail: str
    text: str | None  # what is in the file now
    wanted: str  # what Homeport had there

    @property
    def diff(self) -> str:
        """From what Homeport wrote to what is there."""
        if self.text is None or self.text == self.wanted:
            return ""
        before, after = self.wanted.splitlines(), self.text.splitlines()
        return "\n".join(unified_diff(before, after, "as Homeport wrote it", "as it is", lineterm=""))


@dataclass(frozen=True)
class SeenEdit:
    """An edit that was noticed, and what was decided about it."""

    edit: Edit
    seen_at: str
    kept_at: str | None = None
    kept_by: str | None = None

    @property
    def kept(self) -> bool:
        return self.kept_at is not None


@dataclass(frozen=True)
class Tested:
    """What NGINX said of its whole configuration, when it was asked last."""

    ok: bool
    detail: str
    said: str
    at: str
