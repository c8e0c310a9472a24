"""Every page on one screen, with who may see it."""

from collections.abc import Sequence

from starlette.routing import BaseRoute

from appliance.access.permissions import PUBLIC, SIGNED_IN
from appliance.ui import (
    access,
    account,
    activity,
    approvals,
    backups,
    certificates,
    cleanup,
    deploy,
    deployments,
    device,
    dns,
    dns_records,
    docs,
    environments,
    events,
    forgotten,
    grants,
    invitations,
    keys,
    mail,
    nginx,
    notifications,
    people,
    process_log,
    projects,
    restore,
    second,
    settings,
    settings_file,
    sign_in,
    sites,
    static,
    suggest,
    teams,
    through,
    url,
    urls,
    variables,
    xrays,
)
from appliance.web.routes import route

P = "/projects/{project}"
E = f"{P}/environments/{{environment}}"
D = "/deployments/{deployment}"
U = "/urls/{host}"
K = "/settings/keys/{key}"
KO = "/settings/keys-of-others/{key}"
N = "/settings/nginx/{host}"
R = "/settings/dns/records/{host}"
B = "/settings/backups/{backup}"
S = "/settings/sign-in/{provider}"


def routes() -> Sequence[BaseRoute]:
    return [*_everywhere(), *_of_people(), *_of_an_environment(), *_of_variables(), *_settings(), *_of_keys()]


def _everywhere() -> list[BaseRoute]:
    return [
        route("/", access.home, allow=SIGNED_IN),
        route("/static/{name}", static.file, allow=PUBLIC),
        route("/setup", access.set_up_form, allow=PUBLIC),
        route("/setup", access.set_up, "POST", allow=PUBLIC, tries="set-up"),
        route("/setup/restore", restore.restore, "POST", allow=PUBLIC, upload=True, tries="set-up"),
        route("/login", access.sign_in_form, allow=PUBLIC),
        route("/login", access.sign_in, "POST", allow=PUBLIC, tries="sign-in"),
        route("/login/with/{provider}", through.begin, allow=PUBLIC, tries="sign-in"),
        route("/login/with/{provider}/back", through.come_back, allow=PUBLIC, tries="sign-in"),
        route("/forgot", forgotten.ask_form, allow=PUBLIC),
        route("/forgot", forgotten.ask, "POST", allow=PUBLIC, tries="password"),
        route("/reset", forgotten.reset_form, allow=PUBLIC, tries="password"),
        route("/reset", forgotten.reset, "POST", allow=PUBLIC, tries="password"),
        route("/account/identities", through.mine, allow=SIGNED_IN),
        route("/account/connect/{provider}", through.connect, "POST", allow=SIGNED_IN, confirm=True),
        route("/account/identities/{identity}/remove", through.disconnect_form, allow=SIGNED_IN),
        route("/account/identities/{identity}/remove", through.disconnect, "POST", allow=SIGNED_IN),
        *_of_an_account(),
        route("/logout", access.sign_out, "POST", allow=SIGNED_IN),
        route("/theme", access.theme, "POST", allow=SIGNED_IN),
        route("/events", events.index, allow=SIGNED_IN),
        route("/checks", settings.checks, allow="settings.read"),
        route("/docs", docs.index, allow=SIGNED_IN),
        route("/deploy", deploy.start, "POST", allow="deployments.create", upload=True),
        route("/deploy/files", deploy.start_files, "POST", allow="deployments.create", upload=True),
        route("/new", projects.new_form, allow="projects.create"),
        route("/new", projects.create, "POST", allow="projects.create"),
        route("/projects", projects.index, allow=SIGNED_IN),
        route(P, projects.show, allow="projects.read"),
        route(f"{P}/deployments", projects.show_deployments, allow="deployments.read"),
        route(f"{P}/urls", urls.of_one_project, allow="urls.read"),
        route(f"{P}/urls", urls.add_to_project, "POST", allow="urls.create"),
        route(f"{P}/settings", projects.settings_form, allow="projects.update"),
        route(f"{P}/settings", projects.rename, "POST", allow="projects.update"),
        route(f"{P}/delete", projects.delete_form, allow="projects.delete", confirm=True),
        route(f"{P}/delete", projects.delete, "POST", allow="projects.delete", confirm=True),
        route(f"{P}/new-environment", environments.new_form, allow="environments.create"),
        route(f"{P}/new-environment", environments.create, "POST", allow="environments.create"),
        route("/suggest/projects", suggest.projects, allow="projects.read"),
        route("/suggest/targets", suggest.targets, allow="projects.read"),
        *_of_deployments(),
        route("/urls", urls.index, allow="urls.read"),
        route("/urls", urls.add, "POST", allow="urls.create"),
        route(U, url.show, allow="urls.read"),
        route(U, url.change, "POST", allow="urls.create"),
        route(f"{U}/other", url.add_other, "POST", allow="urls.create"),
        route(f"{U}/check", urls.check, "POST", allow="urls.create"),
        route(f"{U}/remove", urls.remove_form, allow="urls.delete"),
        route(f"{U}/remove", urls.remove, "POST", allow="urls.delete"),
        route("/activity", activity.index, allow="activity.read"),
        route("/activity/verify", activity.verify, allow="activity.verify"),
    ]


def _of_deployments() -> list[BaseRoute]:
    return [
        route("/deployments", deployments.index, allow="deployments.read"),
        route(D, deployments.show, allow="deployments.read"),
        route(f"{D}/cancel", deployments.cancel, "POST", allow="deployments.cancel"),
        route(f"{D}/approve", approvals.approve, "POST", allow="deployments.approve"),
        route(f"{D}/reject", approvals.reject, "POST", allow="deployments.approve"),
        route("/approvals/{link}", approvals.show, allow="deployments.approve"),
        route("/approvals/{link}", approvals.decide, "POST", allow="deployments.approve"),
        route(f"{D}/compare", xrays.side_by_side, allow="deployments.read"),
        route(f"{D}/again", deployments.again, "POST", allow="deployments.create"),
    ]


def _of_an_account() -> list[BaseRoute]:
    own = "account.own"
    return [
        route("/login/second", second.second_form, allow=PUBLIC),
        route("/login/second", second.second, "POST", allow=PUBLIC, tries="sign-in"),
        route("/login/cancel", second.cancel, "POST", allow=PUBLIC),
        route("/login/passkey", second.by_passkey, "POST", allow=PUBLIC, tries="sign-in"),
        route("/confirm", second.confirm_form, allow=SIGNED_IN),
        route("/confirm", second.confirm, "POST", allow=SIGNED_IN, tries="sign-in"),
        route("/account", account.index, allow=own),
        route("/account/password", account.change_password, "POST", allow=own, tries="sign-in"),
        route("/account/sessions/end-others", account.end_others, "POST", allow=own),
        route("/account/sessions/{session}/end", account.end_session, "POST", allow=own),
        route("/account/totp", account.totp_form, allow=own, confirm=True),
        route("/account/totp", account.begin_totp, "POST", allow=own, confirm=True),
        route("/account/totp/on", account.switch_totp_on, "POST", allow=own),
        route("/account/totp/off", account.totp_off_form, allow=own, confirm=True),
        route("/account/totp/off", account.switch_totp_off, "POST", allow=own, confirm=True),
        route("/account/passkeys/new", account.passkey_form, allow=own, confirm=True),
        route("/account/passkeys", account.add_passkey, "POST", allow=own),
        route("/account/passkeys/{passkey}/remove", account.passkey_remove_form, allow=own, confirm=True),
        route("/account/passkeys/{passkey}/remove", account.remove_passkey, "POST", allow=own, confirm=True),
        route("/account/recovery-codes", account.new_codes, "POST", allow=own, confirm=True),
    ]


def _of_people() -> list[BaseRoute]:
    people_, invitation, team = "/settings/people", "/settings/invitations/{invitation}", "/settings/teams/{team}"
    one, access_ = f"{people_}/{{person}}", f"{P}/access"
    return [
        route("/invitation", invitations.show, allow=PUBLIC),
        route("/invitation", invitations.come_in, "POST", allow=PUBLIC, tries="invitation"),
        route("/join", invitations.ask_form, allow=PUBLIC),
        route("/join", invitations.ask, "POST", allow=PUBLIC, tries="invitation"),
        route("/leave", people.leave_form, allow=SIGNED_IN),
        route("/leave", people.leave, "POST", allow=SIGNED_IN, confirm=True),
        route(people_, people.index, allow="people.read"),
        route(f"{people_}/invite", people.send_invitation, "POST", allow="people.create", confirm=True),
        route(f"{people_}/joining", people.save_joining, "POST", allow="sign_in.update", confirm=True),
        route(one, people.show, allow="people.read"),
        route(one, people.change, "POST", allow="people.update", confirm=True),
        route(f"{one}/owner", people.owner_form, allow="people.owners"),
        route(f"{one}/owner", people.make_owner, "POST", allow="people.owners", confirm=True),
        route(f"{one}/remove", people.remove_form, allow="people.delete"),
        route(f"{one}/remove", people.remove, "POST", allow="people.delete", confirm=True),
        route(f"{invitation}/again", people.send_again, "POST", allow="people.create", confirm=True),
        route(f"{invitation}/revoke", people.revoke_form, allow="people.create"),
        route(f"{invitation}/revoke", people.revoke, "POST", allow="people.create"),
        route("/settings/teams", teams.index, allow="teams.read"),
        route("/settings/teams", teams.create, "POST", allow="teams.create"),
        route(team, teams.show, allow="teams.read"),
        route(team, teams.rename, "POST", allow="teams.update"),
        route(f"{team}/members", teams.add, "POST", allow="teams.update"),
        route(f"{team}/members/{{person}}/remove", teams.remove, "POST", allow="teams.update"),
        route(f"{team}/delete", teams.delete_form, allow="teams.delete"),
        route(f"{team}/delete", teams.delete, "POST", allow="teams.delete"),
        route(access_, grants.index, allow="grants.read"),
        route(access_, grants.put, "POST", allow="grants.update"),
        route(f"{access_}/{{grant}}/remove", grants.remove_form, allow="grants.update"),
        route(f"{access_}/{{grant}}/remove", grants.remove, "POST", allow="grants.update"),
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
        route(f"{E}/approval", approvals.rule_form, allow="deployments.approve"),
        route(f"{E}/approval", approvals.save_rule, "POST", allow="deployments.approve"),
        route(f"{E}/delete", environments.delete_form, allow="environments.delete", confirm=True),
        route(f"{E}/delete", environments.delete, "POST", allow="environments.delete", confirm=True),
        route(f"{E}/freeze", environments.freeze_form, allow="environments.freeze"),
        route(f"{E}/freeze", environments.freeze_it, "POST", allow="environments.freeze"),
        route(f"{E}/thaw", environments.thaw_it, "POST", allow="environments.freeze"),
        route(f"{E}/rollback", environments.rollback_form, allow="deployments.rollback"),
        route(f"{E}/rollback", environments.roll_back, "POST", allow="deployments.rollback"),
        route(f"{E}/promote", environments.promote_form, allow="deployments.promote"),
        route(f"{E}/promote", environments.promoted, "POST", allow="deployments.promote"),
    ]


def _of_variables() -> list[BaseRoute]:
    read, update, made = "variables.read", "variables.update", list[BaseRoute]()
    for place in (P, E):
        one = f"{place}/variable/{{name}}"
        made += [
            route(f"{place}/variables", variables.show, allow=read),
            route(f"{place}/variables", variables.add, "POST", allow=update),
            route(f"{place}/variables/import", variables.import_form, allow=update),
            route(f"{place}/variables/import", variables.import_file, "POST", allow=update),
            route(one, variables.edit_form, allow=update),
            route(one, variables.save, "POST", allow=update),
            route(f"{one}/remove", variables.remove_form, allow=update),
            route(f"{one}/remove", variables.remove, "POST", allow=update),
        ]
    return [*made, route(f"{E}/variables/apply", variables.apply, "POST", allow="deployments.create")]


def _of_certificates() -> list[BaseRoute]:
    one, all_ = "/urls/{host}/certificate", "/settings/certificates"
    return [
        route(one, certificates.of_url, allow="urls.read"),
        route(one, certificates.set_for_url, "POST", allow="urls.create"),
        route(f"{one}/renew", certificates.renew, "POST", allow="urls.create"),
        route("/ca", certificates.root, allow=SIGNED_IN),
        route(all_, certificates.show, allow="settings.read"),
        route(all_, certificates.save, "POST", allow="settings.update", confirm=True),
        route(f"{all_}/test", certificates.test, "POST", allow="settings.update"),
    ]


def _settings() -> list[BaseRoute]:
    return [
        route("/settings", settings.general, allow="settings.read"),
        route("/settings", settings.save_general, "POST", allow="settings.update", confirm=True),
        *_of_certificates(),
        route("/settings/log", process_log.index, allow="settings.read"),
        route("/settings/file", settings_file.show, allow="settings.read"),
        route("/settings/file", settings_file.take, "POST", allow="settings.update", confirm=True),
        route("/settings/file/preview", settings_file.preview, "POST", allow="settings.update"),
        route("/settings/nginx", settings.nginx, allow="settings.read"),
        route("/settings/nginx/test", settings.test_nginx, "POST", allow="settings.read"),
        route("/settings/nginx/look", nginx.look, "POST", allow="settings.update"),
        route(f"{N}/restore", nginx.restore_form, allow="settings.update"),
        route(f"{N}/restore", nginx.restore, "POST", allow="settings.update"),
        route(f"{N}/adopt", nginx.adopt, "POST", allow="settings.update"),
        route("/settings/dns", dns.show, allow="settings.read"),
        route("/settings/dns", dns.save, "POST", allow="settings.update"),
        route("/settings/dns/test", dns.test, "POST", allow="settings.update"),
        route("/settings/dns/disconnect", dns.disconnect_form, allow="settings.update"),
        route("/settings/dns/disconnect", dns.disconnect, "POST", allow="settings.update"),
        route("/settings/dns/records", dns_records.show, allow="settings.read"),
        route(f"{R}/mend", dns_records.mend, "POST", allow="settings.update"),
        route(f"{R}/remove", dns_records.remove_form, allow="settings.update"),
        route(f"{R}/remove", dns_records.remove, "POST", allow="settings.update"),
        route("/settings/sign-in", sign_in.show, allow="settings.read"),
        route("/settings/sign-in", sign_in.save, "POST", allow="sign_in.update", confirm=True),
        route("/settings/sign-in/providers", sign_in.create, "POST", allow="sign_in.update", confirm=True),
        route(S, sign_in.one, allow="settings.read"),
        route(S, sign_in.change, "POST", allow="sign_in.update", confirm=True),
        route(f"{S}/test", sign_in.test, "POST", allow="sign_in.update"),
        route(f"{S}/remove", sign_in.remove_form, allow="sign_in.update", confirm=True),
        route(f"{S}/remove", sign_in.remove, "POST", allow="sign_in.update", confirm=True),
        route("/settings/mail", mail.show, allow="settings.read"),
        route("/settings/mail", mail.save, "POST", allow="sign_in.update", confirm=True),
        route("/settings/mail/test", mail.test, "POST", allow="sign_in.update"),
        *_of_notifications(),
        route("/settings/cleanup", cleanup.show, allow="settings.read"),
        route("/settings/cleanup", cleanup.act, "POST", allow="settings.update"),
        route("/settings/cleanup/keep", cleanup.keep, "POST", allow="settings.update"),
        route("/settings/backups", backups.index, allow="backups.read"),
        route("/settings/backups", backups.save, "POST", allow="settings.update"),
        route("/settings/backups/test", backups.test, "POST", allow="settings.update"),
        route("/settings/backups/take", backups.take, "POST", allow="backups.create"),
        route(f"{B}/download", backups.download, allow="backups.read", confirm=True),
        route(f"{B}/delete", backups.delete_form, allow="backups.delete", confirm=True),
        route(f"{B}/delete", backups.remove, "POST", allow="backups.delete", confirm=True),
    ]


def _of_notifications() -> list[BaseRoute]:
    here, sent = "/settings/notifications", "/settings/deliveries/{delivery}"
    one, see, change = f"{here}/{{channel}}", "notifications.read", "notifications.update"
    return [
        route(here, notifications.index, allow=see),
        route(here, notifications.create, "POST", allow=change),
        route(one, notifications.one, allow=see),
        route(one, notifications.change, "POST", allow=change),
        route(f"{one}/test", notifications.test, "POST", allow=change),
        route(f"{one}/key", notifications.key_form, allow=change),
        route(f"{one}/key", notifications.exchange_key, "POST", allow=change),
        route(f"{one}/remove", notifications.remove_form, allow=change),
        route(f"{one}/remove", notifications.remove, "POST", allow=change),
        route(sent, notifications.delivery, allow=see),
        route(f"{sent}/redeliver", notifications.redeliver, "POST", allow=change),
    ]


def _of_keys() -> list[BaseRoute]:
    return [
        route("/device", device.show, allow="keys.own", confirm=True),
        route("/device", device.answer, "POST", allow="keys.own", tries="device", confirm=True),
        route("/settings/keys", keys.index, allow="keys.own"),
        route("/settings/keys", keys.create, "POST", allow="keys.own", confirm=True),
        route(f"{K}/revoke", keys.revoke_form, allow="keys.own"),
        route(f"{K}/revoke", keys.revoke, "POST", allow="keys.own"),
        route("/settings/keys-of-others", keys.others, allow="keys.read"),
        route(f"{KO}/revoke", keys.revoke_other_form, allow="keys.delete"),
        route(f"{KO}/revoke", keys.revoke_other, "POST", allow="keys.delete", confirm=True),
    ]
