"""The page of one URL, as a browser without script gets it."""

import httpx
import pytest

from tests.appliance import Appliance

PAGE = "/urls/named.test"


@pytest.fixture(scope="module")
def page(server: Appliance) -> str:
    server.deploy(server.project("named-page"), {"index.html": "here"})
    for host in ("named.test", "second.named.test"):
        made = server.ask("POST", "/projects/named-page/environments/production/urls?wait=20", json={"host": host})
        assert made.json()["status"] == "active", made.text
    return PAGE


def test_the_list_leads_there(owner: httpx.Client, page: str) -> None:
    for listed in ("/urls", "/projects/named-page/urls"):
        assert f'href="{page}"' in owner.get(listed).text
    text = owner.get(page).text
    assert "since it is the oldest that shows the site" in text
    assert "Have www.named.test lead here" in text


def test_one_click_sends_www_here_and_another_answers_it(owner: httpx.Client, server: Appliance, page: str) -> None:
    done = owner.post(f"{page}/other", data={"how": "redirect"})
    assert (done.status_code, done.headers["location"]) == (303, page)
    assert server.get("/urls/www.named.test")["redirect_to"] == "named.test"
    text = owner.get(page).text
    assert "Have www.named.test lead here" not in text and "www.named.test leads here." in text
    assert owner.post("/urls/second.named.test/other", data={"how": "serve"}).status_code == 303
    assert server.get("/urls/www.second.named.test")["redirect_to"] is None
    again = owner.post(f"{page}/other", data={"how": "redirect"})
    assert again.status_code == 409 and "already points at named-page, production" in again.text


def test_who_sees_what(owner: httpx.Client, server: Appliance, page: str) -> None:
    data = {"redirect_to": "", "redirect_status": "301", "allow": "private\n192.0.2.7\r\n2001:db8::/32"}
    assert owner.post(page, data=data).status_code == 303
    assert {"192.0.2.7", "2001:db8::/32"} < set(server.get("/urls/named.test")["allow"])
    assert "Kept to 9 networks" in owner.get("/urls").text
    wrong = owner.post(page, data={**data, "allow": "10.0.0.0/99"})
    assert wrong.status_code == 422 and "no address or network" in wrong.text
    assert ">10.0.0.0/99</textarea>" in wrong.text, "what was typed is still there"
    assert owner.post(page, data={**data, "allow": ""}).status_code == 303
    circle = owner.post(page, data={**data, "allow": "", "redirect_to": "www.named.test"})
    assert circle.status_code == 409 and "would lead to" in circle.text
    assert server.get("/urls/named.test")["allow"] == []


def test_the_primary_is_chosen_by_a_button(owner: httpx.Client, server: Appliance, page: str) -> None:
    assert owner.post("/urls/second.named.test", data={"primary": "true"}).status_code == 303
    assert "chosen as the primary" in owner.get("/urls/second.named.test").text
    assert "Choose this one instead" in owner.get(page).text
    assert owner.post("/urls/second.named.test", data={"primary": "false"}).status_code == 303
    assert server.get("/urls/second.named.test")["primary"] is False


def test_a_password_of_its_own(owner: httpx.Client, server: Appliance, page: str) -> None:
    for data in ({"user": "guest", "password": ""}, {"user": "guest", "password": "short"}, {"user": "a:b"}):
        assert owner.post(page, data=data).status_code == 422
    assert owner.post(page, data={"user": "guest", "password": "open sesame"}).status_code == 303
    text = owner.get(page).text
    assert ("of <b>guest</b>" in text, "sesame" in text) == (True, False)
    assert owner.post(page, data={"end": "password", "user": "guest", "password": ""}).status_code == 303
    assert server.get("/urls/named.test")["password"] is False


def test_one_that_others_lead_to_is_not_removed(owner: httpx.Client, page: str) -> None:
    assert "have that changed first" in owner.get(page).text
    assert owner.post(f"{page}/remove").status_code == 409
    assert owner.post("/urls/www.named.test/remove").status_code == 303
    assert owner.post(f"{page}/remove").status_code == 303
