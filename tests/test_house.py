"""The rules of the house that no linter knows."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TypeGuard

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted((ROOT / "appliance").rglob("*.py"))
MAY_SLEEP = ("appliance/worker/", "appliance/machine/", "appliance/deploy/probe.py", "appliance/client/")
NO_ROOM = {"utils", "util", "helpers", "common", "misc", "core"}
LONGEST_FUNCTION = 60
LONGEST_FILE = 600
IMPORT_NAMES = {
    "backports-zstd": "backports",
    "dnspython": "dns",
    "pyjwt": "jwt",
    "pyyaml": "yaml",
    "sqlite-utils": "sqlite_utils",
    "python-multipart": "python_multipart",
}


@cache
def tree(path: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(ast.parse(path.read_text("utf-8"))))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def calls(names: set[str], but_in: tuple[str, ...]) -> list[str]:
    return [
        f"{name_of(path)}:{node.lineno}"
        for path in SOURCES
        if not name_of(path).startswith(but_in)
        for node in tree(path)
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in names
    ]


def imported(path: Path) -> Iterator[str]:
    for node in tree(path):
        if isinstance(node, ast.Import):
            yield from (it.name for it in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{it.name}" for it in node.names)


def test_sql_is_only_in_the_store() -> None:
    assert calls({"execute", "executemany", "executescript"}, but_in=("appliance/store/",)) == []


def test_nothing_waits_but_where_waiting_is_the_work() -> None:
    assert calls({"sleep"}, but_in=MAY_SLEEP) == []


def test_no_shell() -> None:
    named = [f"{name_of(path)}:{it.value.lineno}" for path in SOURCES for it in tree(path) if is_shell(it)]
    assert named == []


def is_shell(node: ast.AST) -> TypeGuard[ast.keyword]:
    return isinstance(node, ast.keyword) and node.arg == "shell"


def test_private_names_stay_in_their_file() -> None:
    private = re.compile(r"^appliance\b.*\._[^_.]")
    assert [f"{name_of(path)}: {name}" for path in SOURCES for name in imported(path) if private.search(name)] == []


def test_no_work_is_left_for_later() -> None:
    later = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")
    assert [name_of(path) for path in SOURCES if later.search(path.read_text("utf-8"))] == []


def test_no_catch_all() -> None:
    assert [name_of(path) for path in SOURCES if NO_ROOM & {path.stem, path.parent.name}] == []


def test_every_file_says_what_it_is() -> None:
    texts = {path: path.read_text("utf-8") for path in SOURCES}
    assert [name_of(path) for path, text in texts.items() if text and not ast.get_docstring(ast.parse(text))] == []


def test_no_function_and_no_file_outgrows_its_reader() -> None:
    long_files = [name_of(path) for path in SOURCES if path.read_text("utf-8").count("\n") > LONGEST_FILE]
    long_functions = [
        f"{name_of(path)}:{node.lineno} {node.name}"
        for path in SOURCES
        for node in tree(path)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION
    ]
    assert [*long_files, *long_functions] == []


def test_what_is_imported_is_asked_for() -> None:
    wanted = {IMPORT_NAMES.get(name, name) for name in asked_for("runtime")}
    used = {name.partition(".")[0] for path in SOURCES for name in imported(path)}
    carried_by_others = {"markupsafe"}  # Jinja's own
    assert used - set(sys.stdlib_module_names) - {"appliance"} - carried_by_others <= wanted


@pytest.mark.parametrize("name", ["runtime", "build", "dev"])
def test_a_lock_holds_hashes_for_all_that_is_asked_for(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    blocks = re.findall(r"^([a-z0-9-]+)==[^\n]*\\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", text, re.MULTILINE)
    assert set(asked_for(name)) <= {package for package, _ in blocks}
    assert len(blocks) == len(re.findall(r"^[a-z0-9-]+==", text, re.MULTILINE))
    assert not re.findall(r"^ *--(?!hash)|://", text, re.MULTILINE), "a lock says what, never from where"


def asked_for(name: str) -> list[str]:
    lines = (ROOT / "requirements" / f"{name}.in").read_text().splitlines()
    return [line.split()[0] for line in lines if line and not line.startswith(("#", "-"))]


def test_locks_agree() -> None:
    versions: dict[str, str] = {}
    for name in ("runtime", "build", "dev"):
        text = (ROOT / "requirements" / f"{name}.txt").read_text()
        for package, version in re.findall(r"^([a-z0-9-]+)==(\S+)", text, re.MULTILINE):
            assert versions.setdefault(package, version) == version


def test_what_is_heavy_is_not_loaded_to_start() -> None:
    code = "import sys, appliance.app; print([it for it in ('cloudflare', 'pydantic', 'boto3') if it in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.stdout == "[]\n", ran.stderr


@pytest.mark.parametrize("script", ["build.sh", ".ci/run"])
def test_scripts_can_be_run(script: str) -> None:
    assert os.access(ROOT / script, os.X_OK)
