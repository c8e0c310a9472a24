"""A certificate with its chain and its key, as text: read, and found to be fit for a host or not."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from appliance.errors import Invalid

LONGEST_CHAIN = 10


@dataclass(frozen=True)
class Pair:
    """What NGINX is given: the host's certificate, then those that vouch for it, and the key."""

    chain: str
    key: str = field(repr=False)

    @property
    def leaf(self) -> x509.Certificate:
        return x509.load_pem_x509_certificate(self.chain.encode())

    @property
    def begins(self) -> datetime:
        return self.leaf.not_valid_before_utc

    @property
    def ends(self) -> datetime:
        return self.leaf.not_valid_after_utc

    @property
    def issuer(self) -> str:
        """Who issued it, by the name that a person would know."""
        name = self.leaf.issuer
        for oid in (x509.NameOID.ORGANIZATION_NAME, x509.NameOID.COMMON_NAME):
            if found := name.get_attributes_for_oid(oid):
                return str(found[0].value)
        return name.rfc4514_string() or "an unnamed issuer"


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def own_key(text: str) -> ec.EllipticCurvePrivateKey | None:
    """Read back one that was made here."""
    try:
        key = load_pem_private_key(text.encode(), None)
    except ValueError:
        return None
    return key if isinstance(key, ec.EllipticCurvePrivateKey) else None


def key_text(key: PrivateKeyTypes) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def chain_text(certificates: Sequence[x509.Certificate]) -> str:
    return "".join(one.public_bytes(Encoding.PEM).decode() for one in certificates)


def covers(certificate: x509.Certificate, host: str) -> bool:
    """By its alternative names alone, as browsers see it. A wildcard stands for one part."""
    _, _, above = host.partition(".")
    return any(name.lower() in (host, f"*.{above}") for name in names_of(certificate))


def names_of(certificate: x509.Certificate) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return found.value.get_values_for_type(x509.DNSName)


def checked(chain: str, key: str, host: str, now: datetime) -> Pair:
    """What was uploaded, if it is fit for this host; Invalid says of each part what is wrong with it."""
    errors: dict[str, str] = {}
    certificates = _certificates(chain, errors)
    private = _key(key, errors)
    if certificates and private:
        _belong(certificates, private, errors)
    if certificates and "chain" not in errors:
        wrong = _order(certificates) or _fit(certificates[0], host, now)
        if wrong:
            errors["chain"] = wrong
    if errors or private is None:
        raise Invalid(errors)
    return Pair(chain_text(certificates), key_text(private))


def _certificates(text: str, errors: dict[str, str]) -> list[x509.Certificate]:
    if "-----BEGIN CERTIFICATE-----" not in text:
        key = "PRIVATE KEY-----" in text
        errors["chain"] = (
            "This is the key; the certificate belongs here"
            if key
            else "Paste the certificate as PEM: it begins with -----BEGIN CERTIFICATE-----"
        )
        return []
    try:
        found = x509.load_pem_x509_certificates(text.encode())
    except ValueError:
        errors["chain"] = "This can't be read as certificates; copy all of it again, with its first and last lines"
        return []
    if len(found) > LONGEST_CHAIN:
        errors["chain"] = f"These are {len(found)} certificates; enter the host's own and those that vouch for it"
        return []
    return found


def _key(text: str, errors: dict[str, str]) -> PrivateKeyTypes | None:
    if "PRIVATE KEY-----" not in text:
        certificate = "-----BEGIN CERTIFICATE-----" in text
        errors["key"] = (
            "This is a certificate; its key belongs here"
            if certificate
            else "Paste the key as PEM: it begins with -----BEGIN PRIVATE KEY-----"
        )
        return None
    try:
        key = load_pem_private_key(text.encode(), None)
    except TypeError:
        errors["key"] = "The key is locked with a passphrase; take that off first: `openssl pkey -in key.pem`"
        return None
    except ValueError:
        locked = "ENCRYPTED" in text
        errors["key"] = (
            "The key is locked with a passphrase; take that off first: `openssl pkey -in key.pem`"
            if locked
            else "This can't be read as a key; copy all of it again, with its first and last lines"
        )
        return None
    if not isinstance(key, (ec.EllipticCurvePrivateKey, rsa.RSAPrivateKey)):
        errors["key"] = "Browsers take RSA and elliptic curve keys only; make a new certificate with one of these"
        return None
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size < 2048:
        errors["key"] = f"The key has {key.key_size} bits, which is too few; browsers want 2,048 or more"
        return None
    return key


def _belong(certificates: list[x509.Certificate], key: PrivateKeyTypes, errors: dict[str, str]) -> None:
    own = _public(key)
    if _bytes_of(certificates[0]) == own:
        return
    if any(_bytes_of(one) == own for one in certificates[1:]):
        errors["chain"] = "The order is wrong: the host's own certificate comes first, then those that vouch for it"
    else:
        errors["key"] = "This key belongs to another certificate"


def _public(key: PrivateKeyTypes) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _bytes_of(certificate: x509.Certificate) -> bytes:
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _order(certificates: list[x509.Certificate]) -> str:
    for number, (one, above) in enumerate(pairwise(certificates), 1):
        try:
            one.verify_directly_issued_by(above)
        except (ValueError, TypeError, InvalidSignature):
            return f"The order is wrong: number {number + 1} of the certificates did not issue number {number}"
    return ""


def _fit(leaf: x509.Certificate, host: str, now: datetime) -> str:
    if leaf.not_valid_after_utc <= now:
        return f"It ended on {leaf.not_valid_after_utc:%Y-%m-%d}; get a new one"
    if leaf.not_valid_before_utc > now:
        return f"It begins on {leaf.not_valid_before_utc:%Y-%m-%d} only"
    if not covers(leaf, host):
        names = names_of(leaf)
        told = f"it is for {', '.join(names[:5])}" if names else "it names no host at all"
        return f"It does not cover {host}: {told}"
    return ""
