"""Numbers, sizes and times in words."""

import unicodedata
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.model.amounts import size
from appliance.web import words

NOW = datetime(2026, 11, 20, 14, 32, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (4_200_000, "4.2 MB"),
        (18_350_000, "18.4 MB"),
        (99_949_999, "99.9 MB"),
        (99_950_000, "100 MB"),
        (999_600_000, "1.0 GB"),
        (41_000_000_000, "41.0 GB"),
        (5 * 10**15, "5,000 TB"),
    ],
)
def test_sizes_are_decimal_with_one_decimal_under_100(count: int, text: str) -> None:
    assert size(count) == text


@pytest.mark.parametrize(
    ("count", "text"), [(2 << 30, "2 GiB"), (512 << 20, "512 MiB"), (3 << 10, "3 KiB"), (1000, "1,000 bytes")]
)
def test_limits_are_said_as_they_are_set(count: int, text: str) -> None:
    assert words.limit(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "<0.01 s"),
        (0.02, "0.02 s"),
        (0.42, "0.4 s"),
        (9.94, "9.9 s"),
        (19.4, "19 s"),
        (59.7, "1 min"),
        (125, "2 min 5 s"),
        (3780, "1 h 3 min"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert words.duration(seconds) == text


@pytest.mark.parametrize(("seconds", "text"), [(9, "0:09"), (65, "1:05"), (3725, "1:02:05"), (-3, "0:00")])
def test_stopwatches(seconds: float, text: str) -> None:
    assert words.stopwatch(seconds) == text


@pytest.mark.parametrize(
    ("before", "text"),
    [
        (timedelta(seconds=-3), "just now"),
        (timedelta(seconds=9), "9 s ago"),
        (timedelta(minutes=4), "4 min ago"),
        (timedelta(hours=1), "1 hour ago"),
        (timedelta(hours=23), "23 hours ago"),
        (timedelta(hours=30), "yesterday"),
        (timedelta(days=6), "6 days ago"),
        (timedelta(days=8), "12 Nov"),
        (timedelta(days=400), "16 Oct 2025"),
    ],
)
def test_times_are_relative_for_a_week(before: timedelta, text: str) -> None:
    assert words.since(NOW - before, NOW) == text


@pytest.mark.parametrize(
    ("ahead", "text"),
    [
        (timedelta(seconds=30), "In 1 minute"),
        (timedelta(hours=5), "In 5 hours"),
        (timedelta(days=89, hours=23), "In 90 days"),
        (timedelta(hours=-2), "Ended 2 hours ago"),
    ],
)
def test_what_ends_says_when(ahead: timedelta, text: str) -> None:
    assert words.until(NOW + ahead, NOW) == text


def test_days_have_headings() -> None:
    assert words.day(NOW, NOW) == "Today, 20 November"
    assert words.day(NOW - timedelta(days=1), NOW) == "Yesterday, 19 November"
    assert words.day(NOW - timedelta(days=400), NOW) == "16 October 2025"


def test_a_time_has_the_whole_of_it_in_its_title() -> None:
    made = words.time_element("<4 min ago>", NOW)
    assert made == ('<time datetime="2026-11-20T14:32:07Z" title="20 Nov 2026, 14:32:07 UTC">&lt;4 min ago&gt;</time>')


def test_backticks_make_code_and_nothing_else_makes_markup() -> None:
    assert words.code_words("run `nginx -t` <now>") == "run <code>nginx -t</code> &lt;now&gt;"
    assert words.code_words("one ` alone <b>") == "one ` alone &lt;b&gt;"


def test_the_first_sentence_stands_out() -> None:
    assert words.first_strong("It <b> broke. Mend `it`.") == (
        "<p><strong>It &lt;b&gt; broke.</strong> Mend <code>it</code>.</p>"
    )


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]8;;javascript:alert(1)\x07link\x1b]8;;\x07", "link"),
        ("\x1b]0;title\x1b\\after", "after"),
        ("bell\x07", "bell\N{REPLACEMENT CHARACTER}"),
        ("left\u202eright", "left\N{REPLACEMENT CHARACTER}right"),
        ("a\tb", "a\tb"),
    ],
)
def test_what_a_terminal_would_act_on_is_taken_out(text: str, plain: str) -> None:
    assert words.plain(text) == plain


@given(st.text())
def test_plain_text_has_nothing_that_acts(text: str) -> None:
    made = words.plain(text)
    assert not any(unicodedata.category(letter) == "Cc" and letter not in "\t\n" for letter in made)
