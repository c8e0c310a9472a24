"""How the next deployments of an environment will answer, as its owner has it. What is live keeps what it froze."""

import json
import re
from dataclasses import asdict, dataclass, fields
from typing import Annotated, Self

from appliance.model.fields import Reader
from appliance.model.rules import IMMUTABLE, REVALIDATE
from appliance.model.xrays import KINDS

MOST_HOURS = 24 * 90
_DIRECTIVE = r'[a-z-]+(?:=(?:[0-9]+|"[A-Za-z0-9, -]*"))?'
_POLICY = re.compile(rf"{_DIRECTIVE}(?:, ?{_DIRECTIVE})*")


@dataclass(frozen=True)
class SiteSettings:
    clean_urls: Annotated[bool, "Whether `/about` answers with `about.html`"] = True
    fallback: Annotated[bool, "Whether `index.html` answers for what is not there: for single-page apps"] = False
    pages: Annotated[str, "Cache-Control of what has no fingerprint in its name"] = REVALIDATE
    fingerprinted: Annotated[str, "Cache-Control of what has one"] = IMMUTABLE
    bridge_hours: Annotated[
        int, "How long fingerprinted files of earlier releases are still served; 0 for not at all"
    ] = 72
    block: Annotated[tuple[str, ...], "Findings of the X-ray that keep a deployment from going live"] = ()

    @property
    def text(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def of(cls, text: str) -> Self:
        known = {item.name for item in fields(cls)}
        raw = {name: value for name, value in json.loads(text).items() if name in known}
        return cls(**{**raw, "block": tuple(raw.get("block", ()))})

    @classmethod
    def parse(cls, raw: object) -> Self:
        """All of it: what is left out is as in a new environment."""
        reader, new = Reader(raw), cls()
        made = cls(
            clean_urls=bool(reader.yes("clean_urls", default=new.clean_urls)),
            fallback=bool(reader.yes("fallback", default=new.fallback)),
            pages=reader.checked("pages", _policy, optional=True) or new.pages,
            fingerprinted=reader.checked("fingerprinted", _policy, optional=True) or new.fingerprinted,
            bridge_hours=reader.number("bridge_hours", default=new.bridge_hours, most=MOST_HOURS),
            block=reader.several("block", _code),
        )
        reader.done()
        return made


def _policy(text: str) -> str:
    if len(text) > 200 or not _POLICY.fullmatch(text.strip()):
        raise ValueError("Enter a Cache-Control such as “public, max-age=3600”")
    return text.strip()


def _code(text: str) -> str:
    if text not in KINDS:
        raise ValueError(f"There is no finding “{text}”. There are {', '.join(KINDS)}")
    return text
