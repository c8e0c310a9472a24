"""Secrets taken out of text, however they are spelled."""

import base64
import html
import json
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.machine.redacting import INSTEAD, Redactor

SECRET = "S3NT1NEL /+=\"'<&?\\token%~0123"

SPELLED = {
    "plain": SECRET,
    "in a URL": quote(SECRET),
    "whole in a URL": quote(SECRET, safe=""),
    "in a form": urlencode({"x": SECRET}).removeprefix("x="),
    "with a plus": quote_plus(SECRET),
    "in JSON": json.dumps(SECRET)[1:-1],
    "in JSON in JSON": json.dumps(json.dumps(SECRET)[1:-1])[1:-1],
    "in PHP's JSON": json.dumps(SECRET)[1:-1].replace("/", "\\/"),
    "as Python shows it": repr(SECRET)[1:-1],
    "in HTML": html.escape(SECRET),
    "base64": base64.b64encode(SECRET.encode()).decode(),
    "base64 for URLs": base64.urlsafe_b64encode(SECRET.encode()).decode().rstrip("="),
    "hexadecimal": SECRET.encode().hex(),
    "HEXADECIMAL": SECRET.encode().hex().upper(),
}


@pytest.mark.parametrize("how", SPELLED)
def test_a_spelling(how: str) -> None:
    clean = Redactor([SECRET])(f"before {SPELLED[how]} after")
    assert clean.startswith("before ") and clean.endswith(" after")
    assert INSTEAD in clean
    assert len(clean) <= len(f"before {INSTEAD}== after")


@pytest.mark.parametrize("name", ["", "u", "us", "user", "homeport@example.net"])
def test_base64_of_a_name_and_a_secret(name: str) -> None:
    """What stands in a header of basic authentication."""
    coded = base64.b64encode(f"{name}:{SECRET}".encode()).decode()
    clean = Redactor([SECRET])(f"Authorization: Basic {coded}")
    assert INSTEAD in clean
    left = clean.replace(INSTEAD, "").removeprefix("Authorization: Basic ").rstrip("=")
    assert len(left) <= len(base64.b64encode(f"{name}:".encode())) + 3


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=8, max_size=60), st.binary(max_size=5))
def test_any_secret_at_any_place(secret: str, before: bytes) -> None:
    coded = base64.b64encode(before + secret.encode() + b"end").decode()
    inner = base64.b64encode(secret.encode()).decode()
    clean = Redactor([secret])(f"{coded} {secret} {inner}")
    assert secret not in clean.replace(INSTEAD, "")
    assert clean.count(INSTEAD) >= 3


def test_the_longest_first_and_what_is_short_not_at_all() -> None:
    clean = Redactor(["12345678", "1234567890abcdef", "short"])
    assert clean("1234567890abcdef 12345678 short") == f"{INSTEAD} {INSTEAD} short"
    assert Redactor([])("anything") == "anything"
