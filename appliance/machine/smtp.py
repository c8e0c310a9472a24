"""The only place that sends e-mail: one message by one server, or in plain words why not."""

import ipaddress
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid, parseaddr

from appliance.errors import RemoteFailed
from appliance.machine import clock

TIMEOUT = 20.0  # seconds for each answer of the server


class _Failed(RemoteFailed):
    code = "mail_failed"
    title = "The e-mail was not sent"


@dataclass(frozen=True)
class Server:
    """Where mail goes out, and in whose name."""

    host: str
    port: int
    security: str  # `starttls`, `tls` or `none`
    user: str
    password: str = field(repr=False)
    sender: str  # an address, or a name and an address

    @property
    def name(self) -> str:
        return f"{self.host} port {self.port}"


@dataclass(frozen=True)
class Message:
    to: str
    subject: str
    text: str = field(repr=False)


def send(server: Server, message: Message) -> None:
    """Taken by the server when this returns; `permanent` in what it raises says that trying again can't help."""
    made = _made(server, message)
    with _signed_in(server) as connection:
        connection.send_message(made)


def try_out(server: Server) -> None:
    """Everything but a message."""
    with _signed_in(server) as connection:
        connection.noop()


def _made(server: Server, message: Message) -> EmailMessage:
    """The policy refuses a header with a line break in it, and addresses are never parsed out of a text."""
    name, address = parseaddr(server.sender)
    made = EmailMessage(SMTP)
    try:
        made["From"] = Address(name, addr_spec=address)
        made["To"] = Address(addr_spec=message.to)
        made["Subject"] = message.subject
    except (ValueError, IndexError) as why:
        raise _Failed("The address or the subject of this message can't be sent.", permanent=True) from why
    made["Date"] = format_datetime(clock.now())
    made["Message-ID"] = make_msgid("homeport", _domain(server))
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(message.text)
    return made


@contextmanager
def _signed_in(server: Server) -> Iterator[smtplib.SMTP]:
    """A connection that is as safe as it was asked to be; one that can't be is none."""
    _refuse_bare_password(server)
    try:
        with _opened(server) as connection:
            if server.security == "starttls":
                connection.starttls(context=ssl.create_default_context())
            if server.user:
                connection.login(server.user, server.password)
            yield connection
    except (smtplib.SMTPException, OSError, ValueError) as why:
        raise _told(server, why) from None  # what the library raises may hold what was sent


@contextmanager
def _opened(server: Server) -> Iterator[smtplib.SMTP]:
    """It greets by the domain of the sender: asking the network for this host's name may take long."""
    if server.security == "tls":
        context = ssl.create_default_context()
        connection: smtplib.SMTP = smtplib.SMTP_SSL(
            server.host, server.port, _domain(server), timeout=TIMEOUT, context=context
        )
    else:
        connection = smtplib.SMTP(server.host, server.port, _domain(server), timeout=TIMEOUT)
    try:
        yield connection
    finally:
        with suppress(smtplib.SMTPException, OSError):
            connection.quit()
        connection.close()


def _refuse_bare_password(server: Server) -> None:
    if server.security == "none" and server.user and not _is_here(server.host):
        raise _Failed(
            f"The password for {server.name} would go over the network for anyone to read, so it was not sent.",
            permanent=True,
            todo=("Choose STARTTLS or TLS.", "Or leave the user name empty, where the server asks for none."),
        )


def _told(server: Server, why: Exception) -> _Failed:
    """What went wrong, and what would mend it."""
    if isinstance(why, ssl.SSLError):
        return _unsafe(server, why)
    if isinstance(why, smtplib.SMTPNotSupportedError):
        return _not_offered(server, str(why))
    if isinstance(why, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _ in why.recipients.values()]
        detail = f"{server.name} does not take mail for this address."
        return _Failed(detail, permanent=all(code >= 500 for code in codes), said=_said(why))
    if isinstance(why, smtplib.SMTPResponseException):
        return _refused(server, why)
    return _Failed(
        f"{server.name} can't be reached: {_said(why) or type(why).__name__}.",
        permanent=False,
        todo=("Check the host, the port and the security, and that this host may reach it.",),
    )


def _unsafe(server: Server, why: ssl.SSLError) -> _Failed:
    if isinstance(why, ssl.SSLCertVerificationError):
        return _Failed(
            f"The certificate of {server.name} is not one that this host trusts.",
            permanent=False,
            todo=("Use the name that is in the certificate.", "Or have this host trust the authority that made it."),
            said=why.verify_message,
        )
    return _Failed(
        f"{server.name} does not speak TLS from the first byte, or not a version that is safe.",
        permanent=False,
        todo=("Port 465 goes with TLS, ports 587 and 25 with STARTTLS.",),
        said=_said(why),
    )


def _refused(server: Server, why: smtplib.SMTPResponseException) -> _Failed:
    detail, todo = f"{server.name} said no.", ""
    if isinstance(why, smtplib.SMTPAuthenticationError):
        detail = f"{server.name} did not take the user name and the password."
        todo = "Check the user name and the password. Many providers want a password made for one program."
    elif isinstance(why, smtplib.SMTPSenderRefused):
        detail = f"{server.name} does not send in the name of {parseaddr(server.sender)[1]}."
        todo = "Check the sender, and whether the server asks for a user name."
    return _Failed(detail, permanent=why.smtp_code >= 500, todo=(todo,) if todo else (), said=_said(why))


def _not_offered(server: Server, said: str) -> _Failed:
    if "STARTTLS" in said:
        detail = f"{server.name} does not offer STARTTLS, so nothing was sent."
        return _Failed(detail, permanent=True, todo=("Choose TLS, which goes with port 465.",), said=said)
    if "AUTH" in said or "auth" in said:
        detail = f"{server.name} does not ask who sends."
        return _Failed(detail, permanent=True, todo=("Leave the user name and the password empty.",), said=said)
    return _Failed(f"{server.name} can't take an address of this kind.", permanent=True, said=said)


def _said(why: Exception) -> str:
    """The server's own words."""
    if isinstance(why, smtplib.SMTPRecipientsRefused):
        return "; ".join(f"{code} {_text(words)}" for code, words in why.recipients.values())[:500]
    if isinstance(why, smtplib.SMTPResponseException):
        return f"{why.smtp_code} {_text(why.smtp_error)}"[:500]
    return str(why)[:500]


def _text(words: bytes | str) -> str:
    return words.decode("utf-8", "replace") if isinstance(words, bytes) else words


def _domain(server: Server) -> str:
    return parseaddr(server.sender)[1].rpartition("@")[2] or "localhost"


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
