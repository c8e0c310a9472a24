"""`.homeportignore` means what Git means by the same lines."""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.cli import pack
from appliance.cli.ignore import left_out
from appliance.errors import HomeportError
from appliance.machine.process import run

FILES = ("a.txt", "b.log", "d/a.txt", "d/b.log", "d/e/a.txt", "d/e/f/c.map", "x/d/a.txt", "x y/a.txt", "!odd", "#odd")
PARTS = (
    *("a.txt", "*.log", "d", "e", "**", "*", "?", "x y", "f", "*.map", "\\!odd", "\\#odd", "x", "d*", "x\\ y", "x y "),
    *("[ab].*", "[!a]*", "[^a]*", "[[:alpha:]]*", "[]a]*", "[a-d]", "[d-a]", "[a-", "[\\a]*", "\\a*", "[--b]*", "\\"),
)
LINES = st.builds(
    lambda no, start, parts, end: f"{no}{start}{'/'.join(parts)}{end}",
    st.sampled_from(["", "", "!"]),
    st.sampled_from(["", "", "/"]),
    st.lists(st.sampled_from(PARTS), min_size=1, max_size=3),
    st.sampled_from(["", "", "/"]),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in FILES:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    return tmp_path


def kept(folder: Path, *lines: str) -> set[str]:
    (folder / ".homeportignore").write_text("\n".join(lines) + "\n")
    return {entry.name.removeprefix(pack.WRAPPER) for entry in pack.entries(folder)}


@pytest.mark.parametrize(
    ("lines", "gone"),
    [
        ([], set()),
        (["# a remark", "", "   "], set()),
        (["*.log"], {"b.log", "d/b.log"}),
        (["/*.log"], {"b.log"}),
        (["*.log", "!b.log", "/b.log"], {"b.log"}),
        (["d/"], {name for name in FILES if name.startswith(("d/", "x/d/"))}),
        (["/d/"], {name for name in FILES if name.startswith("d/")}),
        (["d/e"], {"d/e/a.txt", "d/e/f/c.map"}),
        (["**/e"], {"d/e/a.txt", "d/e/f/c.map"}),
        (["d/**/c.map"], {"d/e/f/c.map"}),
        (["d/**", "!d/a.txt"], {"d/b.log", "d/e/a.txt", "d/e/f/c.map"}),
        (["d", "!d/a.txt"], {name for name in FILES if name.startswith(("d/", "x/d/"))}),
        (["x y/"], {"x y/a.txt"}),
        (["\\!odd", "\\#odd"], {"!odd", "#odd"}),
        (["!.git", "!.env"], set()),
    ],
)
def test_the_lines_decide(folder: Path, lines: list[str], gone: set[str]) -> None:
    (folder / ".env").write_text("x")
    assert kept(folder, *lines) == set(FILES) - gone


@pytest.mark.skipif(not shutil.which("git"), reason="git is not here to compare with")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(LINES, min_size=1, max_size=4))
def test_git_leaves_out_the_same(folder: Path, lines: list[str]) -> None:
    assert ours(folder, lines) == gits(folder, lines)


def ours(folder: Path, lines: list[str]) -> set[str]:
    try:
        return kept(folder, *lines)
    except HomeportError:  # nothing is left to send
        return set()


def gits(folder: Path, lines: list[str]) -> set[str]:
    rules = folder.parent / f"{folder.name}.rules"
    rules.write_text("\n".join(lines) + "\n.homeportignore\n")
    env = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    if not (folder / ".git").exists():
        assert run(["git", "init", "-q", str(folder)], env=env).ok
    listed = run(["git", "-C", str(folder), "ls-files", "-oz", f"--exclude-from={rules}"], env=env)
    return set(filter(None, listed.output.split("\0")))


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / ".homeportignore").write_bytes(b"\xff\xfe")
    with pytest.raises(HomeportError, match=r"\.homeportignore can't be read"):
        left_out(tmp_path)
