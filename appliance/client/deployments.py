"""Deployments: starting one, following it, going back."""

import json
from collections.abc import Callable, Iterator

import httpx

from appliance.client.address import given, path_of, place_of
from appliance.client.connection import Connection
from appliance.client.shapes import BundleData, DeploymentData, LogLine, Page
from appliance.client.upload import TAKING_IN, Line, Upload


class Deployments(Connection):
    """What goes live, and the bundles that it is made of."""

    def deploy(self, project: str, environment: str, upload: Upload, *, wait: float | None = None) -> DeploymentData:
        """Stream a zip up. A server that says no while bytes are still going out is heard."""
        line = Line()
        with self.connected() as http:  # a connection of its own, so that the line is seen when it is made
            return self.shaped(
                DeploymentData,
                "POST",
                place_of(project, environment, "deployments"),
                params=given(wait=wait),
                content=line.until_answered(upload.body),
                headers=upload.headers(),
                timeout=httpx.Timeout(self.timeout, read=TAKING_IN + (wait or 0)),
                extensions={"trace": line.trace},
                http=http,
            )

    def deploy_bundle(
        self, project: str, environment: str, sha256: str, *, wait: float | None = None
    ) -> DeploymentData:
        """Deploy something that the server has already."""
        return self.waited(DeploymentData, place_of(project, environment, "deployments"), {"bundle": sha256}, wait)

    def rollback(
        self, project: str, environment: str, to: str | None = None, *, wait: float | None = None
    ) -> DeploymentData:
        return self.waited(DeploymentData, place_of(project, environment, "rollback"), given(to=to), wait)

    def promote(self, project: str, environment: str, from_: str, *, wait: float | None = None) -> DeploymentData:
        return self.waited(DeploymentData, place_of(project, environment, "promote"), {"from": from_}, wait)

    def deployments(
        self,
        project: str | None = None,
        environment: str | None = None,
        status: str | None = None,
        limit: int | None = None,
    ) -> Page[DeploymentData]:
        asked = {"project": project, "environment": environment, "status": status}
        return self.listed(DeploymentData, "/deployments", limit, **asked)

    def deployment(self, deployment_id: str) -> DeploymentData:
        return self.get(DeploymentData, path_of("deployments", deployment_id))

    def cancel(self, deployment_id: str) -> DeploymentData:
        return self.shaped(DeploymentData, "POST", path_of("deployments", deployment_id, "cancel"))

    def approve(self, deployment_id: str, reason: str | None = None) -> DeploymentData:
        return self.post(DeploymentData, path_of("deployments", deployment_id, "approve"), given(reason=reason))

    def reject(self, deployment_id: str, reason: str) -> DeploymentData:
        return self.post(DeploymentData, path_of("deployments", deployment_id, "reject"), {"reason": reason})

    def log(self, deployment_id: str) -> str:
        """The log as far as it has come."""
        with self.sent("GET", path_of("deployments", deployment_id, "log"), headers={"Accept": "text/plain"}) as answer:
            return answer.read().decode("utf-8", "replace")

    def follow_log(self, deployment_id: str, *, lost: Callable[[], None] = lambda: None) -> Iterator[LogLine]:
        """Each line as it is written, to the end."""
        for event in self.followed(path_of("deployments", deployment_id, "log"), lost=lost):
            line: LogLine = json.loads(event.data)
            yield line

    def bundle(self, sha256: str) -> BundleData:
        return self.get(BundleData, path_of("bundles", sha256))

    def download_bundle(self, sha256: str) -> Iterator[bytes]:
        """The zip, byte for byte as it was uploaded."""
        headers = {"Accept": "application/zip", "Accept-Encoding": "identity"}
        with self.sent("GET", path_of("bundles", sha256, "download"), headers=headers) as answer:
            yield from answer.iter_raw(1 << 20)
