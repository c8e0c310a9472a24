"""An authority of our own, for hosts that no public one can reach. Its key never leaves the data folder."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from appliance.certificates.pem import Pair, chain_text, key_text, new_key
from appliance.errors import HostFailed
from appliance.machine import files

ROOT_LASTS = timedelta(days=3652)
LEAF_LASTS = timedelta(days=90)
EARLY = timedelta(hours=1)  # clocks differ
CERTIFICATE, KEY = "root.pem", "root.key"


def issue(folder: Path, hosts: Sequence[str], now: datetime, instance: str) -> Pair:
    """A certificate for these hosts, signed by the root, which is made where there is none."""
    root, root_key = _root(folder, now, instance)
    key = new_key()
    ends = min(now + LEAF_LASTS, root.not_valid_after_utc)
    leaf = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(root.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - EARLY)
        .not_valid_after(ends)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=True)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    return Pair(chain_text([leaf]), key_text(key))


def root_text(folder: Path) -> str | None:
    """The root as PEM, for people to install; None while there is none."""
    try:
        return (folder / CERTIFICATE).read_text("ascii")
    except FileNotFoundError:
        return None


def _root(folder: Path, now: datetime, instance: str) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """The key is written first: a root that is there has its key."""
    if root_text(folder) is None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = new_key()
        files.write_whole(folder / KEY, key_text(key), mode=0o600)
        files.write_whole(folder / CERTIFICATE, chain_text([_new_root(key, now, instance)]))
    return _read(folder)


def _read(folder: Path) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    try:
        root = x509.load_pem_x509_certificate((folder / CERTIFICATE).read_bytes())
        key = load_pem_private_key((folder / KEY).read_bytes(), None)
    except (FileNotFoundError, ValueError, TypeError) as why:
        raise _unusable(folder, "can't be read") from why
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != root.public_key():
        raise _unusable(folder, "do not belong together")
    return root, key


def _new_root(key: ec.EllipticCurvePrivateKey, now: datetime, instance: str) -> x509.Certificate:
    """It vouches for hosts only, never for another authority."""
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Homeport"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Homeport internal CA {instance[:8]}"),
        ]
    )
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - EARLY)
        .not_valid_after(now + ROOT_LASTS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _unusable(folder: Path, why: str) -> HostFailed:
    return HostFailed(
        f"The root certificate of the internal CA and its key in {folder} {why}.",
        code="no_root",
        todo=(
            f"Put {CERTIFICATE} and {KEY} back from a copy of the disk.",
            f"Or move {folder} away: a new root is made then, which everybody has to install.",
        ),
    )
