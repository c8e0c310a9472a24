"""What one file says, whatever it is called: what it refers to, what built it, what it gives away."""

import re
from collections.abc import Iterable
from functools import lru_cache
from html import unescape
from typing import NamedTuple

from appliance.deploy.xray.tokens import Token, tokens_in

Refs = tuple[str, ...]
_Had = dict[str, str]  # the attributes of a tag


class Facts(NamedTuple):
    """Told by the content alone, so that it need be read but once."""

    links: Refs = ()  # to other pages
    loads: Refs = ()  # what a browser loads with the page
    parts: Refs = ()  # what it may load: other sizes, icons, fonts
    base: str = ""
    generator: str = ""
    module: bool = False  # whether it begins with a script
    tokens: tuple[Token, ...] = ()


class _Tag(NamedTuple):
    links: Refs = ()
    loads: Refs = ()
    parts: Refs = ()
    base: str = ""
    generator: str = ""
    module: bool = False


def _any_case(words: str) -> str:
    """A pattern for some words in small or large letters: far quicker than asking for it with a flag."""
    return "|".join("".join(f"[{letter}{letter.upper()}]" for letter in word) for word in words.split())


_INSIDE = r"""(?:[^<>"']++|"[^"]*+"|'[^']*+')*+"""
_UNREAD = re.compile(
    rf"<(?:!--.*?(?:-->|\Z)|(?P<name>{_any_case('script style')})\b(?P<rest>{_INSIDE}>)"
    r"(?P<text>.*?)(?:</(?P=name)\s*>|\Z))",
    re.DOTALL,
)
_REFERRING = "a area audio base embed iframe image img input link meta object script source track use video"
_TAGS = re.compile(rf"<(?:{_any_case(_REFERRING)})\b{_INSIDE}>")
_ATTRIBUTE = re.compile(r"""\s([\w:-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""")
_NAME = re.compile(r"<([a-zA-Z]+)")
_STYLED = re.compile(
    r"""url\(\s*+(?:"([^"\n]*)"|'([^'\n]*)'|([^\s"'()]*+))\s*+\)|@import\s+(?:"([^"\n]*)"|'([^'\n]*)')"""
)
_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_ELSEWHERE = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:|//|\\|$")
_CANDIDATE = re.compile(r"\s*([^\s,]\S*[^\s,]|[^\s,])(?:\s+[^,]*)?(?:,|$)")
_SHORT = 600  # characters of a tag that may be on the next page again
_LOADED = frozenset({"stylesheet", "modulepreload"})
_NEEDED = frozenset({"icon", "apple-touch-icon", "manifest", "mask-icon", "preload", "prefetch"})
_MOVED = re.compile(r"^\s*\d+\s*[;,]\s*url\s*=\s*['\"]?([^'\"]+)", re.IGNORECASE)


def of_html(data: bytes) -> Facts:
    styles: list[str] = []
    text = _UNREAD.sub(lambda found: _opened(found, styles), data.decode("utf-8", "replace"))
    tags = [_tag(one) if len(one) < _SHORT else _tag.__wrapped__(one) for one in dict.fromkeys(_TAGS.findall(text))]
    return Facts(
        links=_distinct(ref for tag in tags for ref in tag.links),
        loads=_distinct(ref for tag in tags for ref in tag.loads),
        parts=_distinct((*(ref for tag in tags for ref in tag.parts), *(one for css in styles for one in _urls(css)))),
        base=next((tag.base for tag in tags if tag.base), ""),
        generator=next((tag.generator for tag in tags if tag.generator), ""),
        module=any(tag.module for tag in tags),
        tokens=tokens_in(data),
    )


def of_css(data: bytes) -> Facts:
    return Facts(parts=_distinct(_urls(data.decode("utf-8", "replace"))), tokens=tokens_in(data))


def of_other(data: bytes) -> Facts:
    return Facts(tokens=tokens_in(data))


def _opened(found: "re.Match[str]", styles: list[str]) -> str:
    """Of a script or a style only its tag is read on; a comment says nothing."""
    if not found["name"]:
        return ""
    if found["name"].lower() == "style":
        styles.append(found["text"])
    return f"<{found['name']}{found['rest']}"


@lru_cache(16_384)  # the same few hundred tags are on every page of most sites
def _tag(text: str) -> _Tag:
    found = _NAME.match(text)
    had: dict[str, str] = {}
    for key, *value in _ATTRIBUTE.findall(text):
        had.setdefault(key.lower(), unescape("".join(value)).strip())
    return _READERS.get(found[1].lower() if found else "", _media)(had)


def _anchor(had: _Had) -> _Tag:
    return _Tag(links=_here(had.get("href", "")))


def _frame(had: _Had) -> _Tag:
    return _Tag(links=_here(had.get("src", "")))


def _script(had: _Had) -> _Tag:
    return _Tag(loads=_here(had.get("src", "")), module=had.get("type") == "module" or "src" in had)


def _picture(had: _Had) -> _Tag:
    return _Tag(loads=_here(had.get("src", "")), parts=_candidates(had.get("srcset", "")))


def _drawn(had: _Had) -> _Tag:
    return _Tag(parts=_here(had.get("href", "") or had.get("xlink:href", "")))


def _base(had: _Had) -> _Tag:
    return _Tag(base=had.get("href", ""))


def _media(had: _Had) -> _Tag:
    named = (ref for key in ("src", "data", "poster") for ref in _here(had.get(key, "")))
    return _Tag(parts=(*named, *_candidates(had.get("srcset", ""))))


def _link(had: _Had) -> _Tag:
    kinds, refs = set(had.get("rel", "").lower().split()), _here(had.get("href", ""))
    if kinds & _LOADED and "alternate" not in kinds:
        return _Tag(loads=refs)
    return _Tag(parts=refs) if kinds & _NEEDED else _Tag()


def _meta(had: _Had) -> _Tag:
    content = had.get("content", "")
    if had.get("name", "").lower() == "generator":
        return _Tag(generator=content[:80])
    moved = _MOVED.match(content) if had.get("http-equiv", "").lower() == "refresh" else None
    return _Tag(links=_here(moved[1])) if moved else _Tag()


_READERS = {
    "a": _anchor,
    "area": _anchor,
    "base": _base,
    "iframe": _frame,
    "image": _drawn,
    "img": _picture,
    "input": _picture,
    "link": _link,
    "meta": _meta,
    "script": _script,
    "use": _drawn,
}


def _candidates(srcset: str) -> Refs:
    return tuple(ref for one in _CANDIDATE.findall(srcset) for ref in _here(one))


def _urls(css: str) -> Refs:
    found = _STYLED.findall(_COMMENT.sub("", css))
    return tuple(ref for groups in found for ref in _here("".join(groups).strip()))


def _here(ref: str) -> Refs:
    """A reference within the site, without what comes after `?` or `#`; nothing for one that leads elsewhere."""
    if _ELSEWHERE.match(ref) or "{{" in ref or "${" in ref:
        return ()
    path = ref.partition("#")[0].partition("?")[0]
    return (path,) if path else ()


def _distinct(refs: Iterable[str]) -> Refs:
    return tuple(dict.fromkeys(refs))
