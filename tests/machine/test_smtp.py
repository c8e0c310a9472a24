"""E-mail over real connections: what arrives, and what is said where nothing can."""

from dataclasses import replace
from pathlib import Path

import pytest

from appliance.errors import RemoteFailed
from appliance.machine import smtp
from tests.mailbox import PASSWORD, SENDER, USER, Mailbox, mailbox, make_certificate
from tests.servers import free_port

HELLO = smtp.Message(
    "someone@example.com", "Grüße, “hello”", "One line.\nAnother: ünïcödé\n.\nA dot alone before this.\n"
)


def by(box: Mailbox, security: str = "none", user: str = "", password: str = "") -> smtp.Server:
    return smtp.Server("127.0.0.1", box.port, security, user, password, SENDER)


def refused(server: smtp.Server, message: smtp.Message = HELLO) -> RemoteFailed:
    with pytest.raises(RemoteFailed) as why:
        smtp.send(server, message)
    assert PASSWORD not in f"{why.value.detail}{why.value.said}{why.value.todo}"
    return why.value


def test_a_message_arrives_as_it_was_written() -> None:
    with mailbox() as box:
        smtp.send(by(box), HELLO)
    (mail,) = box.arrived
    assert mail["From"] == SENDER and mail["To"] == "someone@example.com" and mail["Subject"] == HELLO.subject
    assert mail["Auto-Submitted"] == "auto-generated" and mail["Message-ID"] and mail["Date"]
    assert mail.get_content().replace("\r\n", "\n") == HELLO.text


@pytest.mark.parametrize(
    "message",
    [
        smtp.Message("someone@example.com\r\nBcc: thief@example.org", "hello", "x"),
        smtp.Message("someone@example.com, thief@example.org", "hello", "x"),
        smtp.Message("<someone@example.com> SIZE=1\r\nRCPT TO:<thief@example.org>", "hello", "x"),
        smtp.Message("someone@example.com", "hello\r\nBcc: thief@example.org", "x"),
        smtp.Message("someone@example.com", "hello\nX: y", "x"),
        smtp.Message("", "hello", "x"),
    ],
    ids=["to-line", "to-two", "to-command", "subject", "subject-lf", "nobody"],
)
def test_nothing_can_be_slipped_into_a_message(message: smtp.Message) -> None:
    with mailbox() as box:
        assert refused(by(box), message).permanent
        assert box.arrived == []


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # it does not count TLS from the start
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_it_is_encrypted_and_the_server_knows_who_sends(
    security: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = make_certificate(tmp_path)
    with mailbox(security=security, certificate=certificate, asks=True) as box:
        why = refused(by(box, security, USER, PASSWORD))
        assert "is not one that this host trusts" in why.detail and not why.permanent
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        smtp.send(by(box, security, USER, PASSWORD), HELLO)
        assert len(box.arrived) == 1
        why = refused(by(box, security, USER, "another"))
        assert "did not take the user name and the password" in why.detail and why.permanent


def test_a_server_that_stays_in_the_clear_gets_nothing() -> None:
    """Whoever sits in between and takes STARTTLS out of the offer learns nothing."""
    with mailbox() as box:
        why = refused(by(box, "starttls", USER, PASSWORD))
        assert "does not offer STARTTLS, so nothing was sent" in why.detail
        assert "does not speak TLS" in refused(by(box, "tls")).detail
        assert box.arrived == []


def test_a_password_never_goes_over_the_network_in_the_clear() -> None:
    server = smtp.Server("mail.example.invalid", 25, "none", USER, PASSWORD, SENDER)
    assert "for anyone to read" in refused(server).detail


def test_what_the_server_says_is_passed_on() -> None:
    with mailbox() as box:
        box.refusals = ["452 Later", "554 Never"]
        first, second = refused(by(box)), refused(by(box))
    assert (first.permanent, second.permanent) == (False, True)
    assert (first.said, second.said) == ("452 Later", "554 Never")


def test_nobody_there() -> None:
    why = refused(replace(smtp.Server("127.0.0.1", free_port(), "none", "", "", SENDER)))
    assert "can't be reached" in why.detail and not why.permanent
