"""Sessions: believed when whole, signed by us, not over and not ended."""

import base64
import json
import secrets
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import jwt
import pytest

from appliance.access import sessions, setup
from appliance.context import Context
from appliance.machine import clock
from appliance.model.people import SetUp
from tests import inside
from tests.appliance import EMAIL, PASSWORD, Appliance

COOKIE = "homeport_session"


@pytest.fixture(scope="module")
def ctx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Context]:
    with inside.context(tmp_path_factory.mktemp("sessions") / "data") as made:
        yield made


@pytest.fixture(scope="module")
def token(ctx: Context) -> str:
    link = setup.make_link(ctx, "http://x")
    given = SetUp(link.partition("token=")[2], EMAIL, PASSWORD)
    return setup.set_up(ctx, given, door="api", ip=None).token


def is_someone(ctx: Context, token: str) -> bool:
    return sessions.actor_of(ctx, token, door="api", ip=None).signed_in


def claims_of(token: str) -> dict[str, object]:
    found: dict[str, object] = jwt.decode(token, options={"verify_signature": False})
    return found


def unsigned(head: dict[str, str], claims: dict[str, object]) -> str:
    parts = (base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (head, claims))
    return ".".join((*parts, ""))


def test_a_whole_one_is_believed(ctx: Context, token: str) -> None:
    assert is_someone(ctx, token)
    assert claims_of(token).keys() == {"sub", "sid", "exp"}


def test_forged_ones_are_not(ctx: Context, token: str, tmp_path: Path) -> None:
    claims, (head, body, signature) = claims_of(token), token.split(".")
    own_key, public = ctx.key("sessions"), b"-----BEGIN PUBLIC KEY-----"
    with inside.context(tmp_path / "other") as other:
        forged = {
            "tampered body": f"{head}.{body[:-2]}AA.{signature}",
            "tampered signature": token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB"),
            "no signature": f"{head}.{body}.",
            "alg none": unsigned({"alg": "none", "typ": "JWT"}, claims),
            "alg None": unsigned({"alg": "None", "typ": "JWT"}, claims),
            "another key": jwt.encode(claims, secrets.token_bytes(32), algorithm="HS256"),
            "another appliance": jwt.encode(claims, other.key("sessions"), algorithm="HS256"),
            "the key of another use": jwt.encode(claims, ctx.key("settings"), algorithm="HS256"),
            "the secret itself": jwt.encode(claims, ctx.secret, algorithm="HS256"),
            "a known word": jwt.encode(claims, b"secret".ljust(32, b"t"), algorithm="HS256"),
            "a public key": jwt.encode({**claims, "kid": "x"}, public.ljust(64), algorithm="HS512"),
            "another algorithm": jwt.encode(claims, own_key.ljust(64, b"\0"), algorithm="HS512"),
            "another session": jwt.encode({**claims, "sid": "0" * 20}, own_key, algorithm="HS256"),
            "another person": jwt.encode({**claims, "sub": "0" * 20}, own_key, algorithm="HS256"),
            "a number": jwt.encode({**claims, "sid": 1}, own_key, algorithm="HS256"),
            "no session": jwt.encode({k: v for k, v in claims.items() if k != "sid"}, own_key, algorithm="HS256"),
            "no end": jwt.encode({k: v for k, v in claims.items() if k != "exp"}, own_key, algorithm="HS256"),
            "over": jwt.encode({**claims, "exp": int(time.time()) - 1}, own_key, algorithm="HS256"),
            "nonsense": "x",
            "empty": "",
            "dots": "..",
            "not ASCII": "ü.ü.ü",
            "deep": base64.urlsafe_b64encode(b"[" * 39_999).decode() + ".e30.e30",
            "long": "A" * 100_000,
        }
        believed = [name for name, one in forged.items() if is_someone(ctx, one)]
    assert believed == []


def test_one_that_is_over_by_the_record_is_not_believed(ctx: Context, token: str) -> None:
    ctx.now = lambda: clock.now() + timedelta(days=14, seconds=1)
    assert not is_someone(ctx, token)
    ctx.now = clock.now
    assert is_someone(ctx, token)


def test_a_cookie_ends_with_its_session(server: Appliance) -> None:
    """Signed in as a browser does; signed out; the cookie, kept by whoever took it, is worth nothing."""
    form = {"email": EMAIL, "password": PASSWORD}
    answer = server.http.post(f"{server.url}/login", data=form, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 303
    cookie = answer.headers["set-cookie"]
    flags = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"httponly", "samesite=lax", "path=/"} <= flags
    assert not any(flag.startswith("domain") for flag in flags)
    assert cookie.startswith(f"{COOKIE}=")
    token = cookie.partition("=")[2].partition(";")[0]
    server.http.cookies.clear()
    browser = {"Cookie": f"{COOKIE}={token}", "Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
    assert server.http.get(f"{server.url}/projects", headers=browser).status_code == 200
    assert server.http.get(f"{server.url}/api/v1/me", headers={"Cookie": f"{COOKIE}={token}"}).status_code == 200
    out = server.http.post(f"{server.url}/logout", headers=browser)
    assert out.status_code == 303
    server.http.cookies.clear()
    assert server.http.get(f"{server.url}/projects", headers=browser).status_code == 303
    for headers in ({"Cookie": f"{COOKIE}={token}"}, {"Authorization": f"Bearer {token}"}):
        assert server.http.get(f"{server.url}/api/v1/me", headers=headers).status_code == 401


def test_behind_a_trusted_proxy_the_cookie_is_for_https_alone(tmp_path: Path) -> None:
    form = {"email": EMAIL, "password": PASSWORD}
    with Appliance(tmp_path / "data", HOMEPORT_TRUSTED_PROXIES="127.0.0.1") as behind:
        headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}
        answer = behind.http.post(f"{behind.url}/login", data=form, headers=headers)
        cookie = answer.headers["set-cookie"]
        flags = {part.strip().lower() for part in cookie.split(";")[1:]}
        assert cookie.startswith(f"__Host-{COOKIE}=") and {"secure", "httponly", "path=/"} <= flags
        assert behind.get("/activity?limit=1")["items"][0]["ip"] == "192.0.2.7"


def test_a_new_password_ends_every_session(ctx: Context, token: str) -> None:
    from appliance.access.actor import OPERATOR
    from appliance.model.people import NewPerson

    assert is_someone(ctx, token)
    setup.reset_password(ctx, OPERATOR, NewPerson(EMAIL.upper(), "a new long password"))
    assert not is_someone(ctx, token)
