"""Passwords are taken whole or refused with words, never cut."""

import time

import pytest

from appliance.access import passwords
from appliance.errors import Invalid
from appliance.model.people import NewPerson
from tests.api.test_contract import problem
from tests.appliance import EMAIL, Appliance

REFUSED = {
    "short": ("x" * 11, "at least 12 characters"),
    "empty": ("", "Enter a password"),
    "73 bytes": ("x" * 73, "at most 72 bytes"),
    "73 bytes in 37 characters": ("ü" * 36 + "x", "at most 72 bytes"),
    "19 emoji": ("\N{PARTY POPPER}" * 19, "at most 72 bytes"),
    "NUL": ("a password with \0 in it", "NUL"),
    "half a character": ("a password with \ud83d in it", "half a character"),
    "very long": ("x" * 2000, ""),
    "a number": (123456789012, "must be text"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_one_that_can_not_be_is_refused_in_words(name: str) -> None:
    password, words = REFUSED[name]
    with pytest.raises(Invalid) as why:
        NewPerson.parse({"email": EMAIL, "password": password})
    assert words in why.value.errors["password"]


@pytest.mark.parametrize("password", ["x" * 72, "ü" * 36, "\N{PARTY POPPER}" * 18, "twelve chars", " spaces count  "])
def test_one_that_can_is_taken_whole(password: str) -> None:
    assert NewPerson.parse({"email": EMAIL, "password": password}).password == password


def test_every_byte_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "ROUNDS", 4)
    stored = passwords.hashed("x" * 72)
    assert passwords.matches("x" * 72, stored)
    for wrong in ("x" * 71, "x" * 73, "x" * 71 + "y", "x" * 72 + "\0", ""):
        assert not passwords.matches(wrong, stored)
    assert not passwords.matches("a\0b", passwords.hashed("a?b" + "c" * 9))


@pytest.mark.parametrize(
    "email",
    ["", "x", "@", "a@", "@b", "a b@example.com", "a@b@c", "a\n@example.com", "a@exam\0ple.com", "x" * 300 + "@y"],
)
def test_an_address_that_is_none_is_refused(email: str) -> None:
    with pytest.raises(Invalid) as why:
        NewPerson.parse({"email": email, "password": "x" * 12})
    assert why.value.errors.keys() == {"email"}


def test_an_unknown_person_takes_as_long_as_a_wrong_password() -> None:
    """What would tell them apart is the time; it is the same work."""
    stored = passwords.hashed("a password of someone")

    def took(of: str) -> float:
        began = time.thread_time()
        passwords.matches("a guess", of)
        return time.thread_time() - began

    times = {of: min(took(of) for _ in range(5)) for of in (stored, passwords.NOBODY)}
    assert 0.6 < times[stored] / times[passwords.NOBODY] < 1.6


def test_what_is_said_tells_nobody_who_is_here(fresh: Appliance) -> None:
    answers = [
        fresh.http.post(f"{fresh.url}/api/v1/login", json={"email": email, "password": "wrong"})
        for email in (EMAIL, "nobody@example.com")
    ]
    first, second = (problem(answer, 401) for answer in answers)
    assert {**first, "request_id": ""} == {**second, "request_id": ""}
