"""Projects, their environments and URLs."""

from typing import Any

from appliance.client.address import given, path_of, place_of
from appliance.client.connection import Connection
from appliance.client.shapes import EnvironmentData, FreesData, Page, ProjectData, UrlData


class Projects(Connection):
    """What people visit, and where."""

    def projects(self, q: str | None = None, limit: int | None = None) -> Page[ProjectData]:
        return self.listed(ProjectData, "/projects", limit, q=q)

    def project(self, name: str) -> ProjectData:
        return self.get(ProjectData, path_of("projects", name))

    def create_project(self, name: str) -> ProjectData:
        return self.post(ProjectData, "/projects", {"name": name})

    def rename_project(self, name: str, new: str) -> ProjectData:
        return self.post(ProjectData, path_of("projects", name), {"name": new}, "PATCH")

    def delete_project(self, name: str) -> None:
        self.ask("DELETE", path_of("projects", name))

    def frees(self, project: str) -> FreesData:
        """What deleting it would free."""
        return self.get(FreesData, path_of("projects", project, "frees"))

    def environments(self, project: str, limit: int | None = None) -> Page[EnvironmentData]:
        return self.listed(EnvironmentData, path_of("projects", project, "environments"), limit)

    def environment(self, project: str, name: str) -> EnvironmentData:
        return self.get(EnvironmentData, place_of(project, name))

    def create_environment(self, project: str, name: str, backend: str | None = None) -> EnvironmentData:
        path = path_of("projects", project, "environments")
        return self.post(EnvironmentData, path, given(name=name, backend=backend))

    def change_environment(
        self, project: str, name: str, *, new: str | None = None, backend: str | None = None
    ) -> EnvironmentData:
        return self.post(EnvironmentData, place_of(project, name), given(name=new, backend=backend), "PATCH")

    def delete_environment(self, project: str, name: str) -> None:
        self.ask("DELETE", place_of(project, name))

    def freeze(self, project: str, name: str, message: str) -> EnvironmentData:
        return self.post(EnvironmentData, place_of(project, name, "freeze"), {"message": message})

    def thaw(self, project: str, name: str) -> EnvironmentData:
        return self.post(EnvironmentData, place_of(project, name, "freeze"), {}, "DELETE")

    def ask_approval(
        self, project: str, name: str, *, hours: int | None = None, rollbacks: bool | None = None
    ) -> EnvironmentData:
        """Have deployments wait until a second person approves them."""
        wanted = given(hours=hours, rollbacks=rollbacks)
        return self.post(EnvironmentData, place_of(project, name, "approval"), wanted, "PUT")

    def ask_no_approval(self, project: str, name: str) -> EnvironmentData:
        return self.post(EnvironmentData, place_of(project, name, "approval"), {}, "DELETE")

    def urls(self, project: str, environment: str, limit: int | None = None) -> Page[UrlData]:
        return self.listed(UrlData, place_of(project, environment, "urls"), limit)

    def all_urls(self, limit: int | None = None) -> Page[UrlData]:
        return self.listed(UrlData, "/urls", limit)

    def create_url(
        self, project: str, environment: str, host: str, *, wait: float | None = None, **settings: Any
    ) -> UrlData:
        """Point a host name there; `settings` are fields of a new URL."""
        return self.waited(UrlData, place_of(project, environment, "urls"), given(host=host, **settings), wait)

    def url(self, host: str) -> UrlData:
        return self.get(UrlData, path_of("urls", host))

    def change_url(self, host: str, *, wait: float | None = None, **settings: Any) -> UrlData:
        """What is not named stays as it is."""
        return self.waited(UrlData, path_of("urls", host), settings, wait, method="PATCH")

    def check_url(self, host: str, *, wait: float | None = None) -> UrlData:
        """Try again to put it in force."""
        return self.waited(UrlData, path_of("urls", host, "check"), {}, wait)

    def delete_url(self, project: str, environment: str, host: str) -> None:
        self.ask("DELETE", place_of(project, environment, "urls", host))
