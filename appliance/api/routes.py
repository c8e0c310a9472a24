"""Every endpoint on one screen, with who may use it."""

from collections.abc import Sequence

from starlette.routing import BaseRoute

from appliance.access.permissions import PUBLIC, SIGNED_IN
from appliance.api import (
    access,
    account,
    activity,
    approvals,
    backups,
    bundles,
    certificates,
    cleanup,
    contents,
    deployments,
    device,
    dns,
    grants,
    keys,
    mail,
    nginx,
    notifications,
    people,
    process_log,
    projects,
    settings,
    sign_in,
    sites,
    system,
    teams,
    uploads,
    urls,
    variables,
    xrays,
)
from appliance.api.openapi import described
from appliance.web.routes import route

V1 = "/api/v1"
P = f"{V1}/projects/{{project}}"
E = f"{P}/environments/{{environment}}"
D = f"{V1}/deployments/{{deployment}}"


def routes() -> Sequence[BaseRoute]:
    return [
        *_everywhere(),
        *_of_an_account(),
        *_of_people(),
        *_of_an_environment(),
        *_of_variables(),
        *_of_deployments(),
    ]


def _everywhere() -> list[BaseRoute]:
    return [
        route(f"{V1}/setup", access.set_up, "POST", allow=PUBLIC, tries="set-up"),
        route(f"{V1}/login", access.log_in, "POST", allow=PUBLIC, tries="sign-in"),
        route(f"{V1}/device", device.begun, "POST", allow=PUBLIC, tries="device"),
        route(f"{V1}/device/token", device.fetched, "POST", allow=PUBLIC),
        route(f"{V1}/logout", access.log_out, "POST", allow=SIGNED_IN),
        route(f"{V1}/me", access.me, allow=SIGNED_IN),
        route(f"{V1}/keys", keys.listed, allow="keys.own"),
        route(f"{V1}/keys", keys.created, "POST", allow="keys.own", confirm=True),
        route(f"{V1}/keys/{{key}}", keys.revoked, "DELETE", allow="keys.own"),
        route(f"{V1}/people/{{person}}/keys", keys.of_person, allow="keys.read"),
        route(f"{V1}/people/{{person}}/keys/{{key}}", keys.revoked_of, "DELETE", allow="keys.delete", confirm=True),
        route(f"{V1}/projects", projects.listed, allow="projects.read"),
        route(f"{V1}/projects", projects.created, "POST", allow="projects.create"),
        route(P, projects.shown, allow="projects.read"),
        route(P, projects.renamed, "PATCH", allow="projects.update"),
        route(P, projects.deleted, "DELETE", allow="projects.delete", confirm=True),
        route(f"{P}/frees", projects.frees, allow="projects.read"),
        route(f"{P}/environments", projects.environments_listed, allow="projects.read"),
        route(f"{P}/environments", projects.environment_created, "POST", allow="environments.create"),
        route(f"{V1}/urls", urls.listed, allow="urls.read"),
        route(f"{V1}/urls/{{host}}", urls.shown, allow="urls.read"),
        route(f"{V1}/urls/{{host}}", urls.changed, "PATCH", allow="urls.create"),
        route(f"{V1}/urls/{{host}}/check", urls.checked, "POST", allow="urls.create"),
        *_of_certificates(),
        route(f"{V1}/activity", activity.listed, allow="activity.read"),
        route(f"{V1}/activity/export", activity.exported, allow="activity.read"),
        route(f"{V1}/activity/verify", activity.verified, allow="activity.verify"),
        route(f"{V1}/settings", settings.listed, allow="settings.read"),
        route(f"{V1}/settings", settings.changed, "PATCH", allow="settings.update", confirm=True),
        route(f"{V1}/settings/{{area}}/test", settings.tested, "POST", allow="settings.update"),
        route(f"{V1}/settings/file", settings.exported, allow="settings.read"),
        route(f"{V1}/settings/file", settings.imported, "PUT", allow="settings.update", confirm=True),
        route(f"{V1}/settings/file/preview", settings.previewed, "POST", allow="settings.update"),
        route(f"{V1}/log", process_log.listed, allow="settings.read"),
        route(f"{V1}/password/forgotten", sign_in.forgot, "POST", allow=PUBLIC, tries="password"),
        route(f"{V1}/password/reset", sign_in.reset, "POST", allow=PUBLIC, tries="password"),
        route(f"{V1}/me/identities", sign_in.mine, allow=SIGNED_IN),
        route(f"{V1}/me/identities/{{identity}}", sign_in.unlinked, "DELETE", allow=SIGNED_IN),
        *_of_providers(),
        route(f"{V1}/mail/test", mail.tested, "POST", allow="sign_in.update"),
        *_of_notifications(),
        route(f"{V1}/backups", backups.listed, allow="backups.read"),
        route(f"{V1}/backups", backups.created, "POST", allow="backups.create"),
        route(f"{V1}/backups/{{backup}}", backups.shown, allow="backups.read"),
        route(f"{V1}/backups/{{backup}}/download", backups.downloaded, allow="backups.read", confirm=True),
        route(f"{V1}/backups/{{backup}}", backups.deleted, "DELETE", allow="backups.delete", confirm=True),
        route(f"{V1}/cleanup", cleanup.would_free, allow="settings.read"),
        route(f"{V1}/cleanup", cleanup.cleaned_up, "POST", allow="settings.update"),
        route(f"{V1}/checks", system.checks, allow="settings.read"),
        route(f"{V1}/openapi.json", described, allow=PUBLIC),
        route("/healthz", system.health, allow=PUBLIC),
        route("/metrics", system.metrics, allow="settings.read"),
    ]


def _of_certificates() -> list[BaseRoute]:
    one = f"{V1}/urls/{{host}}/certificate"
    return [
        route(one, certificates.shown, allow="urls.read"),
        route(one, certificates.put, "PUT", allow="urls.create"),
        route(one, certificates.removed, "DELETE", allow="urls.create"),
        route(f"{one}/renew", certificates.renewed, "POST", allow="urls.create"),
        route(f"{V1}/ca", certificates.root, allow=SIGNED_IN),
    ]


def _of_providers() -> list[BaseRoute]:
    one = f"{V1}/providers/{{provider}}"
    return [
        route(f"{V1}/providers", sign_in.listed, allow="settings.read"),
        route(f"{V1}/providers", sign_in.created, "POST", allow="sign_in.update", confirm=True),
        route(one, sign_in.shown, allow="settings.read"),
        route(one, sign_in.changed, "PATCH", allow="sign_in.update", confirm=True),
        route(one, sign_in.removed, "DELETE", allow="sign_in.update", confirm=True),
        route(f"{one}/test", sign_in.tested, "POST", allow="sign_in.update"),
    ]


def _of_notifications() -> list[BaseRoute]:
    one, sent = f"{V1}/notifications/{{channel}}", f"{V1}/deliveries/{{delivery}}"
    see, change = "notifications.read", "notifications.update"
    return [
        route(f"{V1}/notifications", notifications.listed, allow=see),
        route(f"{V1}/notifications", notifications.created, "POST", allow=change),
        route(one, notifications.shown, allow=see),
        route(one, notifications.changed, "PATCH", allow=change),
        route(one, notifications.removed, "DELETE", allow=change),
        route(f"{one}/key", notifications.key_exchanged, "POST", allow=change),
        route(f"{one}/test", notifications.tested, "POST", allow=change),
        route(f"{one}/preview", notifications.previewed, allow=see),
        route(f"{one}/deliveries", notifications.of_channel, allow=see),
        route(f"{V1}/deliveries", notifications.everywhere, allow=see),
        route(sent, notifications.delivery_shown, allow=see),
        route(f"{sent}/redeliver", notifications.redelivered, "POST", allow=change),
    ]


def _of_people() -> list[BaseRoute]:
    person, team, invitation = f"{V1}/people/{{person}}", f"{V1}/teams/{{team}}", f"{V1}/invitations/{{invitation}}"
    return [
        route(f"{V1}/me", people.left, "DELETE", allow=SIGNED_IN, confirm=True),
        route(f"{V1}/people", people.listed, allow="people.read"),
        route(person, people.shown, allow="people.read"),
        route(person, people.changed, "PATCH", allow="people.update", confirm=True),
        route(person, people.removed, "DELETE", allow="people.delete", confirm=True),
        route(f"{person}/owner", people.made_owner, "PUT", allow="people.owners", confirm=True),
        route(f"{V1}/invitations", people.invitations_listed, allow="people.read"),
        route(f"{V1}/invitations", people.invited, "POST", allow="people.create", confirm=True),
        route(f"{V1}/invitations/accept", people.accepted, "POST", allow=PUBLIC, tries="invitation"),
        route(f"{V1}/invitations/ask", people.asked_to_join, "POST", allow=PUBLIC, tries="invitation"),
        route(invitation, people.uninvited, "DELETE", allow="people.create"),
        route(f"{invitation}/again", people.invited_again, "POST", allow="people.create", confirm=True),
        route(f"{V1}/teams", teams.listed, allow="teams.read"),
        route(f"{V1}/teams", teams.created, "POST", allow="teams.create"),
        route(team, teams.shown, allow="teams.read"),
        route(team, teams.renamed, "PATCH", allow="teams.update"),
        route(team, teams.deleted, "DELETE", allow="teams.delete"),
        route(f"{team}/members", teams.member_added, "POST", allow="teams.update"),
        route(f"{team}/members/{{person}}", teams.member_removed, "DELETE", allow="teams.update"),
        route(f"{P}/grants", grants.listed, allow="grants.read"),
        route(f"{P}/grants", grants.put, "PUT", allow="grants.update", confirm=True),
        route(f"{P}/grants/{{grant}}", grants.removed, "DELETE", allow="grants.update"),
    ]


def _of_an_account() -> list[BaseRoute]:
    me, own = f"{V1}/me", "account.own"
    return [
        route(f"{V1}/login/second", account.second, "POST", allow=PUBLIC, tries="sign-in"),
        route(f"{V1}/login/second/options", account.second_options, "POST", allow=PUBLIC, tries="sign-in"),
        route(f"{V1}/login/passkey", account.by_passkey, "POST", allow=PUBLIC, tries="sign-in"),
        route(f"{V1}/login/passkey/options", account.passkey_options, "POST", allow=PUBLIC, tries="sign-in"),
        route(f"{me}/confirm", account.confirmed, "POST", allow=SIGNED_IN, tries="sign-in"),
        route(f"{me}/confirm/options", account.confirm_options, "POST", allow=SIGNED_IN),
        route(f"{me}/password", account.password_changed, "POST", allow=own, tries="sign-in"),
        route(f"{me}/sessions", account.sessions_listed, allow=own),
        route(f"{me}/sessions", account.others_ended, "DELETE", allow=own),
        route(f"{me}/sessions/{{session}}", account.session_ended, "DELETE", allow=own),
        route(f"{me}/factors", account.factors_shown, allow=own),
        route(f"{me}/totp", account.totp_begun, "POST", allow=own, confirm=True),
        route(f"{me}/totp/on", account.totp_on, "POST", allow=own),
        route(f"{me}/totp", account.totp_off, "DELETE", allow=own, confirm=True),
        route(f"{me}/passkeys/options", account.creation_options, "POST", allow=own, confirm=True),
        route(f"{me}/passkeys", account.passkey_added, "POST", allow=own),
        route(f"{me}/passkeys/{{passkey}}", account.passkey_removed, "DELETE", allow=own, confirm=True),
        route(f"{me}/recovery-codes", account.recovery_codes_made, "POST", allow=own, confirm=True),
    ]


def _of_an_environment() -> list[BaseRoute]:
    return [
        route(E, projects.environment_shown, allow="projects.read"),
        route(E, projects.environment_changed, "PATCH", allow="environments.update"),
        route(E, projects.environment_deleted, "DELETE", allow="environments.delete", confirm=True),
        route(f"{E}/freeze", projects.environment_frozen, "POST", allow="environments.freeze"),
        route(f"{E}/freeze", projects.environment_thawed, "DELETE", allow="environments.freeze"),
        route(f"{E}/approval", approvals.asked_for, "PUT", allow="deployments.approve"),
        route(f"{E}/approval", approvals.not_asked_for, "DELETE", allow="deployments.approve"),
        route(f"{E}/deployments", deployments.of_environment, allow="deployments.read"),
        route(f"{E}/deployments", deployments.started, "POST", allow="deployments.create", upload=True),
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


def _of_variables() -> list[BaseRoute]:
    read, update, made = "variables.read", "variables.update", list[BaseRoute]()
    for place in (P, E):
        made += [
            route(f"{place}/variables", variables.listed, allow=read),
            route(f"{place}/variables", variables.replaced, "PUT", allow=update),
            route(f"{place}/variables", variables.changed, "PATCH", allow=update),
            route(f"{place}/variables/import", variables.imported, "POST", allow=update),
            route(f"{place}/variables/export", variables.exported, allow=read),
            route(f"{place}/variables/{{name}}", variables.put, "PUT", allow=update),
            route(f"{place}/variables/{{name}}", variables.removed, "DELETE", allow=update),
        ]
    return [
        *made,
        route(f"{E}/variables/changes", variables.waiting, allow=read),
        route(f"{E}/variables/apply", deployments.renewed, "POST", allow="deployments.create"),
    ]


def _of_deployments() -> list[BaseRoute]:
    return [
        route(f"{V1}/dns/records", dns.listed, allow="settings.read"),
        route(f"{V1}/dns/records/{{host}}/mend", dns.mended, "POST", allow="settings.update"),
        route(f"{V1}/dns/records/{{host}}", dns.removed, "DELETE", allow="settings.update"),
        route(f"{V1}/nginx", nginx.shown, allow="settings.read"),
        route(f"{V1}/nginx/check", nginx.looked, "POST", allow="settings.update"),
        route(f"{V1}/nginx/{{host}}/restore", nginx.restored, "POST", allow="settings.update"),
        route(f"{V1}/nginx/{{host}}/adopt", nginx.adopted, "POST", allow="settings.update"),
        route(f"{V1}/deployments", deployments.listed, allow="deployments.read"),
        route(D, deployments.shown, allow="deployments.read"),
        route(f"{D}/log", deployments.logged, allow="deployments.read"),
        route(f"{D}/cancel", deployments.cancelled, "POST", allow="deployments.cancel"),
        route(f"{D}/approve", approvals.approved, "POST", allow="deployments.approve"),
        route(f"{D}/reject", approvals.rejected, "POST", allow="deployments.approve"),
        route(f"{D}/xray", xrays.shown, allow="deployments.read"),
        route(f"{D}/compare", xrays.compared, allow="deployments.read"),
        route(f"{V1}/contents", contents.taken, "POST", allow="deployments.create", upload=True),
        route(f"{V1}/uploads", uploads.options, "OPTIONS", allow="deployments.create"),
        route(f"{V1}/uploads", uploads.created, "POST", allow="deployments.create", upload=True),
        route(f"{V1}/uploads/{{upload}}", uploads.shown, allow="deployments.create"),
        route(f"{V1}/uploads/{{upload}}", uploads.appended, "PATCH", allow="deployments.create", upload=True),
        route(f"{V1}/uploads/{{upload}}", uploads.removed, "DELETE", allow="deployments.create"),
        route(f"{V1}/uploads/{{upload}}", uploads.overridden, "POST", allow="deployments.create", upload=True),
        route(f"{V1}/bundles/{{sha256}}", bundles.shown, allow="bundles.read"),
        route(f"{V1}/bundles/{{sha256}}/download", bundles.downloaded, allow="bundles.read"),
    ]
