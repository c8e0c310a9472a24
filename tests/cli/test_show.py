"""How things are printed."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from appliance.cli import show
from appliance.cli.text import clean

NOW = datetime(2027, 1, 31, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before", "text"),
    [
        (timedelta(seconds=3), "just now"),
        (timedelta(seconds=-3), "just now"),
        (timedelta(seconds=42), "42 s ago"),
        (timedelta(minutes=4, seconds=50), "4 min ago"),
        (timedelta(hours=3), "3 h ago"),
        (timedelta(hours=30), "yesterday"),
        (timedelta(days=3), "3 days ago"),
        (timedelta(days=20), "11 Jan"),
        (timedelta(days=80), "12 Nov 2026"),
        (timedelta(days=-80), "21 Apr"),
    ],
)
def test_times_are_relative_for_a_week(before: timedelta, text: str) -> None:
    assert show.ago((NOW - before).isoformat(), NOW) == text


def test_no_time_is_never() -> None:
    assert show.ago(None) == "never"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0.0 s"), (0.42, "0.4 s"), (19.4, "19 s"), (125, "2 min 5 s"), (119.7, "2 min 0 s")]
)
def test_durations(seconds: float, text: str) -> None:
    assert show.took(NOW.isoformat(), (NOW + timedelta(seconds=seconds)).isoformat()) == text


def test_what_has_not_ended_took_nothing() -> None:
    assert show.took(NOW.isoformat(), None) == show.took(None, None) == ""


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (18_400_000, "18.4 MB"),
        (999_949, "1.0 MB"),
        (123_456_789, "123 MB"),
        (2 * 1024**3, "2.1 GB"),
        (5 * 10**15, "5000 TB"),
    ],
)
def test_sizes(count: int, text: str) -> None:
    assert show.size(count) == text


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("plain ünï 😀", "plain ünï 😀"),
        ("\x1b[2J\x1b]8;;http://example.com\x07", "\\x1b[2J\\x1b]8;;http://example.com\\x07"),
        ("a\nb\tc\r", "a\\x0ab\\x09c\\x0d"),
        ("\x9b31m", "\\x9b31m"),
        ("user\u202etxt.exe", "user\\u202etxt.exe"),
    ],
)
def test_what_others_wrote_can_not_steer_the_terminal(given: str, shown: str) -> None:
    assert clean(given) == shown


def test_lines_stay_lines_where_lines_are_meant() -> None:
    assert clean("a\nb\x07\n", lines=True) == "a\nb\\x07\n"


def test_a_table_is_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    show.table(("Name", "Status"), [("blog", "live"), ("a-longer-name", "failed"), ("x\x1b", "")])
    assert capsys.readouterr().out == ("Name           Status\nblog           live\na-longer-name  failed\nx\\x1b\n")


@pytest.mark.parametrize(
    ("room", "line"),
    [
        (200, "0123456789abcdef  a-rather-long-name  succeeded  someone@example.com"),
        (60, "0123456789abcdef  a-rather-lo...  succeeded  someone@exam..."),
        (40, "0123456789abcdef  a-rather...  succeeded"),
        (20, "0123456789abcdef"),
        (5, "0123456789abcdef"),
    ],
)
def test_a_table_fits_its_terminal(
    room: int, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(room))
    show.table(("Id", "Name", "Status", "By"), [tuple(ROW)])
    shown = clean_of_colour(capsys.readouterr().out)
    assert shown.splitlines()[1] == line


ROW = ("0123456789abcdef", "a-rather-long-name", "succeeded", "someone@example.com")


def clean_of_colour(text: str) -> str:
    return re.sub(r"\x1b\[\d*m", "", text)


def test_facts_are_aligned_and_leave_out_what_is_empty(capsys: pytest.CaptureFixture[str]) -> None:
    show.facts([("Name", "blog"), ("Address", "http://blog.localhost/"), ("Error", "")])
    assert capsys.readouterr().out == "Name     blog\nAddress  http://blog.localhost/\n"
