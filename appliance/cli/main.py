"""The `homeport` command: every subcommand on one screen."""

import click

from appliance import __version__
from appliance.cli.edge import Root

SECTIONS = {
    "From anywhere": {
        "login": "appliance.cli.login:login",
        "logout": "appliance.cli.login:logout",
        "whoami": "appliance.cli.login:whoami",
        "deploy": "appliance.cli.deploy:deploy",
        "logs": "appliance.cli.logs:logs",
        "rollback": "appliance.cli.rollback:rollback",
        "promote": "appliance.cli.promote:promote",
        "open": "appliance.cli.open:open_site",
        "projects": "appliance.cli.projects:projects",
        "environments": "appliance.cli.environments:environments",
        "deployments": "appliance.cli.deployments:deployments",
        "urls": "appliance.cli.urls:urls",
        "variables": "appliance.cli.variables:variables",
        "certificates": "appliance.cli.certificates:certificates",
        "ca": "appliance.cli.certificates:ca",
        "dns": "appliance.cli.dns:dns",
        "nginx": "appliance.cli.nginx:nginx",
        "keys": "appliance.cli.keys:keys",
        "sessions": "appliance.cli.sessions:sessions",
        "confirm": "appliance.cli.sessions:confirm",
        "people": "appliance.cli.people:people",
        "teams": "appliance.cli.teams:teams",
        "grants": "appliance.cli.grants:grants",
        "bundles": "appliance.cli.bundles:bundles",
        "xray": "appliance.cli.xray:xray",
        "compare": "appliance.cli.compare:compare",
        "activity": "appliance.cli.activity:activity",
        "providers": "appliance.cli.providers:providers",
        "identities": "appliance.cli.providers:identities",
        "settings": "appliance.cli.settings:settings",
        "log": "appliance.cli.process_log:log",
        "mail": "appliance.cli.mail:mail",
        "notifications": "appliance.cli.notifications:notifications",
        "backups": "appliance.cli.backups:backups",
        "cleanup": "appliance.cli.cleanup:cleanup",
    },
    "On the server's host": {
        "serve": "appliance.cli.serve:serve",
        "setup-link": "appliance.cli.setup_link:setup_link",
        "doctor": "appliance.cli.doctor:doctor",
        "backup": "appliance.cli.backup:backup",
        "restore": "appliance.cli.restore:restore",
        "install": "appliance.cli.install:install",
        "upgrade": "appliance.cli.upgrade:upgrade",
        "rotate-key": "appliance.cli.rotate_key:rotate_key",
        "user": "appliance.cli.user:user",
    },
}
UNLISTED = {  # for systemd and for Homeport itself, not for people
    "nginx-helper": "appliance.cli.nginx_helper:nginx_helper",
    "rehearse": "appliance.cli.rehearse:rehearse",
}
EXAMPLE = """\b
Example:
  homeport login https://deploy.example.net
  homeport deploy dist --project blog --create

Every option can also be set as HOMEPORT_<NAME>, such as HOMEPORT_PROJECT=blog.
In CI, HOMEPORT_SERVER and HOMEPORT_KEY stand in for login."""


@click.group(
    cls=Root,
    sections=SECTIONS,
    unlisted=UNLISTED,
    epilog=EXAMPLE,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, message="homeport %(version)s")
def homeport() -> None:
    """Put built sites live on your own host."""
