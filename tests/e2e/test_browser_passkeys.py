"""Passkeys in a real browser with an authenticator of its own making; codes and confirming as people do them."""

import copy
import re
from typing import Any

import pyotp
import pytest
from playwright.sync_api import CDPSession, Page, expect

from appliance.machine import clock
from tests.access.cast import PASSWORD, add_person, age
from tests.appliance import Appliance
from tests.e2e.conftest import Open

pytestmark = pytest.mark.browser

DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


class Device:
    """What a person has in the pocket."""

    def __init__(self, page: Page, **more: object) -> None:
        self.cdp: CDPSession = page.context.new_cdp_session(page)
        self.cdp.send("WebAuthn.enable")
        made = self.cdp.send("WebAuthn.addVirtualAuthenticator", {"options": {**DEVICE, **more}})
        self.id = made["authenticatorId"]

    def credentials(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.cdp.send("WebAuthn.getCredentials", {"authenticatorId": self.id})[
            "credentials"
        ]
        return found

    def put_back(self, credential: dict[str, Any]) -> None:
        """A copy of an earlier state of it."""
        named = {"authenticatorId": self.id, "credentialId": credential["credentialId"]}
        self.cdp.send("WebAuthn.removeCredential", named)
        self.cdp.send("WebAuthn.addCredential", {"authenticatorId": self.id, "credential": credential})

    def knows_who_is_there(self, yes: bool) -> None:
        self.cdp.send("WebAuthn.setUserVerified", {"authenticatorId": self.id, "isUserVerified": yes})


@pytest.fixture
def page(server: Appliance, open_tab: Open) -> Page:
    """The appliance by its name: no passkey is made for a bare address."""
    named = copy.copy(server)
    named.url = server.url.replace("127.0.0.1", "localhost")
    return open_tab(named, signed_in=False)


def sign_in(page: Page, email: str) -> None:
    page.goto("/login")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def add_passkey(page: Page, name: str) -> None:
    page.goto("/account")
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Add passkey").click()


def sign_out(page: Page) -> None:
    page.context.clear_cookies()


def test_a_passkey_is_made_and_used_in_place_of_password_and_code(server: Appliance, page: Page) -> None:
    email = "passkey@e2e.example.com"
    add_person(server, email, "developer")
    device = Device(page)
    sign_in(page, email)
    page.wait_for_url("**/projects")
    add_passkey(page, "laptop")
    expect(page.get_by_role("heading", name="Keep these recovery codes")).to_be_visible()
    assert len(page.locator("#codes").inner_text().split()) == 10
    page.get_by_role("link", name="Done, I have kept them").click()
    expect(page.get_by_role("row", name=re.compile("laptop"))).to_contain_text("Never")
    sign_out(page)
    page.goto("/login?back=/urls")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(re.compile(r"//[^/]+/urls$"))
    page.goto("/account")
    expect(page.get_by_role("row", name=re.compile("laptop"))).to_contain_text("just now")
    (kept,) = device.credentials()
    assert kept["signCount"] > 1


def test_a_passkey_is_the_second_factor_after_the_password(server: Appliance, page: Page) -> None:
    email = "second@e2e.example.com"
    add_person(server, email, "developer")
    device = Device(page, hasResidentKey=False)
    sign_in(page, email)
    page.wait_for_url("**/projects")
    add_passkey(page, "security key")
    page.get_by_role("link", name="Done, I have kept them").click()
    sign_out(page)
    device.knows_who_is_there(False)
    sign_in(page, email)
    expect(page.get_by_role("heading", name="One step more")).to_be_visible()
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/projects")


def test_one_that_did_not_ask_who_is_there_is_no_stand_in_for_a_password(server: Appliance, page: Page) -> None:
    email = "unverified@e2e.example.com"
    add_person(server, email, "developer")
    device = Device(page)
    sign_in(page, email)
    page.wait_for_url("**/projects")
    add_passkey(page, "found in the street")
    page.get_by_role("link", name="Done, I have kept them").click()
    sign_out(page)
    device.knows_who_is_there(False)
    page.goto("/login")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_text("No passkey was shown")).to_be_visible()
    page.goto("/projects")
    page.wait_for_url("**/login**")


def test_a_copy_of_a_passkey_is_found_out_by_its_counter(server: Appliance, page: Page) -> None:
    email = "copied@e2e.example.com"
    add_person(server, email, "developer")
    device = Device(page)
    sign_in(page, email)
    page.wait_for_url("**/projects")
    add_passkey(page, "laptop")
    page.get_by_role("link", name="Done, I have kept them").click()
    (before,) = device.credentials()
    for _ in range(2):
        sign_out(page)
        page.goto("/login")
        page.get_by_role("button", name="Use a passkey").click()
        page.wait_for_url("**/projects")
    device.put_back(before)
    sign_out(page)
    page.goto("/login")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_text("there may be a copy of it").first).to_be_visible()


def test_an_app_is_set_up_by_its_key_and_asked_for(server: Appliance, page: Page) -> None:
    email = "app@e2e.example.com"
    add_person(server, email, "developer")
    sign_in(page, email)
    page.wait_for_url("**/projects")
    page.goto("/account")
    page.get_by_role("button", name="Set up").click()
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    app = pyotp.TOTP(page.locator("#totp-key").inner_text().strip())
    page.get_by_label("Code from the app").fill("000000")
    page.get_by_role("button", name="Switch on").click()
    expect(page.get_by_text("not right now").first).to_be_visible()
    page.get_by_label("Code from the app").fill(app.at(_now() - 30))
    page.get_by_role("button", name="Switch on").click()
    codes = page.locator("#codes").inner_text().split()
    sign_out(page)
    sign_in(page, email)
    page.get_by_label("Code", exact=True).fill(app.at(_now()))
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/projects")
    sign_out(page)
    sign_in(page, email)
    page.get_by_label("Code", exact=True).fill(codes[3])
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/projects")


def test_what_is_dangerous_is_confirmed_by_a_passkey_and_goes_on(server: Appliance, page: Page) -> None:
    email = "confirms@e2e.example.com"
    add_person(server, email, "owner")
    Device(page)
    sign_in(page, email)
    page.wait_for_url("**/projects")
    add_passkey(page, "laptop")
    page.get_by_role("link", name="Done, I have kept them").click()
    server.project("confirmed-away")
    age(server, email)
    page.goto("/projects/confirmed-away/delete")
    expect(page.get_by_role("heading", name="Confirm it’s you")).to_be_visible()
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(re.compile(r"//[^/]+/projects/confirmed-away/delete$"))
    age(server, email)
    page.goto("/settings/keys")
    page.get_by_label("Name", exact=True).fill("typed before")
    page.get_by_role("button", name="Create key").click()
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Confirm", exact=True).click()
    expect(page.get_by_text("typed before")).to_be_visible()
    page.get_by_role("button", name="Carry on").click()
    expect(page.get_by_text("The key “typed before” is made.")).to_be_visible()


def _now() -> int:
    return int(clock.now().timestamp())
