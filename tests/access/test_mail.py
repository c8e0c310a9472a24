"""E-mail through the doors: set, tried, sent by a job, tried again."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from appliance.access import mail
from appliance.context import Context
from appliance.events import JobAdded
from tests import inside
from tests.access.cast import signed_in_as
from tests.appliance import EMAIL, Appliance
from tests.mailbox import PASSWORD, mailbox
from tests.servers import eventually, free_port
from tests.ui.pages import owner_of


@pytest.fixture
def ctx(tmp_path: Path) -> Iterator[Context]:
    with inside.context(tmp_path / "data") as made:
        yield made


def test_an_owner_sets_it_and_tries_it(fresh: Appliance) -> None:
    said = fresh.ask("POST", "/mail/test", json={}).json()["items"]
    assert [one["status"] for one in said] == ["failed"] and "No mail server is set" in said[0]["text"]
    with mailbox() as box:
        fresh.ask("PATCH", "/settings", json=box.settings())
        assert [one["status"] for one in fresh.ask("POST", "/mail/test", json={}).json()["items"]] == ["ok", "ok"]
        assert box.wait()["To"] == EMAIL
        fresh.ask("POST", "/mail/test", json={"to": "other@example.com"})
        assert box.wait(2)["To"] == "other@example.com"
    assert fresh.ask("POST", "/mail/test", json={"to": "x@y\nz"}).status_code == 422


def test_the_page_tries_what_was_typed_and_shows_no_password(fresh: Appliance) -> None:
    with closing(owner_of(fresh)) as browser, mailbox() as box:
        typed = {**box.settings(), "smtp_password": PASSWORD}
        page = browser.post("/settings/mail/test", data=typed)
        assert "A message was sent." in page.text and PASSWORD not in page.text
        assert fresh.ask("POST", "/mail/test", json={}).json()["items"][0]["status"] == "failed", "nothing was saved"
        assert browser.post("/settings/mail", data=typed).status_code == 303
        shown = browser.get("/settings/mail").text
        assert PASSWORD not in shown and "It is never shown" in shown
        assert browser.post("/settings/mail", data=box.settings(smtp_from="a@b\r\nBcc: c@d")).status_code == 422
        refused = browser.post("/settings/mail/test", data=box.settings(smtp_port=str(free_port())))
        assert "can&#39;t be reached" in refused.text


def test_whoever_is_no_owner_may_not_lead_the_mail_elsewhere(fresh: Appliance) -> None:
    """An admin who could would have every owner's link to a new password."""
    changes = {"smtp_host": "evil.example.org", "url": "https://evil.example.org", "password_sign_in": False}
    with signed_in_as(fresh, "admin") as admin:
        for name, value in changes.items():
            assert admin.patch("/settings", json={name: value}).status_code == 403
        assert admin.patch("/settings", json={"backup_hour": "4"}).status_code == 200
        assert admin.post("/mail/test", json={}).status_code == 403


def test_what_can_not_be_sent_now_is_sent_later(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "WAITS", tuple(wait / 100 for wait in mail.WAITS))
    with mailbox() as box, inside.working(ctx):
        inside.save(ctx, **box.settings())
        box.refusals = ["451 Not now"]
        _post(ctx)
        assert box.wait()["Subject"] == "hello"
        eventually(lambda: _verbs(ctx)[:1] == ["mail.sent"])
        assert _rows(ctx) == 0


def test_what_can_never_be_sent_is_given_up_and_written_down(ctx: Context) -> None:
    with mailbox() as box, inside.working(ctx):
        inside.save(ctx, **box.settings())
        box.refusals = ["550 No such person"]
        _post(ctx)
        eventually(lambda: _verbs(ctx)[:1] == ["mail.failed"])
        assert _rows(ctx) == 0 and box.arrived == []


def test_what_waits_can_not_be_read_in_the_database(ctx: Context) -> None:
    _post(ctx)
    ctx.db.read().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    kept = b"".join(path.read_bytes() for path in ctx.data.glob("homeport.db*"))
    assert b"someone@example.com" in kept and b"a-link-that-opens-something" not in kept


def _post(ctx: Context) -> None:
    with ctx.write(JobAdded()) as db:
        mail.post(ctx, db, "someone@example.com", "hello", "a-link-that-opens-something")


def _verbs(ctx: Context) -> list[str]:
    return [row["verb"] for row in ctx.db.read().execute("SELECT verb FROM activity ORDER BY id DESC")]


def _rows(ctx: Context) -> int:
    (number,) = ctx.db.read().execute("SELECT count(*) FROM mails").fetchone()
    return int(number)
