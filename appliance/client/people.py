"""People, invitations, teams, grants."""

from collections.abc import Sequence

from appliance.client.address import given, path_of
from appliance.client.connection import Connection
from appliance.client.shapes import GrantData, InvitationData, Page, PortraitData, PromisedData, SessionData, TeamData


class People(Connection):
    """Who is here, and who may do what. A person is named by id or address."""

    def people(self, q: str | None = None, limit: int | None = None) -> Page[PortraitData]:
        return self.listed(PortraitData, "/people", limit, q=q)

    def person(self, who: str) -> PortraitData:
        return self.get(PortraitData, path_of("people", who))

    def change_role(self, who: str, role: str) -> PortraitData:
        if role == "owner":
            return self.post(PortraitData, path_of("people", who, "owner"), {}, "PUT")
        return self.post(PortraitData, path_of("people", who), {"role": role}, "PATCH")

    def remove_person(self, who: str) -> None:
        self.ask("DELETE", path_of("people", who))

    def leave(self) -> None:
        self.ask("DELETE", "/me")

    def invitations(self, limit: int | None = None) -> Page[InvitationData]:
        return self.listed(InvitationData, "/invitations", limit)

    def invite(self, email: str, role: str, grants: Sequence[PromisedData] = ()) -> InvitationData:
        """The answer holds the link, this once."""
        return self.post(InvitationData, "/invitations", {"email": email, "role": role, "grants": list(grants)})

    def invite_again(self, invitation: str) -> InvitationData:
        return self.post(InvitationData, path_of("invitations", invitation, "again"), {})

    def revoke_invitation(self, invitation: str) -> None:
        self.ask("DELETE", path_of("invitations", invitation))

    def accept_invitation(self, token: str, password: str) -> SessionData:
        return self.post(SessionData, "/invitations/accept", {"token": token, "password": password})

    def teams(self, limit: int | None = None) -> Page[TeamData]:
        return self.listed(TeamData, "/teams", limit)

    def team(self, name: str) -> TeamData:
        return self.get(TeamData, path_of("teams", name))

    def create_team(self, name: str) -> TeamData:
        return self.post(TeamData, "/teams", {"name": name})

    def rename_team(self, name: str, new: str) -> TeamData:
        return self.post(TeamData, path_of("teams", name), {"name": new}, "PATCH")

    def delete_team(self, name: str) -> None:
        self.ask("DELETE", path_of("teams", name))

    def add_member(self, team: str, who: str) -> TeamData:
        return self.post(TeamData, path_of("teams", team, "members"), {"person": who})

    def remove_member(self, team: str, who: str) -> None:
        self.ask("DELETE", path_of("teams", team, "members", who))

    def grants(self, project: str) -> Page[GrantData]:
        return self.listed(GrantData, path_of("projects", project, "grants"), None)

    def put_grant(
        self,
        project: str,
        role: str,
        *,
        person: str | None = None,
        team: str | None = None,
        environment: str | None = None,
    ) -> GrantData:
        body = given(role=role, person=person, team=team, environment=environment)
        return self.post(GrantData, path_of("projects", project, "grants"), body, "PUT")

    def delete_grant(self, project: str, grant: str) -> None:
        self.ask("DELETE", path_of("projects", project, "grants", grant))
