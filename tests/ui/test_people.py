"""People, teams and grants in a browser without script; and what comes of forms that were tampered with."""

import html
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.access.cast import PASSWORD, add_person
from tests.appliance import Appliance
from tests.ui.pages import Parsed, stranger_of


def address() -> str:
    return f"u{secrets.token_hex(5)}@pages.example.com"


@contextmanager
def browser(server: Appliance, role: str) -> Iterator[tuple[httpx.Client, str]]:
    """Somebody of this role, signed in."""
    email = address()
    add_person(server, email, role)
    with stranger_of(server) as client:
        assert client.post("/login", data={"email": email, "password": PASSWORD}).status_code == 303
        yield client, email


def link_on(page: httpx.Response) -> str:
    found = re.search(r'value="(http[^"]+/invitation\?token=[^"]+)"', page.text)
    assert found is not None, page.text[:2000]
    return html.unescape(found[1])


def invited(owner: httpx.Client, **fields: str) -> tuple[str, str]:
    email = address()
    page = owner.post("/settings/people/invite", data={"email": email, "role": "viewer", **fields})
    assert page.status_code == 201
    return email, link_on(page)


def test_invited_come_in_and_gone(server: Appliance, owner: httpx.Client, stranger: httpx.Client) -> None:
    project = server.project(f"u{secrets.token_hex(4)}")
    email, link = invited(owner, role="none", place=f"{project}/production", place_role="developer")
    assert link not in owner.get("/settings/people").text
    page = stranger.get(link)
    assert page.status_code == 200 and email in page.text
    (form,) = [one for one in Parsed(page.text).forms if one.attrs["action"] == "/invitation"]
    token = next(one["value"] for one in form.fields if one.get("name") == "token")
    short = stranger.post("/invitation", data={"token": token, "password": "short"})
    assert short.status_code == 422 and "12 characters" in short.text
    done = stranger.post("/invitation", data={"token": token, "password": PASSWORD})
    assert done.status_code == 303 and done.headers["location"] == "/projects"
    assert stranger.get(f"/projects/{project}").status_code == 200
    assert stranger.get("/settings/people").status_code == 403
    assert stranger.get(link).status_code == 404
    person = server.get(f"/people/{email}")["id"]
    assert email in owner.get(f"/settings/people/{person}/remove").text
    assert owner.post(f"/settings/people/{person}/remove").headers["location"] == "/settings/people"
    assert stranger.get(f"/projects/{project}").status_code == 303, "back to signing in"


def test_whoever_is_signed_in_is_told_whom_it_is_for(server: Appliance, owner: httpx.Client) -> None:
    email, link = invited(owner)
    with browser(server, "viewer") as (client, own):
        page = client.get(link)
        assert email in page.text and own in page.text and "/invitation" not in str(Parsed(page.text).forms)
        token = link.partition("token=")[2]
        assert client.post("/invitation", data={"token": token, "password": PASSWORD}).status_code == 409
        assert server.ask("GET", f"/people/{email}").status_code == 404


@pytest.mark.parametrize("role", ["admin", "developer", "viewer", "none"])
def test_forms_that_were_tampered_with(server: Appliance, owner: httpx.Client, role: str) -> None:
    """Every field that decides who gets what, set to more than the one who sends it holds."""
    project, victim = server.project(f"u{secrets.token_hex(4)}"), address()
    person = add_person(server, victim, "viewer")
    boss = server.get("/people?q=owner@example.com")["items"][0]
    _, link = invited(owner, role="owner")
    waiting = next(one for one in server.get("/invitations")["items"] if one["role"] == "owner")
    with browser(server, role) as (client, own):
        me = server.get(f"/people/{own}")
        for path, data in (
            (f"/settings/people/{me['id']}", {"role": "owner"}),
            (f"/settings/people/{me['id']}/owner", {}),
            (f"/settings/people/{person}/owner", {}),
            (f"/settings/people/{boss['id']}", {"role": "none"}),
            (f"/settings/people/{boss['id']}/remove", {}),
            ("/settings/people/invite", {"email": address(), "role": "owner"}),
            (f"/settings/invitations/{waiting['id']}/again", {}),
            (f"/settings/invitations/{waiting['id']}/revoke", {}),
            ("/settings/people/joining", {"join_domains": "evil.example", "join_role": "developer"}),
            (f"/projects/{project}/access", {"who": own, "role": "owner", "environment": ""}),
            ("/invitation", {"token": link.partition("token=")[2], "password": PASSWORD, "email": own}),
        ):
            refused = client.post(path, data=data)
            assert refused.status_code in (403, 404, 409, 422), f"{path}: {refused.status_code}"
        assert server.get(f"/people/{own}") == {**me, "last_seen_at": server.get(f"/people/{own}")["last_seen_at"]}
    assert server.get(f"/people/{boss['id']}")["role"] == "owner"
    assert server.get(f"/people/{victim}")["role"] == "viewer"
    assert server.get(f"/projects/{project}/grants")["items"] == []


def test_a_team_and_what_it_may(server: Appliance, owner: httpx.Client) -> None:
    project, team, email = server.project(f"u{secrets.token_hex(4)}"), f"t{secrets.token_hex(4)}", address()
    person = add_person(server, email, "none")
    assert owner.post("/settings/teams", data={"name": "Not A Name"}).status_code == 422
    assert owner.post("/settings/teams", data={"name": team}).headers["location"] == f"/settings/teams/{team}"
    unknown = owner.post(f"/settings/teams/{team}/members", data={"person": address()})
    assert unknown.status_code == 404 and "nobody here" in unknown.text
    owner.post(f"/settings/teams/{team}/members", data={"person": email})
    assert email in owner.get(f"/settings/teams/{team}").text
    access = f"/projects/{project}/access"
    assert owner.post(access, data={"who": team, "environment": "", "role": "developer"}).status_code == 303
    assert owner.post(access, data={"who": address(), "environment": "", "role": "viewer"}).status_code == 404
    assert owner.post(access, data={"who": email, "environment": "production", "role": "viewer"}).status_code == 303
    page = owner.get(access)
    assert team in page.text and email in page.text
    (grant,) = [one for one in server.get(f"/projects/{project}/grants")["items"] if one["team"]]
    assert team in owner.get(f"{access}/{grant['id']}/remove").text
    assert owner.post(f"{access}/{grant['id']}/remove").status_code == 303
    assert owner.post(f"/settings/teams/{team}/members/{person}/remove").status_code == 303
    assert owner.get(f"/settings/teams/{team}/delete").status_code == 200
    assert owner.post(f"/settings/teams/{team}/delete").status_code == 303
    assert owner.get(f"/settings/teams/{team}").status_code == 404
    for path in ("/settings/people", "/settings/teams", f"/settings/people/{person}", "/leave"):
        assert owner.get(path).status_code == 200


def test_leaving(server: Appliance) -> None:
    with browser(server, "viewer") as (client, own):
        assert own in client.get("/leave").text
        assert client.post("/leave").headers["location"] == "/login"
        assert client.get("/projects").status_code == 303
    assert server.ask("GET", f"/people/{own}").status_code == 404


def test_nobody_joins_where_that_is_not_set(stranger: httpx.Client) -> None:
    assert stranger.get("/join").status_code == 404
    assert stranger.post("/join", data={"email": address()}).status_code == 404
