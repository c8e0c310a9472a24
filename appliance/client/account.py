"""One's own account: the second half of signing in, sessions, confirming."""

from typing import TypedDict

from appliance.client.address import path_of
from appliance.client.connection import Connection
from appliance.client.shapes import Page, SessionData


class DeviceData(TypedDict):
    """A session, as a list of them shows it."""

    id: str
    device: str
    agent: str
    created_at: str
    expires_at: str
    ip: str | None
    seen_at: str
    seen_from: str | None
    confirmed_at: str
    current: bool


class Account(Connection):
    """What one does with one's own account."""

    def login_second(self, ticket: str, code: str) -> SessionData:
        """With the ticket of a ClientError whose code is `second_factor`."""
        return self.post(SessionData, "/login/second", {"ticket": ticket, "code": code})

    def confirm(self, password: str) -> None:
        self.ask("POST", "/me/confirm", json={"password": password})

    def confirm_by_code(self, code: str) -> None:
        self.ask("POST", "/me/confirm", json={"code": code})

    def sessions(self) -> Page[DeviceData]:
        return self.listed(DeviceData, "/me/sessions", None)

    def end_session(self, session: str) -> None:
        self.ask("DELETE", path_of("me", "sessions", session))

    def end_other_sessions(self) -> None:
        self.ask("DELETE", "/me/sessions")
