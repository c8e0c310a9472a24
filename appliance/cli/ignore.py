"""What of a folder is not sent: `.homeportignore`, read as Git reads its own, and what is never part of a site."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import HostFailed

FILE = ".homeportignore"
NEVER = (FILE, ".git", ".hg", ".svn", ".bzr", ".jj", ".env*", ".DS_Store", "__MACOSX", "Thumbs.db")  # nor does a server
LeftOut = Callable[[str], bool]  # takes a path inside the folder; a folder's ends with a slash

NOTHING = "(?!)"
FIXED = {"folders": "(?:.*/)?", "rest": ".*", "star": "[^/]*", "one": "[^/]", "open": NOTHING}
WORD = re.compile(
    r"""(?P<folders>(?:^|(?<=/))\*\*+/)     # any number of folders, none too
    | (?P<rest>(?:^|(?<=/))\*\*+$)          # all that is inside
    | (?P<star>\*+) | (?P<one>\?)
    | \[(?P<no>[!^]?)(?P<set>\]?+(?:\[:\w*:\]|\\.|[^]\\])*+)\]
    | (?P<open>\[|\\$)                      # a set or an escape that never ends matches nothing
    | \\(?P<escaped>.) | (?P<plain>.)""",
    re.VERBOSE | re.DOTALL,
)
MEMBER = re.compile(r"\[:(?P<kind>\w*):\]|\\?(?P<low>.)(?:-\\?(?P<high>.))?", re.DOTALL)
KINDS = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "blank": r"\x20\t",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": r"\x20-~",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\x20\t-\r",
    "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}


@dataclass(frozen=True)
class Rule:
    """One line."""

    takes_back: bool
    folders_only: bool
    anywhere: bool  # looks at the last part of a path alone
    pattern: re.Pattern[str]

    def matches(self, path: str) -> bool:
        if self.folders_only and not path.endswith("/"):
            return False
        name = path.removesuffix("/")
        return self.pattern.fullmatch(name.rpartition("/")[2] if self.anywhere else name) is not None


def left_out(folder: Path) -> LeftOut:
    """The rules of one folder. The last line that matches decides; what is in a folder that is left out is too."""
    rules = [rule for line in (*_lines(folder / FILE), *NEVER) if (rule := parse(line))]
    rules.reverse()
    last, whole = (_any_of([rule for rule in rules if rule.anywhere is anywhere]) for anywhere in (True, False))

    def decide(path: str) -> bool:
        name = path.removesuffix("/")
        if not last(name[name.rfind("/") + 1 :]) and not whole(name):
            return False  # as nearly all that there is
        return next((not rule.takes_back for rule in rules if rule.matches(path)), False)

    return decide


def parse(line: str) -> Rule | None:
    """A rule, or nothing where the line is empty or a remark."""
    spaced = re.fullmatch(r"((?:\\.|[^\\])*?) *", line, re.DOTALL)  # spaces at the end count only when escaped
    text = spaced[1] if spaced else line
    if not text or text.startswith("#"):
        return None
    takes_back, text = text.startswith("!"), text.removeprefix("!")
    folders_only, text = text.endswith("/"), text.removesuffix("/")
    anywhere, text = "/" not in text, text.removeprefix("/")
    return Rule(takes_back, folders_only, anywhere, re.compile("".join(map(_word, WORD.finditer(text))), re.DOTALL))


def _any_of(rules: list[Rule]) -> Callable[[str], object]:
    """One look for all of them: whether any may match."""
    return re.compile("|".join(rule.pattern.pattern for rule in rules) or NOTHING, re.DOTALL).fullmatch


def _word(found: re.Match[str]) -> str:
    kind = found.lastgroup or ""
    if kind == "set":
        return _set(found["set"], outside=bool(found["no"]))
    return FIXED.get(kind) or re.escape(found[kind])


def _set(text: str, *, outside: bool) -> str:
    members = "".join(map(_member, MEMBER.finditer(text)))
    if outside:
        return f"[^/{members}]"
    return f"(?!/)[{members}]" if members else NOTHING


def _member(found: re.Match[str]) -> str:
    if found["low"] is None:
        return KINDS.get(found["kind"], "")
    low, high = found["low"], found["high"] or found["low"]
    return f"{re.escape(low)}-{re.escape(max(low, high))}"


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as why:
        raise HostFailed(f"{path} can't be read: {why}.", todo=("Make it a text file that you may read.",)) from why
    return text.replace("\r\n", "\n").split("\n")
