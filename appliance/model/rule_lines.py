"""What the files `_redirects` and `_headers` have in common: lines that are read, and lines that are not, with why."""

import re
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import unquote_to_bytes

from appliance.model import matching

MOST_BYTES = 1 << 20
MOST_LINES = 5000  # that mean something; beyond that a site needs another tool
LONGEST_LINE = 2000
LONGEST_SOURCE = 500
LONGEST_EXPRESSION = 2000  # NGINX takes no longer one
_NAMES_AND_STARS = re.compile(rf"\*|{matching.NAME}")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True)
class Ignored:
    """A line that has no effect."""

    file: str
    line: Annotated[int, "Counted from 1; 0 for the file as a whole"]
    text: str
    why: str

    @property
    def words(self) -> str:
        return f"{self.file} line {self.line}: {self.why}" if self.line else f"{self.file}: {self.why}"


class Wrong(ValueError):
    """Why a line has no effect."""


def lines_of(file: str, data: bytes) -> tuple[list[tuple[int, str]], list[Ignored]]:
    """Numbered lines that are no comment and not empty, as far as there may be any."""
    if len(data) > MOST_BYTES:
        return [], [Ignored(file, 0, "", f"It is larger than {MOST_BYTES >> 20} MiB, so none of it is used.")]
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return [], [Ignored(file, 0, "", "It is not UTF-8 text, so none of it is used.")]
    found, ignored = list[tuple[int, str]](), list[Ignored]()
    for number, line in enumerate(re.split(r"\r\n|\n|\r", text), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if len(found) == MOST_LINES:
            ignored.append(
                Ignored(file, number, "", f"Only {MOST_LINES:,} lines are used; this and what follows is not.")
            )
            break
        if len(line) > LONGEST_LINE:
            ignored.append(Ignored(file, number, line[:80], f"A line may have {LONGEST_LINE:,} characters."))
        elif not line.replace("\t", " ").isprintable():
            ignored.append(Ignored(file, number, "", "It has a character that can't be seen."))
        else:
            found.append((number, line))
    return found, ignored


def source_of(text: str) -> str:
    """A path to match, decoded."""
    if text.startswith(("http://", "https://", "//")):
        raise Wrong("A rule is for every host of its environment: begin with the path, such as /blog/*.")
    if not text.startswith("/"):
        raise Wrong(f"“{text}” is not a path: begin with a slash.")
    if len(text) > LONGEST_SOURCE:
        raise Wrong(f"A path to match may have {LONGEST_SOURCE} characters.")
    if "?" in text or "#" in text:
        raise Wrong("A path to match has no ? and no #: name parameters after it, such as id=:id.")
    source = decoded(text)
    if max(len(matching.as_sent(source)), len(matching.as_served(source))) > LONGEST_EXPRESSION:
        raise Wrong("This path is too long for all that it can be written as.")
    _refuse_odd_parts(source)
    return source


def decoded(text: str) -> str:
    if _BAD_ESCAPE.search(text):
        raise Wrong("A % has to be followed by two hex digits.")
    try:
        found = unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        raise Wrong("What is percent-encoded there is not UTF-8.") from None
    if not found.isprintable():
        raise Wrong("It has a character that can't be seen.")
    return found


def _refuse_odd_parts(source: str) -> None:
    """What would never match, or match in more ways than one can tell."""
    if source.count("*") > 1:
        raise Wrong("There can be one * only.")
    if "*" in source and "/*" not in source:
        raise Wrong("Put a slash before the *.")
    names = matching.names(source)
    if len(set(names)) < len(names):
        raise Wrong("A name stands there twice.")
    if "//" in source:
        raise Wrong("No address has two slashes in a row.")
    for part in source.split("/"):
        if part in (".", ".."):
            raise Wrong("No address has a part of dots only.")
        if len(_NAMES_AND_STARS.findall(part)) > 1:
            raise Wrong("There can be one :name or * in each part of a path.")
