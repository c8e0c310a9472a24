"""What is sent: taken by services as strict as the real ones, whatever a text says."""

import base64
import hashlib
import hmac
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.model.channels import KEY
from appliance.model.notices import EVENTS, Notice, example
from appliance.notify.forms import FORMS, Form, signed
from appliance.notify.said import said
from tests.fakes.receivers import STRICT, Got

AT = "2026-11-20T12:34:56.000Z"
BAD = (
    "@everyone", "<!channel>", "<!here|x>", "<@U012>", "@here <@&1>", "[x](http://evil.example)", "```",
    "a\r\nBcc: x@y",
    "\u202eevil", "\ud800", "{project}", "<at>all</at>", '"}],"x":"', "\x00\x1b[2J", "&lt;!channel&gt;", "x" * 9000,
    "\\@everyone", "||x||", "_" * 4000, "@\u2060everyone",
)  # fmt: skip
ANY = st.one_of(st.text(max_size=300), st.sampled_from(BAD), st.tuples(st.sampled_from(BAD), st.text()).map("".join))


def made(kind: str, notice: Notice, token: str = "") -> tuple[Form, Got]:
    path = "/topic" if kind == "ntfy" else "/hook/T0/B0"
    form = FORMS[kind](said("0" * 20, notice, "https://deploy.example.net"), path, token)
    return form, Got(form.path, {name.lower(): value for name, value in form.headers.items()}, form.body)


@pytest.mark.parametrize("kind", STRICT)
@pytest.mark.parametrize("event", EVENTS)
def test_each_event_is_taken_by_each_service(kind: str, event: str) -> None:
    _, got = made(kind, example(event, AT))
    status, _, why = STRICT[kind](got)
    assert status < 300, why


@pytest.mark.parametrize("kind", FORMS)
@given(st.builds(Notice, st.sampled_from(list(EVENTS)), st.just(AT), ANY, ANY, ANY, st.none(), ANY, ANY))
def test_no_text_breaks_what_is_sent(kind: str, notice: Notice) -> None:
    """Nor its headers, nor calls anybody: however a project, a host or a person is called."""
    assert Notice.of(notice.text) == notice, "it is kept as it was"
    form, got = made(kind, notice, "token" if kind == "ntfy" else "")
    for name, value in form.headers.items():
        assert f"{name}{value}".isascii() and f"{name}{value}".isprintable()
    if kind in STRICT:
        status, _, why = STRICT[kind](got)
        assert status < 300, why
    if kind != "email":
        shape = json.loads(form.body)
        usual = json.loads(made(kind, example(notice.event, AT))[0].body)
        assert shape.keys() == usual.keys()
    if kind == "discord":
        assert not re.search(rb"@(everyone|here)", form.body)
    if kind == "email":
        words = said("0" * 20, notice, "https://deploy.example.net")
        assert words.title.isprintable() or not re.search(r"[\r\n\x00]", words.title)


def test_the_mark_of_a_webhook_is_the_one_that_others_check() -> None:
    """Checked by hand, as the docs say it."""
    key = f"{KEY}{base64.b64encode(b'k' * 32).decode()}"
    form, _ = made("webhook", example("deployment.failed", AT))
    sent = signed(form, "0" * 20, 1_800_000_000, key)
    assert sent.body == form.body and sent.headers["webhook-id"] == "0" * 20
    covered = b"0" * 20 + b".1800000000." + sent.body
    mark = base64.b64encode(hmac.new(b"k" * 32, covered, hashlib.sha256).digest()).decode()
    assert sent.headers["webhook-signature"] == f"v1,{mark}"
    other = signed(Form("/", sent.body + b" "), "0" * 20, 1_800_000_000, key)
    assert other.headers["webhook-signature"] != sent.headers["webhook-signature"]


def test_a_webhook_says_what_happened() -> None:
    body = json.loads(made("webhook", example("deployment.failed", AT))[0].body)
    assert body == {
        "id": "0" * 20,
        "event": "deployment.failed",
        "at": AT,
        "title": "blog #12 failed in production",
        "detail": "This is an example: nothing happened.",
        "subject": "#12",
        "project": "blog",
        "environment": "production",
        "deployment": "0" * 20,
        "actor": "Homeport",
        "link": "https://deploy.example.net/deployments/00000000000000000000",
        "appliance": "https://deploy.example.net",
    }
