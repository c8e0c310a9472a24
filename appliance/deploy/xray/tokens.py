"""Keys and tokens that can be told by their form alone. What they are is said, never what they hold."""

import re
from itertools import islice
from typing import NamedTuple

from appliance.model.keys import is_whole

PRIVATE_KEY = "private key"


class Token(NamedTuple):
    kind: str
    line: int


class _Form(NamedTuple):
    kind: str
    marks: tuple[bytes, ...]  # quick to look for; only where one is found, the pattern is tried
    pattern: "re.Pattern[bytes]"


def _form(kind: str, pattern: bytes, *marks: bytes) -> _Form:
    return _Form(kind, marks, re.compile(rb"(?<![A-Za-z0-9_-])(?:" + pattern + rb")"))


_FORMS = (
    _Form(
        PRIVATE_KEY,
        (b"PRIVATE KEY",),
        re.compile(
            rb"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:\s|\\[rn])++"
            rb"(?>[A-Za-z-]{1,30}: [^\r\n\\]{0,200}(?:[\r\n]|\\[rn])++){0,4}[A-Za-z0-9+/]{40}"
        ),
    ),
    _form("age secret key", rb"AGE-SECRET-KEY-1[0-9A-Z]{58}", b"AGE-SECRET-KEY-1"),
    _form("AWS access key", rb"(?:AKIA|ASIA)[A-Z2-7]{16}(?![A-Za-z0-9])", b"AKIA", b"ASIA"),
    _form(
        "GitHub token",
        rb"gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{82}",
        b"ghp_",
        b"gho_",
        b"ghu_",
        b"ghs_",
        b"ghr_",
        b"github_pat_",
    ),
    _form("GitLab token", rb"glpat-[A-Za-z0-9_-]{20}", b"glpat-"),
    _form("Slack token", rb"xox[abeprs]-[0-9]{6,}-[0-9A-Za-z-]{10,}", b"xox"),
    _form("Stripe secret key", rb"[rs]k_live_[0-9A-Za-z]{24}", b"k_live_"),
    _form("npm token", rb"npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])", b"npm_"),
    _form("PyPI token", rb"pypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50}", b"pypi-AgEI"),
    _form("SendGrid key", rb"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}", b"SG."),
    _form("Anthropic key", rb"sk-ant-[a-z0-9]+-[A-Za-z0-9_-]{80}", b"sk-"),
    _form("OpenAI key", rb"sk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{40}", b"sk-"),
    _form("DigitalOcean token", rb"do[opr]_v1_[a-f0-9]{64}", b"_v1_"),
    _form("Homeport key", rb"hp_[0-9A-Za-z]{42}(?![A-Za-z0-9_-])", b"hp_"),
    _form("Homeport key", rb"hp_(?=[a-z0-9_-]*[A-Z])(?=[A-Za-z_-]*[0-9])[A-Za-z0-9_-]{40}(?![A-Za-z0-9_-])", b"hp_"),
)
_MOST = 10  # of one kind in one file


def tokens_in(data: bytes) -> tuple[Token, ...]:
    """Each kind once a line. Those that manuals show as examples don't count."""
    found = {
        Token(form.kind, data.count(b"\n", 0, hit.start()) + 1): None
        for form in _FORMS
        if any(mark in data for mark in form.marks)
        for hit in islice(form.pattern.finditer(data), _MOST)
        if not _is_example(hit[0]) and _adds_up(form.kind, hit[0])
    }
    return tuple(found)


def _adds_up(kind: str, text: bytes) -> bool:
    """Our own have a checksum, so that what only looks like one is told apart."""
    return kind != "Homeport key" or is_whole(text.decode("ascii"))


def _is_example(text: bytes) -> bool:
    """`…EXAMPLE`, `xxxx…` and the like: what has hardly any letters of its own is nobody's."""
    return b"EXAMPLE" in text.upper() or len(set(text[-20:].lower())) < 6
