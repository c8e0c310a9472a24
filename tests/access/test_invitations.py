"""Invitations: for one address, once, not for long, and never worth more than their maker."""

import secrets
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from appliance.access.actor import OPERATOR
from appliance.access.people.invite import invite as invite_one
from appliance.access.people.join import ask_to_join, join
from appliance.context import Context
from appliance.errors import Conflict, Invalid, TooMany
from appliance.model.invitations import Joining, NewInvitation
from appliance.store import invitations
from tests import inside
from tests.access.cast import signed_in_as
from tests.appliance import EMAIL, Appliance

PASSWORD = "a password of their own"


def address(domain: str = "invited.example.com") -> str:
    return f"i{secrets.token_hex(6)}@{domain}"


def invite(client: httpx.Client | Appliance, **body: Any) -> Any:
    made = _post(client, "/invitations", {"email": address(), "role": "viewer", **body})
    assert made.status_code == 201, made.text
    return made.json()


def _post(client: httpx.Client | Appliance, path: str, body: Any) -> httpx.Response:
    return client.ask("POST", path, json=body) if isinstance(client, Appliance) else client.post(path, json=body)


def token_of(invitation: Any) -> str:
    return str(invitation["link"].partition("token=")[2])


def accept(server: Appliance, token: str, password: str = PASSWORD, **headers: str) -> httpx.Response:
    body = {"token": token, "password": password}
    return httpx.post(f"{server.url}/api/v1/invitations/accept", json=body, headers=headers, timeout=60)


def test_the_whole_way(server: Appliance) -> None:
    project = server.project(f"p{secrets.token_hex(4)}")
    made = invite(server, role="none", grants=[{"project": project, "environment": "production", "role": "developer"}])
    token, email = token_of(made), made["email"]
    assert made["link"].startswith(f"{server.url}/invitation?token=") and not made["sent"]
    assert accept(server, token, "short").status_code == 422
    done = accept(server, token)
    assert done.status_code == 201
    assert done.json()["person"]["email"] == email and done.json()["person"]["role"] == "none"
    bearer = {"Authorization": f"Bearer {done.json()['token']}"}
    me = httpx.get(f"{server.url}/api/v1/me", headers=bearer).json()
    assert me["grants"] == [{"project": project, "environment": "production", "role": "developer", "team": None}]
    seen = httpx.get(f"{server.url}/api/v1/projects", headers=bearer).json()["items"]
    assert [one["name"] for one in seen] == [project]
    signed_in = httpx.post(f"{server.url}/api/v1/login", json={"email": email, "password": PASSWORD})
    assert signed_in.status_code == 201
    assert accept(server, token).status_code == 404, "it works once"
    verbs = [one["verb"] for one in server.get(f"/activity?q={email}")["items"]]
    assert verbs.count("person.invite") == verbs.count("person.join") == 1
    assert token not in str(server.get(f"/activity?q={email}"))


def test_the_link_is_told_once_and_kept_nowhere(server: Appliance) -> None:
    made = invite(server)
    token = token_of(made)
    with signed_in_as(server, "admin", address()) as admin:
        listed = admin.get("/invitations?limit=200").json()["items"]
    (found,) = [one for one in listed if one["id"] == made["id"]]
    assert found.keys() == made.keys() - {"link", "sent"}
    assert token not in str(listed)
    for file in server.data.glob("homeport.db*"):
        assert token.encode() not in file.read_bytes()
    with signed_in_as(server, "developer", address()) as developer:
        assert developer.get("/invitations").status_code == 403
        assert developer.post(f"/invitations/{made['id']}/again").status_code == 403


def test_whoever_could_not_invite_so_gets_no_link_either(server: Appliance) -> None:
    """An admin sees that an owner was invited, and can't have that link made anew for themselves."""
    made = invite(server, role="owner")
    with signed_in_as(server, "admin", address()) as admin:
        assert made["id"] in [one["id"] for one in admin.get("/invitations?limit=200").json()["items"]]
        assert admin.post(f"/invitations/{made['id']}/again").status_code == 403
        assert admin.delete(f"/invitations/{made['id']}").status_code == 403
    assert accept(server, token_of(made)).json()["person"]["role"] == "owner"


def test_an_invitation_falls_with_its_maker(server: Appliance) -> None:
    with signed_in_as(server, "admin", address()) as admin:
        email = admin.get("/me").json()["email"]
        kept, lost = invite(admin, role="viewer"), invite(admin, role="admin")
        granted = invite(admin, role="none", grants=[{"project": server.project(_name()), "role": "admin"}])
        assert server.ask("PATCH", f"/people/{email}", json={"role": "developer"}).status_code == 200
        assert accept(server, token_of(lost)).status_code == 404
        assert accept(server, token_of(granted)).status_code == 404
        again = server.ask("POST", f"/invitations/{lost['id']}/again").json()
        assert accept(server, token_of(again)).status_code == 201, "somebody else stands for it now"
        assert accept(server, token_of(kept)).status_code == 201
        assert server.ask("PATCH", f"/people/{email}", json={"role": "admin"}).status_code == 200
        last = invite(admin, role="viewer")
        assert server.ask("DELETE", f"/people/{email}").status_code == 204
        assert accept(server, token_of(last)).status_code == 404


def test_a_new_link_and_a_revoked_one(server: Appliance) -> None:
    made = invite(server)
    again = server.ask("POST", f"/invitations/{made['id']}/again").json()
    assert accept(server, token_of(made)).status_code == 404
    assert server.ask("DELETE", f"/invitations/{made['id']}").status_code == 204
    assert accept(server, token_of(again)).status_code == 404
    assert server.ask("DELETE", f"/invitations/{made['id']}").status_code == 404


def test_what_can_not_be_invited(server: Appliance) -> None:
    made = invite(server)
    for body, status in (
        ({"email": made["email"].upper(), "role": "viewer"}, 409),
        ({"email": EMAIL, "role": "viewer"}, 409),
        ({"email": "nobody", "role": "viewer"}, 422),
        ({"email": address(), "role": "king"}, 422),
        ({"email": address()}, 422),
        ({"email": address(), "role": "none", "grants": [{"project": "missing", "role": "viewer"}]}, 404),
        ({"email": address(), "role": "none", "grants": [{"project": "x", "role": "owner"}]}, 422),
        ({"email": address(), "role": "none", "grants": "x"}, 422),
        ({"email": address(), "role": "viewer", "maker_id": None}, 422),
    ):
        assert server.ask("POST", "/invitations", json=body).status_code == status, body


def test_it_ends(server: Appliance) -> None:
    made = invite(server)
    with sqlite3.connect(server.data / "homeport.db", timeout=20) as db:
        db.execute("UPDATE invitations SET expires_at = '2020-01-01T00:00:00Z' WHERE id = ?", [made["id"]])
    db.close()
    assert accept(server, token_of(made)).status_code == 404
    assert invite(server, email=made["email"])["id"] != made["id"], "who was invited in vain can be again"


def test_twenty_at_once_are_one_person(server: Appliance) -> None:
    made = invite(server)
    with ThreadPoolExecutor(20) as pool:
        codes = sorted(answer.status_code for answer in pool.map(lambda _: accept(server, token_of(made)), range(20)))
    assert codes == [201] + [404] * 19 or (codes[0] == 201 and set(codes[1:]) <= {404, 409, 429})
    assert len(server.get(f"/people?q={made['email']}")["items"]) == 1


def test_whoever_is_signed_in_takes_no_other_place(server: Appliance) -> None:
    made = invite(server, role="admin")
    with signed_in_as(server, "viewer", address()) as viewer:
        body = {"token": token_of(made), "password": PASSWORD}
        refused = viewer.post("/invitations/accept", json=body)
        assert refused.status_code == 409 and viewer.get("/me").json()["email"] in refused.json()["detail"]
        assert viewer.get("/me").json()["role"] == "viewer"
    assert accept(server, token_of(made)).status_code == 201, "it is still there for whom it was for"


def test_nothing_else_can_be_slipped_in(server: Appliance) -> None:
    """Address and role come from the invitation, whatever is sent besides."""
    made = invite(server)
    body = {"token": token_of(made), "password": PASSWORD}
    slipped_in: tuple[dict[str, Any], ...] = ({"email": address()}, {"role": "owner"}, {"grants": []})
    for more in slipped_in:
        answer = httpx.post(f"{server.url}/api/v1/invitations/accept", json={**body, **more})
        assert answer.status_code == 422
    for token in ("", "x", token_of(made)[:-1], token_of(made).swapcase(), made["id"], "'; --"):
        assert accept(server, token).status_code in (404, 422)


def test_the_link_leads_here_whatever_the_request_says(server: Appliance) -> None:
    for headers in ({"X-Forwarded-Host": "evil.example"}, {"Host": f"evil.localhost.:{server.port}"}):
        answer = server.ask("POST", "/invitations", json={"email": address(), "role": "viewer"}, headers=headers)
        assert "evil" not in answer.text


def test_an_address_that_was_set_comes_first(ctx: Context) -> None:
    inside.save(ctx, url="https://deploy.example.net/")
    made = invite_one(ctx, OPERATOR, NewInvitation("d@elsewhere.example", "viewer"))
    assert made.link.startswith("https://deploy.example.net/invitation?token=")


# Joining by the domain of an address


@pytest.fixture
def ctx(tmp_path: Path) -> Iterator[Context]:
    with inside.context(tmp_path / "data") as made:
        inside.save(made, join_domains="Example.com, other.example", join_role="developer")
        yield made


def test_an_address_of_the_domain_joins_once_it_is_verified(ctx: Context) -> None:
    assert join(ctx, "a@example.com", verified=False) is None
    made = join(ctx, "a@EXAMPLE.com", verified=True)
    assert made is not None and made.role == "developer"
    assert join(ctx, "A@example.com", verified=True) is None, "who is here is signed in, not made again"
    for email in ("a@sub.example.com", "a@badexample.com", "a@example.com.evil.net", "a@evil.net", "example.com", ""):
        assert join(ctx, email, verified=True) is None, email
    inside.save(ctx, join_domains="")
    assert join(ctx, "b@example.com", verified=True) is None
    assert join(ctx, "b@", verified=True) is None


@pytest.mark.parametrize("role", ["admin", "owner", "king"])
def test_nobody_joins_above_developer(ctx: Context, role: str) -> None:
    with pytest.raises(Invalid):
        inside.save(ctx, join_role=role)


def test_whoever_was_invited_may_come_by_a_provider_too(ctx: Context) -> None:
    invite_one(ctx, OPERATOR, NewInvitation("c@elsewhere.example", "admin"))
    made = join(ctx, "c@elsewhere.example", verified=True)
    assert made is not None and made.role == "admin"
    assert invitations.find_for(ctx.db.read(), "c@elsewhere.example", joining=False) is None


def test_a_link_to_join_goes_to_the_address_itself(ctx: Context) -> None:
    inside.save(ctx, smtp_host="mail.example.com", smtp_from="homeport@example.com", smtp_security="none")
    ask_to_join(ctx, Joining("new@example.com"), ip="192.0.2.7")
    with pytest.raises(Conflict):
        ask_to_join(ctx, Joining("new@elsewhere.example"), ip="192.0.2.8")
    waiting = ctx.db.read().execute("SELECT recipient, body FROM mails").fetchall()
    assert [row["recipient"] for row in waiting] == ["new@example.com"]
    assert "token=" not in waiting[0]["body"], "it waits encrypted"
    assert ctx.db.read().execute("SELECT count(*) FROM people").fetchone()[0] == 0
    for _ in range(4):
        ask_to_join(ctx, Joining("new@example.com"), ip="192.0.2.7")
    with pytest.raises(TooMany):
        ask_to_join(ctx, Joining("new@example.com"), ip="192.0.2.7")


def _name() -> str:
    return f"p{secrets.token_hex(4)}"
