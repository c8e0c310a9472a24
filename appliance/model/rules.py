"""How a release answers: frozen with its deployment, so that nothing changes it but another deployment.

A path is answered by the first of these that has an answer, on every backend alike:

1. what the environment's guard says: the maintenance page, or a question for the password
2. nothing, for names that begin with a dot (but `/.well-known/`), and for `/_redirects` and `/_headers` themselves
3. the first forced redirect that matches
4. the file: `/dir/` is `dir/index.html`; with clean URLs `/about` is `about.html`; `/dir` leads to `/dir/` where that
   has a page, and with clean URLs `/about/` leads to `/about`
5. the first other redirect that matches
6. for a fingerprinted name, the same name from an earlier release, within the bridge's window
7. the fallback, with status 200, but never for a fingerprinted name
8. `404.html`, else a page of our own, with status 404; never kept by a browser or a cache
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Self

IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATE = "no-cache"


@dataclass(frozen=True)
class Redirect:
    """A line of `_redirects`. A `*` at the end of the source is `:splat` in the target; `:name` is a part of a path."""

    source: str
    target: str  # a path of this site, or a whole http(s) address
    status: int = 301  # 301, 302, 303, 307, 308 lead there; 200, 404, 410 show that file of this site in place
    forced: bool = False  # comes before files
    query: tuple[tuple[str, str], ...] = ()  # parameters that must be there; a value `:name` takes any, for the target
    languages: tuple[str, ...] = ()  # what the visitor asks for first must be one of them
    line: int = 0


@dataclass(frozen=True)
class HeaderRule:
    """A block of `_headers`. Where several match, values of one name are joined by commas, as their lines come."""

    source: str
    headers: tuple[tuple[str, str], ...]
    removed: tuple[str, ...] = ()  # `! Name`: taken away again
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
