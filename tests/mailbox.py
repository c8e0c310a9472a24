"""A real mail server that keeps what it is sent."""

import datetime
import ipaddress
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.servers import eventually, free_port

USER, PASSWORD = "homeport", "mail-password-of-tests"
SENDER = "Homeport <homeport@example.net>"


class Mailbox:
    """What arrived, and how the server is to behave."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.arrived: list[EmailMessage] = []
        self.refusals: list[str] = []  # answered first, one for each message

    async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:
        if self.refusals:
            return self.refusals.pop(0)
        message = BytesParser(policy=default).parsebytes(envelope.content)
        assert isinstance(message, EmailMessage)
        self.arrived.append(message)
        return "250 OK"

    def wait(self, many: int = 1) -> EmailMessage:
        """The newest message, once there are so many."""
        eventually(lambda: len(self.arrived) >= many)
        return self.arrived[-1]

    def settings(self, **more: str) -> dict[str, str]:
        return {
            "smtp_host": "127.0.0.1",
            "smtp_port": str(self.port),
            "smtp_security": "none",
            "smtp_from": SENDER,
        } | more


class _Server(Controller):
    def factory(self) -> SMTP:
        return SMTP(self.handler, **self.SMTP_kwargs)


@contextmanager
def mailbox(*, security: str = "none", certificate: Path | None = None, asks: bool = False) -> Iterator[Mailbox]:
    """A server on a free port; with a certificate it speaks TLS at once or after STARTTLS, and may ask who sends."""
    box = Mailbox(free_port())
    more: dict[str, Any] = {}
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    if asks:
        more |= {"authenticator": _knows, "auth_required": True, "auth_require_tls": security == "starttls"}
    if security == "starttls":
        more |= {"tls_context": context, "require_starttls": True}
    server = _Server(
        box, hostname="127.0.0.1", port=box.port, ssl_context=context if security == "tls" else None, **more
    )
    server.start()
    try:
        yield box
    finally:
        server.stop()


def _knows(_server: object, _session: object, _envelope: object, _how: str, given: Any) -> AuthResult:
    good = isinstance(given, LoginPassword) and (given.login, given.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=good, handled=False)


def make_certificate(folder: Path) -> Path:
    """For 127.0.0.1, made and signed by nobody else."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "mail.pem"
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file
