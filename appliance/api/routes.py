"""Every endpoint on one screen, with who may use it."""

from collections.abc import Sequence

from starlette.routing import BaseRoute

from appliance.access.permissions import PUBLIC, SIGNED_IN
from appliance.api import (
    access,
    backups,
    bundles,
    cleanup,
    contents,
    deployments,
    nginx,
    projects,
    sites,
    system,
    uploads,
    urls,
    xrays,
)
from appliance.api.openapi import described
from appliance.web.routes import route

V1 = "/api/v1"
P = f"{V1}/projects/{{project}}"
E = f"{P}/environments/{{environment}}"
D = f"{V1}/deployments/{{deployment}}"


def routes() -> Sequence[BaseRoute]:
    return [*_everywhere(), *_of_an_environment(), *_of_deployments()]


def _everywhere() -> list[BaseRoute]:
    return [
        route(f"{V1}/setup", access.set_up, "POST", allow=PUBLIC),
        route(f"{V1}/login", access.log_in, "POST", allow=PUBLIC),
        route(f"{V1}/logout", access.log_out, "POST", allow=SIGNED_IN),
        route(f"{V1}/me", access.me, allow=SIGNED_IN),
        route(f"{V1}/keys", access.list_keys, allow="keys.own"),
        route(f"{V1}/keys", access.create_key, "POST", allow="keys.own"),
        route(f"{V1}/keys/{{key}}", access.revoke_key, "DELETE", allow="keys.own"),
        route(f"{V1}/projects", projects.listed, allow="projects.read"),
        route(f"{V1}/projects", projects.created, "POST", allow="projects.create"),
        route(P, projects.shown, allow="projects.read"),
        route(P, projects.renamed, "PATCH", allow="projects.update"),
        route(P, projects.deleted, "DELETE", allow="projects.delete"),
        route(f"{P}/frees", projects.frees, allow="projects.read"),
        route(f"{P}/environments", projects.environments_listed, allow="projects.read"),
        route(f"{P}/environments", projects.environment_created, "POST", allow="environments.create"),
        route(f"{V1}/urls", urls.listed, allow="urls.read"),
        route(f"{V1}/urls/{{host}}/check", urls.checked, "POST", allow="urls.create"),
        route(f"{V1}/activity", system.listed_activity, allow="activity.read"),
        route(f"{V1}/settings", system.settings, allow="settings.read"),
        route(f"{V1}/settings", system.settings_changed, "PATCH", allow="settings.update"),
        route(f"{V1}/backups", backups.listed, allow="backups.read"),
        route(f"{V1}/backups", backups.created, "POST", allow="backups.create"),
        route(f"{V1}/backups/{{backup}}", backups.shown, allow="backups.read"),
        route(f"{V1}/backups/{{backup}}/download", backups.downloaded, allow="backups.read"),
        route(f"{V1}/backups/{{backup}}", backups.deleted, "DELETE", allow="backups.delete"),
        route(f"{V1}/cleanup", cleanup.would_free, allow="settings.read"),
        route(f"{V1}/cleanup", cleanup.cleaned_up, "POST", allow="settings.update"),
        route(f"{V1}/checks", system.checks, allow="settings.read"),
        route(f"{V1}/openapi.json", described, allow=PUBLIC),
        route("/healthz", system.health, allow=PUBLIC),
        route("/metrics", system.metrics, allow="settings.read"),
    ]


def _of_an_environment() -> list[BaseRoute]:
    return [
        route(E, projects.environment_shown, allow="projects.read"),
        route(E, projects.environment_changed, "PATCH", allow="environments.update"),
        route(E, projects.environment_deleted, "DELETE", allow="environments.delete"),
        route(f"{E}/freeze", projects.environment_frozen, "POST", allow="environments.freeze"),
        route(f"{E}/freeze", projects.environment_thawed, "DELETE", allow="environments.freeze"),
        route(f"{E}/deployments", deployments.of_environment, allow="deployments.read"),
        route(f"{E}/deployments", deployments.started, "POST", allow="deployments.create"),
        route(f"{E}/rollback", deployments.rolled_back, "POST", allow="deployments.rollback"),
        route(f"{E}/promote", deployments.promoted, "POST", allow="deployments.promote"),
        route(f"{E}/site", sites.shown, allow="projects.read"),
        route(f"{E}/site", sites.changed, "PUT", allow="environments.update"),
        route(f"{E}/site/preview", sites.previewed, "POST", allow="environments.update"),
        route(f"{E}/guard", sites.guard_shown, allow="projects.read"),
        route(f"{E}/guard", sites.guard_changed, "PATCH", allow="environments.update"),
        route(f"{E}/urls", urls.of_environment, allow="urls.read"),
        route(f"{E}/urls", urls.added, "POST", allow="urls.create"),
        route(f"{E}/urls/{{host}}", urls.removed, "DELETE", allow="urls.delete"),
    ]


def _of_deployments() -> list[BaseRoute]:
    return [
        route(f"{V1}/nginx", nginx.shown, allow="settings.read"),
        route(f"{V1}/nginx/check", nginx.looked, "POST", allow="settings.update"),
        route(f"{V1}/nginx/{{host}}/restore", nginx.restored, "POST", allow="settings.update"),
        route(f"{V1}/nginx/{{host}}/adopt", nginx.adopted, "POST", allow="settings.update"),
        route(f"{V1}/deployments", deployments.listed, allow="deployments.read"),
        route(D, deployments.shown, allow="deployments.read"),
        route(f"{D}/log", deployments.logged, allow="deployments.read"),
        route(f"{D}/cancel", deployments.cancelled, "POST", allow="deployments.cancel"),
        route(f"{D}/xray", xrays.shown, allow="deployments.read"),
        route(f"{D}/compare", xrays.compared, allow="deployments.read"),
        route(f"{V1}/contents", contents.taken, "POST", allow="deployments.create"),
        route(f"{V1}/uploads", uploads.options, "OPTIONS", allow="deployments.create"),
        route(f"{V1}/uploads", uploads.created, "POST", allow="deployments.create"),
        route(f"{V1}/uploads/{{upload}}", uploads.shown, allow="deployments.create"),
        route(f"{V1}/uploads/{{upload}}", uploads.appended, "PATCH", allow="deployments.create"),
        route(f"{V1}/uploads/{{upload}}", uploads.removed, "DELETE", allow="deployments.create"),
        route(f"{V1}/uploads/{{upload}}", uploads.overridden, "POST", allow="deployments.create"),
        route(f"{V1}/bundles/{{sha256}}", bundles.shown, allow="bundles.read"),
        route(f"{V1}/bundles/{{sha256}}/download", bundles.downloaded, allow="bundles.read"),
    ]
