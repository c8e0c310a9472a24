"""Every template, read as text: nothing that the policy would refuse, no secret in an address."""

import re
from pathlib import Path

import pytest

TEMPLATES = sorted((Path(__file__).resolve().parents[2] / "appliance" / "templates").rglob("*.html"))
ids = pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)


@ids
def test_no_inline_style_or_script(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"<[^>]*\s(style|on[a-z]+|hx-on[:a-z-]*)=", text)
    assert "<style" not in text
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)


@ids
def test_nothing_comes_from_elsewhere(path: Path) -> None:
    assert not re.search(r"""(src|href|action)=["'](https?:)?//""", path.read_text())


@ids
def test_what_is_secret_is_posted(path: Path) -> None:
    for form in re.findall(r"<form\b.*?</form>", path.read_text(), re.DOTALL):
        if re.search(r'type="password"|"password"|token', form):
            assert re.match(r'<form\b[^>]*method="post"', form)


@ids
def test_markup_is_never_waved_through(path: Path) -> None:
    assert not re.search(r"\|\s*safe\b|autoescape\s+false", path.read_text())


@ids
def test_the_voice(path: Path) -> None:
    """Words that Homeport doesn't use."""
    assert not re.search(r"\b(please|sorry|oops|successfully|simply)\b", path.read_text(), re.IGNORECASE)
