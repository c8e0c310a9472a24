"""`.env` files: what is written reads back the same, and what can't be read is told by its line."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import Invalid
from appliance.model import dotenv
from appliance.model.variables import variable_name

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,20}", fullmatch=True).filter(
    lambda name: not name.startswith("HOMEPORT_")
)
ODD = st.text(alphabet="ab \t\n\r'\"\\$`#=%é😀\u2028\u0085\x0b\ufeff\x01{}!*", max_size=40)
VALUES = ODD | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60)


def values(text: str) -> dict[str, str]:
    return {one.name: one.value for one in dotenv.read(text)}


def tried(text: str) -> tuple[tuple[dotenv.Entry, ...], Mapping[str, str]]:
    """What is read, or what is said against it."""
    try:
        return dotenv.read(text), {}
    except Invalid as why:
        return (), why.errors


@given(st.dictionaries(NAMES, VALUES, max_size=8))
def test_what_is_written_reads_back_the_same(given_ones: dict[str, str]) -> None:
    assert values(dotenv.write(given_ones.items())) == given_ones


@given(NAMES, VALUES)
def test_the_ends_of_lines_of_another_system_change_nothing(name: str, value: str) -> None:
    text = dotenv.write([("FIRST", "1"), (name, value), ("LAST_ONE", "x y")] if name != "FIRST" else [])
    assert values(text.replace("\n", "\r\n")) == values(text)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    found, errors = tried(text)
    assert all(where.startswith("line ") for where in errors)
    assert all(variable_name(one.name) for one in found)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=plain", "plain"),
        ("A=", ""),
        ("A=''", ""),
        ("export A=x", "x"),
        ("  A = spaced out  ", "spaced out"),
        ("A=a#b", "a#b"),
        ("A=a # b", "a"),
        ("A=# b", ""),
        ("A='a # b' # c", "a # b"),
        ('A="tab\\tnew\\nline \\"q\\" \\\\ \\$HOME \\`x\\`"', 'tab\tnew\nline "q" \\ $HOME `x`'),
        ('A="\\q stays"', "\\q stays"),
        ("A='\\n $HOME stay'", "\\n $HOME stay"),
        ("A=$HOME/${X}", "$HOME/${X}"),
        ("A='two\nlines'", "two\nlines"),
        ('A="two\nlines"', "two\nlines"),
        ("\ufeffA=marked", "marked"),
        ("# A=1\n\nA=2", "2"),
    ],
)
def test_common_forms(line: str, value: str) -> None:
    assert values(line) == {"A": value}


@pytest.mark.parametrize(
    ("text", "where", "why"),
    [
        ("A=1\nB", "line 2", "Write NAME=value"),
        ("A='x\ny'\n=1", "line 3", "Write NAME=value"),
        ("A=1\nB=2\nA=3", "line 3", "A is there already, in line 1"),
        ("A=1\nB='x\ny", "line 2", "The quote that begins here has no end"),
        ('A="x" y', "line 1", "Only a comment may follow the closing quote"),
        ("1A=x", "line 1", "Enter a name that starts with a letter or _"),
        ("A-B=x", "line 1", "Use only the letters A to Z, digits and _ in a name"),
        ("HOMEPORT_X=1", "line 1", "Names that start with HOMEPORT_ are Homeport's own; choose another"),
        ("A=\0", "line 1", "A value can't hold a NUL character: no program could read what is after it"),
        (f"A={'é' * 32769}", "line 1", "Keep a value to 64 KiB"),
        (f"{'A' * 129}=1", "line 1", "Keep a name to 128 characters"),
    ],
)
def test_what_can_not_be_read_is_told_by_its_line(text: str, where: str, why: str) -> None:
    with pytest.raises(Invalid) as refused:
        dotenv.read(text)
    assert refused.value.errors == {where: f"{where.capitalize()}: {why}"}


def test_every_wrong_line_is_told_but_not_without_end() -> None:
    with pytest.raises(Invalid) as refused:
        dotenv.read("A\nB\nC=1")
    assert list(refused.value.errors) == ["line 1", "line 2"]
    with pytest.raises(Invalid) as refused:
        dotenv.read("A\n" * 1000)
    assert len(refused.value.errors) == dotenv.MOST_WRONG


@pytest.mark.parametrize("text", ["A=" + " " * 10**6 + "x", 'A="' + "\\" * 10**6, "A='" + "'\n'" * 10**5, " " * 10**6])
def test_a_long_file_takes_no_long_time(text: str) -> None:
    """Its time grows with its length, so a million characters are read before anyone notices."""
    found, errors = tried(text)
    assert found or errors or not text.strip()


def test_of_a_secret_there_is_the_name_alone() -> None:
    text = dotenv.write([("KEY", None), ("A", "x y")])
    assert text == "# KEY is a secret: its value is not in this file.\nKEY=\nA='x y'\n"
