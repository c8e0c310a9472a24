"""Every page on one screen, with who may see it."""

from collections.abc import Sequence

from starlette.routing import BaseRoute

from appliance.access.permissions import PUBLIC, SIGNED_IN
from appliance.ui import (
    access,
    activity,
    backups,
    cleanup,
    deploy,
    deployments,
    docs,
    environments,
    events,
    keys,
    nginx,
    projects,
    restore,
    settings,
    sites,
    static,
    suggest,
    urls,
    xrays,
)
from appliance.web.routes import route

P = "/projects/{project}"
E = f"{P}/environments/{{environment}}"
D = "/deployments/{deployment}"
U = "/urls/{host}"
K = "/settings/keys/{key}"
N = "/settings/nginx/{host}"
B = "/settings/backups/{backup}"


def routes() -> Sequence[BaseRoute]:
    return [*_everywhere(), *_of_an_environment(), *_settings()]


def _everywhere() -> list[BaseRoute]:
    return [
        route("/", access.home, allow=SIGNED_IN),
        route("/static/{name}", static.file, allow=PUBLIC),
        route("/setup", access.set_up_form, allow=PUBLIC),
        route("/setup", access.set_up, "POST", allow=PUBLIC),
        route("/setup/restore", restore.restore, "POST", allow=PUBLIC),
        route("/login", access.sign_in_form, allow=PUBLIC),
        route("/login", access.sign_in, "POST", allow=PUBLIC),
        route("/logout", access.sign_out, "POST", allow=SIGNED_IN),
        route("/theme", access.theme, "POST", allow=SIGNED_IN),
        route("/events", events.index, allow="projects.read"),
        route("/checks", settings.checks, allow="settings.read"),
        route("/docs", docs.index, allow=SIGNED_IN),
        route("/deploy", deploy.start, "POST", allow="deployments.create"),
        route("/deploy/files", deploy.start_files, "POST", allow="deployments.create"),
        route("/new", projects.new_form, allow="projects.create"),
        route("/new", projects.create, "POST", allow="projects.create"),
        route("/projects", projects.index, allow="projects.read"),
        route(P, projects.show, allow="projects.read"),
        route(f"{P}/deployments", projects.show_deployments, allow="deployments.read"),
        route(f"{P}/urls", urls.of_one_project, allow="urls.read"),
        route(f"{P}/urls", urls.add_to_project, "POST", allow="urls.create"),
        route(f"{P}/settings", projects.settings_form, allow="projects.update"),
        route(f"{P}/settings", projects.rename, "POST", allow="projects.update"),
        route(f"{P}/delete", projects.delete_form, allow="projects.delete"),
        route(f"{P}/delete", projects.delete, "POST", allow="projects.delete"),
        route(f"{P}/new-environment", environments.new_form, allow="environments.create"),
        route(f"{P}/new-environment", environments.create, "POST", allow="environments.create"),
        route("/suggest/projects", suggest.projects, allow="projects.read"),
        route("/suggest/targets", suggest.targets, allow="projects.read"),
        route("/deployments", deployments.index, allow="deployments.read"),
        route(D, deployments.show, allow="deployments.read"),
        route(f"{D}/cancel", deployments.cancel, "POST", allow="deployments.cancel"),
        route(f"{D}/compare", xrays.side_by_side, allow="deployments.read"),
        route(f"{D}/again", deployments.again, "POST", allow="deployments.create"),
        route("/urls", urls.index, allow="urls.read"),
        route("/urls", urls.add, "POST", allow="urls.create"),
        route(f"{U}/check", urls.check, "POST", allow="urls.create"),
        route(f"{U}/remove", urls.remove_form, allow="urls.delete"),
        route(f"{U}/remove", urls.remove, "POST", allow="urls.delete"),
        route("/activity", activity.index, allow="activity.read"),
    ]


def _of_an_environment() -> list[BaseRoute]:
    return [
        route(E, environments.show, allow="projects.read"),
        route(f"{E}/settings", environments.settings_form, allow="environments.update"),
        route(f"{E}/settings", environments.change, "POST", allow="environments.update"),
        route(f"{E}/xray", xrays.block_form, allow="environments.update"),
        route(f"{E}/xray", xrays.block, "POST", allow="environments.update"),
        route(f"{E}/site", sites.show, allow="environments.update"),
        route(f"{E}/site", sites.save, "POST", allow="environments.update"),
        route(f"{E}/site/look", sites.look, "POST", allow="environments.update"),
        route(f"{E}/guard", sites.guard, "POST", allow="environments.update"),
        route(f"{E}/delete", environments.delete_form, allow="environments.delete"),
        route(f"{E}/delete", environments.delete, "POST", allow="environments.delete"),
        route(f"{E}/freeze", environments.freeze_form, allow="environments.freeze"),
        route(f"{E}/freeze", environments.freeze_it, "POST", allow="environments.freeze"),
        route(f"{E}/thaw", environments.thaw_it, "POST", allow="environments.freeze"),
        route(f"{E}/rollback", environments.rollback_form, allow="deployments.rollback"),
        route(f"{E}/rollback", environments.roll_back, "POST", allow="deployments.rollback"),
        route(f"{E}/promote", environments.promote_form, allow="deployments.promote"),
        route(f"{E}/promote", environments.promoted, "POST", allow="deployments.promote"),
    ]


def _settings() -> list[BaseRoute]:
    return [
        route("/settings", settings.general, allow="settings.read"),
        route("/settings", settings.save_general, "POST", allow="settings.update"),
        route("/settings/nginx", settings.nginx, allow="settings.read"),
        route("/settings/nginx/test", settings.test_nginx, "POST", allow="settings.read"),
        route("/settings/nginx/look", nginx.look, "POST", allow="settings.update"),
        route(f"{N}/restore", nginx.restore_form, allow="settings.update"),
        route(f"{N}/restore", nginx.restore, "POST", allow="settings.update"),
        route(f"{N}/adopt", nginx.adopt, "POST", allow="settings.update"),
        route("/settings/dns", settings.dns, allow="settings.read"),
        route("/settings/dns", settings.save_dns, "POST", allow="settings.update"),
        route("/settings/dns/test", settings.test_dns, "POST", allow="settings.update"),
        route("/settings/dns/disconnect", settings.disconnect_form, allow="settings.update"),
        route("/settings/dns/disconnect", settings.disconnect, "POST", allow="settings.update"),
        route("/settings/cleanup", cleanup.show, allow="settings.read"),
        route("/settings/cleanup", cleanup.act, "POST", allow="settings.update"),
        route("/settings/cleanup/keep", cleanup.keep, "POST", allow="settings.update"),
        route("/settings/backups", backups.index, allow="backups.read"),
        route("/settings/backups", backups.save, "POST", allow="settings.update"),
        route("/settings/backups/test", backups.test, "POST", allow="settings.update"),
        route("/settings/backups/take", backups.take, "POST", allow="backups.create"),
        route(f"{B}/download", backups.download, allow="backups.read"),
        route(f"{B}/delete", backups.delete_form, allow="backups.delete"),
        route(f"{B}/delete", backups.remove, "POST", allow="backups.delete"),
        route("/settings/keys", keys.index, allow="keys.own"),
        route("/settings/keys", keys.create, "POST", allow="keys.own"),
        route(f"{K}/revoke", keys.revoke_form, allow="keys.own"),
        route(f"{K}/revoke", keys.revoke, "POST", allow="keys.own"),
    ]
