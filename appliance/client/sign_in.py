"""Providers that people sign in through, and one's own accounts there."""

from typing import TypedDict

from appliance.client.address import given, path_of
from appliance.client.connection import Connection
from appliance.client.shapes import CheckData, Page


class ProviderData(TypedDict):
    id: str
    name: str
    kind: str
    issuer: str
    client_id: str
    secret_set: bool
    second_factor: bool
    callback: str
    created_at: str
    created_by: str


class IdentityData(TypedDict):
    id: str
    provider: str
    email: str
    created_at: str
    used_at: str | None


class SignIn(Connection):
    def providers(self) -> Page[ProviderData]:
        return self.get(Page[ProviderData], "/providers")

    def provider(self, provider_id: str) -> ProviderData:
        return self.get(ProviderData, path_of("providers", provider_id))

    def create_provider(self, kind: str, client_id: str, client_secret: str, **more: str | bool | None) -> ProviderData:
        """`id`, `name`, `issuer` and `second_factor` besides."""
        body = given(kind=kind, client_id=client_id, client_secret=client_secret or None, **more)
        return self.post(ProviderData, "/providers", body)

    def update_provider(self, provider_id: str, **changes: str | bool | None) -> ProviderData:
        """`name`, `client_id`, `client_secret` or `second_factor`."""
        return self.post(ProviderData, path_of("providers", provider_id), given(**changes), method="PATCH")

    def delete_provider(self, provider_id: str) -> None:
        self.ask("DELETE", path_of("providers", provider_id))

    def test_provider(self, provider_id: str) -> Page[CheckData]:
        return self.post(Page[CheckData], path_of("providers", provider_id, "test"), {})

    def identities(self) -> Page[IdentityData]:
        return self.get(Page[IdentityData], "/me/identities")

    def delete_identity(self, identity_id: str) -> None:
        self.ask("DELETE", path_of("me", "identities", identity_id))
