"""The built file holds nothing that every install would share."""

import ast
import math
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from appliance.deploy.xray.tokens import tokens_in

LIKE_A_KEY = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z])[A-Za-z0-9+/_=-]{20,}")
NAMED_SO = re.compile(r"(?i)secret|password|passphrase|token|salt|pepper|private|api_?key")


def test_no_key_and_no_token_in_any_of_it(built_file: Path) -> None:
    with zipfile.ZipFile(built_file) as file:
        found = {name: tokens_in(file.read(name)) for name in file.namelist()}
    assert {name: tokens for name, tokens in found.items() if tokens} == {}


def test_no_text_that_looks_like_one_in_the_code(built_file: Path) -> None:
    """Nothing random, and nothing that is called a secret and has a value."""
    looked = 0
    with zipfile.ZipFile(built_file) as file:
        for name in file.namelist():
            if name.startswith("site-packages/appliance/") and name.endswith(".py"):
                tree = ast.parse(file.read(name))
                assert [text for text in texts(tree) if looks_random(text)] == [], name
                assert [what for what, text in named(tree) if NAMED_SO.search(what) and looks_chosen(text)] == [], name
                looked += 1
    assert looked > 100


def texts(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
            yield node.value if isinstance(node.value, str) else node.value.decode("latin-1")


def named(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Text that has a name, as a variable or as an argument."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Constant):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                yield ast.unparse(target), str(node.value.value or "")
        elif isinstance(node, ast.keyword) and isinstance(node.value, ast.Constant) and node.arg:
            yield node.arg, str(node.value.value or "")


def looks_random(text: str) -> bool:
    """A word of many different letters and digits, as nobody writes it; an alphabet has each of them once."""
    return bool(LIKE_A_KEY.fullmatch(text)) and len(set(text)) < len(text) and entropy(text) > 4.2


def looks_chosen(text: str) -> bool:
    """More than a name of something: a value with letters and digits in it."""
    return bool(re.fullmatch(r"(?=.*[0-9])(?=.*[A-Za-z])\S{10,}", text))


def entropy(text: str) -> float:
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())
