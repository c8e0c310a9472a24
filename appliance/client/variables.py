"""Variables of an environment, or of a project where no environment is named."""

from collections.abc import Mapping, Sequence
from typing import TypedDict

from appliance.client.address import given, path_of, place_of
from appliance.client.connection import Connection
from appliance.client.shapes import DeploymentData, Page


class VariableData(TypedDict):
    name: str
    value: str | None
    secret: bool
    shared: bool
    overrides: bool
    lost: bool
    changed_at: str
    changed_by: str


class ChangeData(TypedDict):
    name: str
    change: str


class ImportedData(TypedDict):
    applied: bool
    changes: list[ChangeData]


class Variables(Connection):
    """What environments are started with."""

    def variables(self, project: str, environment: str | None) -> Page[VariableData]:
        return self.get(Page[VariableData], _path(project, environment))

    def change_variables(
        self, project: str, environment: str | None, those: Sequence[Mapping[str, object]], remove: Sequence[str] = ()
    ) -> Page[VariableData]:
        wanted = {"variables": list(those), "remove": list(remove)}
        return self.post(Page[VariableData], _path(project, environment), wanted, "PATCH")

    def replace_variables(
        self, project: str, environment: str | None, those: Sequence[Mapping[str, object]]
    ) -> Page[VariableData]:
        return self.post(Page[VariableData], _path(project, environment), {"variables": list(those)}, "PUT")

    def set_variable(
        self, project: str, environment: str | None, name: str, value: str | None, *, secret: bool | None = None
    ) -> VariableData:
        return self.post(VariableData, _path(project, environment, name), given(value=value, secret=secret), "PUT")

    def remove_variable(self, project: str, environment: str | None, name: str) -> None:
        self.ask("DELETE", _path(project, environment, name))

    def import_variables(
        self, project: str, environment: str | None, text: str, *, secret: bool = False, dry_run: bool = False
    ) -> ImportedData:
        path, wanted = _path(project, environment, "import"), {"text": text, "secret": secret}
        return self.shaped(ImportedData, "POST", path, json=wanted, params={"dry-run": int(dry_run)})

    def export_variables(self, project: str, environment: str | None, *, shared: bool = False) -> str:
        path = _path(project, environment, "export")
        with self.sent("GET", path, params={"shared": int(shared)}, headers={"Accept": "text/plain"}) as answer:
            return answer.read().decode()

    def variable_changes(self, project: str, environment: str) -> Page[ChangeData]:
        """What is saved and not live yet."""
        return self.get(Page[ChangeData], _path(project, environment, "changes"))

    def apply_variables(self, project: str, environment: str) -> DeploymentData:
        """Deploy what is live once more, with the variables of now."""
        return self.post(DeploymentData, _path(project, environment, "apply"), {})


def _path(project: str, environment: str | None, *rest: str) -> str:
    if environment is None:
        return path_of("projects", project, "variables", *rest)
    return place_of(project, environment, "variables", *rest)
