"""What can be allowed, and what each role may do: data, so that docs and checks are drawn from it."""

from appliance.access.actor import Actor
from appliance.errors import Forbidden, NotSignedIn

PUBLIC = "public"  # anyone, signed in or not
SIGNED_IN = "signed in"  # anyone who is signed in
PERMISSIONS = {
    "projects.read": "See projects, environments and what is live",
    "projects.create": "Create projects",
    "projects.update": "Rename projects",
    "projects.delete": "Delete projects",
    "environments.create": "Create environments",
    "environments.update": "Change environments",
    "environments.delete": "Delete environments",
    "environments.freeze": "Freeze and thaw environments",
    "deployments.read": "See deployments and their logs",
    "deployments.create": "Deploy a bundle",
    "deployments.cancel": "Cancel a deployment",
    "deployments.rollback": "Roll an environment back",
    "deployments.promote": "Promote from one environment to another",
    "bundles.read": "See and download bundles",
    "urls.read": "See URLs",
    "urls.create": "Add URLs",
    "urls.delete": "Remove URLs",
    "keys.own": "Make and revoke keys of one's own",
    "activity.read": "See activity",
    "settings.read": "See settings, checks and metrics",
    "settings.update": "Change settings",
    "backups.read": "See and download backups",
    "backups.create": "Take backups",
    "backups.delete": "Delete backups",
}
ROLES: dict[str, frozenset[str]] = {"owner": frozenset(PERMISSIONS)}
DECLARABLE = frozenset(PERMISSIONS) | {PUBLIC, SIGNED_IN}


def may(actor: Actor, permission: str) -> bool:
    if permission == PUBLIC:
        return True
    if permission == SIGNED_IN:
        return actor.signed_in
    return actor.kind == "homeport" or permission in ROLES.get(actor.role, ())


def need(actor: Actor, permission: str) -> None:
    """Stop here unless the actor may."""
    if may(actor, permission):
        return
    if not actor.signed_in:
        raise NotSignedIn(
            "Sign in, or send a key as `Authorization: Bearer hp_…`.", headers={"WWW-Authenticate": "Bearer"}
        )
    what = PERMISSIONS.get(permission, permission)
    raise Forbidden(f"{actor.name} may not do this. It takes the permission “{what}”.")
