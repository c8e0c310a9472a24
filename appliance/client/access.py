"""Coming in: set-up, sign-in, keys."""

from collections.abc import Sequence

from appliance.client.address import given, path_of
from appliance.client.connection import Connection
from appliance.client.shapes import KeyData, MeData, Page, SessionData


class Access(Connection):
    """Who one is, and keys."""

    def setup(self, token: str, email: str, password: str) -> SessionData:
        return self.post(SessionData, "/setup", {"token": token, "email": email, "password": password})

    def login(self, email: str, password: str) -> SessionData:
        return self.post(SessionData, "/login", {"email": email, "password": password})

    def logout(self) -> None:
        self.ask("POST", "/logout")

    def me(self) -> MeData:
        return self.get(MeData, "/me")

    def keys(self, limit: int | None = None, person: str | None = None) -> Page[KeyData]:
        """One's own, or those of somebody else."""
        return self.listed(KeyData, path_of("people", person, "keys") if person else "/keys", limit)

    def create_key(
        self,
        name: str,
        expires_at: str | None = None,
        *,
        projects: Sequence[str] | None = None,
        environments: Sequence[str] | None = None,
        permissions: Sequence[str] | None = None,
    ) -> KeyData:
        """The answer holds the key itself, this once."""
        kept = given(projects=projects, environments=environments, permissions=permissions)
        return self.post(KeyData, "/keys", {**given(name=name, expires_at=expires_at), **kept})

    def delete_key(self, key_id: str, person: str | None = None) -> None:
        self.ask("DELETE", path_of("people", person, "keys", key_id) if person else path_of("keys", key_id))
