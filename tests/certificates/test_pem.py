"""What is uploaded: taken when it is fit for the host, refused in words for each thing that is wrong."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from appliance.certificates import internal, pem
from appliance.certificates.pem import Pair, chain_text, key_text, new_key
from appliance.errors import HostFailed, Invalid

HOST = "www.example.com"
NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
ROOT = new_key()
ROOT_NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Some authority")])


def made(
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey,
    *names: str,
    begins: datetime = NOW - timedelta(days=1),
    ends: datetime = NOW + timedelta(days=89),
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder(ROOT_NAME, x509.Name([]), key.public_key(), x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
    )
    if names:
        alternative = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        builder = builder.add_extension(alternative, critical=True)
    return builder.sign(ROOT, hashes.SHA256())


def root() -> x509.Certificate:
    builder = x509.CertificateBuilder(ROOT_NAME, ROOT_NAME, ROOT.public_key(), x509.random_serial_number())
    dated = builder.not_valid_before(NOW - timedelta(days=9)).not_valid_after(NOW + timedelta(days=999))
    return dated.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(
        ROOT, hashes.SHA256()
    )


KEY = new_key()
GOOD = made(KEY, HOST)


def wrong(chain: str, key: str, host: str = HOST) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        pem.checked(chain, key, host, NOW)
    return refused.value.errors


@pytest.mark.parametrize("names", [(HOST,), ("*.example.com",), ("other.example.com", HOST.upper())])
def test_a_fit_one_is_taken(names: tuple[str, ...]) -> None:
    pair = pem.checked(chain_text([made(KEY, *names), root()]), key_text(KEY), HOST, NOW)
    assert pair.chain.count("BEGIN CERTIFICATE") == 2
    assert pair.issuer == "Some authority"


def test_each_mistake_has_words_of_its_own() -> None:
    key = key_text(KEY)
    good = chain_text([GOOD])
    assert "begins with -----BEGIN CERTIFICATE" in wrong("", key)["chain"]
    assert "begins with -----BEGIN PRIVATE KEY" in wrong(good, "")["key"]
    assert "This is the key" in wrong(key, key)["chain"]
    assert "This is a certificate" in wrong(good, good)["key"]
    assert "can't be read as certificates" in wrong(good.replace("M", "*", 5), key)["chain"]
    assert "can't be read as a key" in wrong(good, key[:80] + key[90:])["key"]
    assert wrong(good, key_text(new_key())) == {"key": "This key belongs to another certificate"}
    assert "comes first" in wrong(chain_text([root(), GOOD]), key)["chain"]
    assert "number 2 of the certificates did not issue number 1" in wrong(good + good, key)["chain"]
    assert wrong(good, key, "www.example.net") == {"chain": f"It does not cover www.example.net: it is for {HOST}"}
    assert (
        "deep.www.example.com" in wrong(chain_text([made(KEY, "*.example.com")]), key, "deep.www.example.com")["chain"]
    )
    assert "names no host at all" in wrong(chain_text([made(KEY)]), key)["chain"]
    assert wrong(chain_text([made(KEY, HOST, ends=NOW - timedelta(hours=1))]), key)["chain"].startswith(
        "It ended on 2027"
    )
    assert "begins on 2027-03-02" in wrong(chain_text([made(KEY, HOST, begins=NOW + timedelta(days=1))]), key)["chain"]


def test_keys_that_browsers_or_nginx_would_not_take_are_refused() -> None:
    locked = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"passphrase")).decode()
    old = KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, BestAvailableEncryption(b"pass")).decode()
    assert "locked with a passphrase" in wrong(chain_text([GOOD]), locked)["key"]
    assert "locked with a passphrase" in wrong(chain_text([GOOD]), old)["key"]
    strange = ed25519.Ed25519PrivateKey.generate()
    assert "RSA and elliptic curve" in wrong(chain_text([GOOD]), key_text(strange))["key"]
    short = rsa.generate_private_key(65537, 1024)
    assert "too few" in wrong(chain_text([GOOD]), key_text(short))["key"]


@given(st.text(), st.text())
def test_whatever_is_pasted_is_refused_in_words(chain: str, key: str) -> None:
    marked = f"-----BEGIN CERTIFICATE-----\n{chain}\n-----END CERTIFICATE-----"
    for text in (chain, marked):
        assert all(len(said) > 20 for said in wrong(text, f"PRIVATE KEY-----{key}").values())


def test_a_key_is_never_shown_by_accident() -> None:
    assert "PRIVATE" not in repr(Pair(chain_text([GOOD]), key_text(KEY)))


def test_the_internal_authority_makes_its_root_once(tmp_path: Path) -> None:
    first = internal.issue(tmp_path / "ca", (HOST,), NOW, "instance")
    second = internal.issue(tmp_path / "ca", ("*.example.com",), NOW, "instance")
    text = internal.root_text(tmp_path / "ca")
    assert text is not None
    authority = x509.load_pem_x509_certificate(text.encode())
    for pair in (first, second):
        pair.leaf.verify_directly_issued_by(authority)
        assert pem.checked(pair.chain, pair.key, HOST, NOW) == pair
        assert (pair.ends - NOW).days == 90
    assert (authority.not_valid_after_utc - NOW).days > 3600
    assert authority.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 0
    assert (tmp_path / "ca" / internal.KEY).stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "ca").stat().st_mode & 0o777 == 0o700


def test_a_root_whose_key_is_gone_is_said_and_not_made_anew(tmp_path: Path) -> None:
    internal.issue(tmp_path, (HOST,), NOW, "instance")
    (tmp_path / internal.KEY).unlink()
    with pytest.raises(HostFailed, match="can't be read") as refused:
        internal.issue(tmp_path, (HOST,), NOW, "instance")
    assert any("new root" in todo for todo in refused.value.todo)
