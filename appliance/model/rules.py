"""How a release answers: frozen with its deployment, so that nothing changes it but another deployment.

A path is answered by the first of these that has an answer, on every backend alike:

1. what the environment's guard says: the maintenance page (503), or a question for the password (401)
2. for names that begin with a dot (but `/.well-known/`), and for `/_redirects` and `/_headers` themselves: as if not
   there; of what follows, only 7 and 8 apply
3. the first forced redirect that matches
4. the file: `/dir/` is `dir/index.html`; with clean URLs `/about` is `about.html`; `/dir` leads to `/dir/` where that
   has a page, and with clean URLs `/about/`, written as browsers write it, leads to `/about` where only `about.html`
   is there
5. the first other redirect that matches; one that stands in for whatever is missing is passed over for a fingerprinted
   name
6. for a fingerprinted name, the same name from an earlier release, within the bridge's window
7. the fallback, with status 200, but never for a fingerprinted name
8. `404.html`, else a page of our own, with status 404

What a redirect matches and what comes out of it:

- Without `*` and `:name`, the path as it is served: decoded, without empty and dot parts; a slash at the end or none is
  the same. With them, see `matching.py`: a redirect that leads away matches the path as it was sent, and what it
  takes over stands in the Location as it was sent; one that shows a file in place matches the path as it is served.
- A `query` parameter has to be there: the first of its name, letter case aside, as it was sent, never empty. A
  `:name` takes what `matching.QUERY_VALUE` allows.
- Leading away: the visitor's query follows, unless the target has a `?` or `#` of its own.
- In place: the file that the target names, else that name with `.html`, else its `index.html`; where none is there, or
  a part of the name begins with a dot, 8 is the answer. Its status is that of the redirect.

Cache-Control is `no-store` with 404, 410 and whatever the guard answers; `private, no-cache` with everything else that
a password stands before; else, with 200, 206 and 304, what `_headers` say of the path or what the name of the file
shown calls for; `no-cache` with all the rest. Other headers of `_headers` go by the path as it is served, with every
answer but 400, 405, 414 and those of the guard. They replace ours. Where a redirect has languages, every answer that is
not the guard's has `Vary: Accept-Language`.
"""

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Self

IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATE = "no-cache"
TAKEN = re.compile(r":[A-Za-z][A-Za-z0-9_]*")  # in a target: what `*`, `:name` or a query parameter has taken


@dataclass(frozen=True)
class Redirect:
    """A line of `_redirects`. The `*` of its source is `:splat` in the target; `:name` is all or some of one part."""

    source: str  # decoded
    target: str  # a path of this site, or a whole http(s) address; percent-encoded ASCII
    status: int = 301  # 301, 302, 303, 307, 308 lead there; 200, 404, 410 show that file of this site in place
    forced: bool = False  # comes before files
    query: tuple[tuple[str, str], ...] = ()  # parameters that must be there; a value `:name` takes any, for the target
    languages: tuple[str, ...] = ()  # what the visitor asks for first must be one of them
    line: int = 0

    @property
    def in_place(self) -> bool:
        """Whether it shows a file of this site instead of leading away."""
        return self.status in (200, 404, 410)

    @property
    def stands_in(self) -> bool:
        """Whether it gives one and the same page for all kinds of missing paths, as `/* /index.html 200` does."""
        return self.in_place and not self.forced and "*" in self.source and not TAKEN.search(self.target)


@dataclass(frozen=True)
class HeaderRule:
    """A block of `_headers`. Where several match, values of one name are joined by commas, as their lines come."""

    source: str
    headers: tuple[tuple[str, str], ...]
    removed: tuple[
        str, ...
    ] = ()  # `! Name`: what is above takes no part; ours neither. Before this block's own headers
    line: int = 0


@dataclass(frozen=True)
class Rules:
    """Everything about answering that isn't a file of the release."""

    clean_urls: bool = False
    fallback: str = ""  # a file of the release, such as `index.html`; none when empty
    redirects: tuple[Redirect, ...] = ()
    headers: tuple[HeaderRule, ...] = ()
    pages: str = REVALIDATE  # Cache-Control of what has no fingerprint in its name
    fingerprinted: str = IMMUTABLE  # Cache-Control of what has one
    bridge: bool = False  # whether fingerprinted names of earlier releases are still served

    @cached_property
    def text(self) -> str:
        """The one spelling of these rules."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), ensure_ascii=True)

    @cached_property
    def key(self) -> str:
        """Equal rules have equal keys, which stand in the names of pointers and NGINX files."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:16]

    @classmethod
    def of(cls, text: str) -> Self:
        """Read back what `text` gave."""
        raw: dict[str, Any] = json.loads(text)
        raw["redirects"] = tuple(Redirect(**_tuples(one)) for one in raw["redirects"])
        raw["headers"] = tuple(HeaderRule(**_tuples(one)) for one in raw["headers"])
        return cls(**raw)


@dataclass(frozen=True)
class Guard:
    """What stands before an environment now, whichever deployment is live: never frozen, never rolled back."""

    user: str = ""
    password: str = ""  # hashed, as an htpasswd file has it; empty for none
    maintenance: str = ""  # what the maintenance page says; empty while the site is up

    @property
    def text(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def of(cls, text: str) -> Self:
        return cls(**json.loads(text))


def _tuples(raw: dict[str, Any]) -> dict[str, Any]:
    return {name: _tuple(value) if isinstance(value, list) else value for name, value in raw.items()}


def _tuple(value: list[Any]) -> tuple[Any, ...]:
    return tuple(_tuple(one) if isinstance(one, list) else one for one in value)
