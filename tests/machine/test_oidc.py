"""ID tokens: which are believed, and every way in which one may not be."""

import base64
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest

from appliance.machine import oidc
from appliance.machine.oauth import Client, Flow, NotBelieved, Who
from tests.fakes.issuer import CLIENT_ID, CLIENT_SECRET, Issuer, issuer, make_key

NONCE = "the-nonce-of-this-sign-in"
KEY, OTHER = make_key("one"), make_key("one")  # of the same name, so that only the signature tells
FLOW = Flow("http://127.0.0.1:1/login/with/test/back", "state", NONCE, "v" * 64)


@pytest.fixture
def there() -> Iterator[Issuer]:
    with issuer() as made:
        made.keys = [KEY.public]
        yield made


def client(there: Issuer) -> Client:
    return Client(there.url, CLIENT_ID, CLIENT_SECRET)


def finish(there: Issuer) -> Who:
    return oidc.finish(client(there), FLOW, "a-code")


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_a_good_token_is_believed(there: Issuer, algorithm: str) -> None:
    key = make_key("k", algorithm)
    there.keys = [key.public]
    there.signs(key, NONCE)
    assert finish(there) == Who("alice-there", "alice@example.com", verified=True)
    assert there.forms[-1]["code_verifier"] == FLOW.verifier and there.forms[-1]["redirect_uri"] == FLOW.back


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://accounts.example.org"},
        {"aud": "another-client"},
        {"aud": [CLIENT_ID, "another-client"]},
        {"aud": [CLIENT_ID, "another-client"], "azp": "another-client"},
        {"azp": "another-client"},
        {"aud": None},
        {"sub": None},
        {"sub": ""},
        {"exp": None},
        {"exp": 1},
        {"iat": None},
        {"iss": None},
        {"nonce": None},
        {"nonce": ""},
        {"nonce": "of-another-sign-in"},
        {"nbf": 4102444800},
    ],
    ids=lambda claims: ",".join(f"{name}={value}" for name, value in claims.items())[:40],
)
def test_a_token_for_something_else_is_not_believed(there: Issuer, claims: dict[str, Any]) -> None:
    there.signs(KEY, NONCE, **claims)
    with pytest.raises(NotBelieved):
        finish(there)


def test_one_for_several_is_believed_where_it_names_us(there: Issuer) -> None:
    there.signs(KEY, NONCE, aud=[CLIENT_ID, "another"], azp=CLIENT_ID)
    assert finish(there).subject == "alice-there"


def test_a_forged_signature_is_not_believed(there: Issuer) -> None:
    there.signs(OTHER, NONCE)
    with pytest.raises(NotBelieved, match="Signature verification failed"):
        finish(there)


def test_what_was_changed_after_it_was_signed_is_not_believed(there: Issuer) -> None:
    head, _, tail = there.signs(KEY, NONCE).split(".")
    there.token = f"{head}.{part(there.claims(NONCE, sub='owner-there'))}.{tail}"
    with pytest.raises(NotBelieved):
        finish(there)


@pytest.mark.parametrize("algorithm", ["none", "None", "nOnE", "HS256", "HS512", "RS512", "PS256", "ES384", "", None])
def test_the_token_does_not_choose_how_it_is_checked(there: Issuer, algorithm: str | None) -> None:
    """Neither without a signature, nor signed with what everybody knows: the public key as a password."""
    there.token = f"{part({'alg': algorithm, 'typ': 'JWT', 'kid': KEY.kid})}.{part(there.claims(NONCE))}."
    if algorithm and algorithm.startswith("HS"):
        signed = there.token.rstrip(".")
        mac = hmac.new(json.dumps(KEY.public).encode(), signed.encode(), f"sha{algorithm[2:]}").digest()
        there.token = f"{signed}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"
    with pytest.raises(NotBelieved):
        finish(there)


def test_a_key_is_used_for_nothing_else_than_it_is_for(there: Issuer) -> None:
    there.signs(KEY, NONCE)
    for other in ({"use": "enc"}, {"alg": "ES384"}, {"kty": "oct", "k": "c2VjcmV0"}, {"crv": "P-384"}):
        there.keys = [{**KEY.public, **other}]
        with pytest.raises(NotBelieved):
            finish(there)
        oidc.keys_of(oidc.discover(there.url), anew=True)


def test_a_key_in_the_token_itself_is_not_looked_at(there: Issuer) -> None:
    headers = {"kid": "one", "jwk": OTHER.public, "jku": f"{there.url}/theirs", "x5u": f"{there.url}/theirs"}
    there.token = jwt.encode(there.claims(NONCE), OTHER.private, "ES256", headers=headers)
    with pytest.raises(NotBelieved):
        finish(there)
    assert "/theirs" not in there.asked


def test_a_weak_key_is_not_believed(there: Issuer) -> None:
    weak = make_key("weak", "RS256", bits=1024)
    there.keys = [weak.public]
    with pytest.warns(jwt.warnings.InsecureKeyLengthWarning):
        there.signs(weak, NONCE)
    with pytest.raises(NotBelieved, match="below"):
        finish(there)


def test_keys_that_were_exchanged_are_looked_for_once_more(there: Issuer) -> None:
    there.signs(KEY, NONCE)
    finish(there)
    new = make_key("two")
    there.keys = [new.public]
    there.signs(new, NONCE)
    there.asked.clear()
    assert finish(there).subject == "alice-there"
    assert there.asked.count("/keys") == 1
    finish(there)
    assert there.asked.count("/keys") == 1, "and remembered"
    there.signs(make_key("three"), NONCE)
    with pytest.raises(NotBelieved, match="does not publish"):
        finish(there)
    assert there.asked.count("/keys") == 2, "not asked for again and again"


def test_an_address_that_is_elsewhere(there: Issuer) -> None:
    """Some keep it where one has to ask, and what is said there has to be of the same person."""
    there.signs(KEY, NONCE, email=None, email_verified=None)
    there.userinfo = {"sub": "alice-there", "email": "alice@example.com", "email_verified": True}
    assert finish(there) == Who("alice-there", "alice@example.com", verified=True)
    there.userinfo["sub"] = "mallory-there"
    assert finish(there) == Who("alice-there", "", verified=False)


@pytest.mark.parametrize("said", [False, None, "false", "yes", 1.5, "TRUE"])
def test_only_a_plain_yes_makes_an_address_a_verified_one(there: Issuer, said: object) -> None:
    there.signs(KEY, NONCE, email_verified=said)
    assert not finish(there).verified


@pytest.mark.parametrize(
    ("discovery", "why"),
    [
        ({"issuer": "https://other.example.org"}, "speaks for"),
        ({"jwks_uri": None}, "does not say jwks_uri"),
        ({"token_endpoint": "http://login.example.org/token"}, "begins with https"),
        ({"jwks_uri": "http://login.example.org/keys"}, "begins with https"),
        ({"jwks_uri": "file:///etc/passwd"}, "begins with https"),
    ],
)
def test_an_issuer_that_can_not_be_used(there: Issuer, discovery: dict[str, Any], why: str) -> None:
    there.discovery = discovery
    with pytest.raises(NotBelieved, match=why):
        oidc.begin(client(there), FLOW)


def test_nothing_secret_is_in_the_address_that_the_browser_goes_to(there: Issuer) -> None:
    address = oidc.begin(client(there), FLOW)
    assert FLOW.verifier not in address and CLIENT_SECRET not in address
    assert "code_challenge_method=S256" in address and f"nonce={NONCE}" in address and "state=state" in address


def test_the_wait_for_a_token_that_is_a_little_early(there: Issuer) -> None:
    there.signs(KEY, NONCE, iat=int(time.time()) + 30)
    assert finish(there).subject == "alice-there"
