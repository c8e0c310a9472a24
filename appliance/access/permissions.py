"""What can be allowed, and what each role may do: data, so that docs and checks are drawn from it."""

from functools import cache

from appliance.access.actor import Actor
from appliance.access.powers import Permissions, Powers
from appliance.errors import Forbidden, NotSignedIn
from appliance.model.places import Place
from appliance.store.sight import Sight

PUBLIC = "public"  # anyone, signed in or not
SIGNED_IN = "signed in"  # anyone who is signed in
OF_ENVIRONMENTS = {
    "projects.read": "See projects, environments and what is live",
    "environments.update": "Change environments",
    "environments.delete": "Delete environments",
    "environments.freeze": "Freeze and thaw environments",
    "deployments.read": "See deployments and their logs",
    "deployments.create": "Deploy a bundle",
    "deployments.cancel": "Cancel a deployment",
    "deployments.rollback": "Roll an environment back",
    "deployments.promote": "Promote to an environment from another one",
    "bundles.read": "See and download bundles",
    "urls.read": "See URLs",
    "urls.create": "Add URLs",
    "urls.delete": "Remove URLs",
    "activity.read": "See activity",
}
OF_PROJECTS = {
    "projects.update": "Rename projects",
    "projects.delete": "Delete projects",
    "environments.create": "Create environments",
}
OF_THE_APPLIANCE = {
    "projects.create": "Create projects",
    "keys.own": "Make and revoke keys of one's own",
    "settings.read": "See settings, checks and metrics",
    "settings.update": "Change settings",
    "backups.read": "See and download backups",
    "backups.create": "Take backups",
    "backups.delete": "Delete backups",
}
PERMISSIONS = {**OF_ENVIRONMENTS, **OF_PROJECTS, **OF_THE_APPLIANCE}
DECLARABLE = frozenset(PERMISSIONS) | {PUBLIC, SIGNED_IN}

_OWNERS_ALONE = frozenset({"backups.read", "backups.create", "backups.delete"})
_READ = frozenset({"projects.read", "deployments.read", "bundles.read", "urls.read", "activity.read"})
_DEVELOP = frozenset(
    {
        "projects.create",
        "environments.create",
        "environments.update",
        "environments.freeze",
        "deployments.create",
        "deployments.cancel",
        "deployments.rollback",
        "deployments.promote",
        "urls.create",
        "urls.delete",
    }
)
ROLES: dict[str, Permissions] = {
    "owner": frozenset(PERMISSIONS),
    "admin": frozenset(PERMISSIONS) - _OWNERS_ALONE,
    "developer": _READ | _DEVELOP | {"keys.own"},
    "viewer": _READ | {"keys.own"},
    "none": frozenset({"keys.own"}),
}
RANK = ("none", "viewer", "developer", "admin", "owner")  # each may do what those before it may


@cache
def powers_of_role(role: str) -> Powers:
    return Powers(ROLES.get(role, frozenset()))


def granted(role: str, place: Place) -> Permissions:
    """What a role comes to where it is given for one place only."""
    within = OF_ENVIRONMENTS if place.environment_id is not None else {**OF_ENVIRONMENTS, **OF_PROJECTS}
    return ROLES.get(role, frozenset()) & within.keys()


def powers(actor: Actor) -> Powers:
    return actor.powers or powers_of_role(actor.role)


def may(actor: Actor, permission: str, at: Place | None = None) -> bool:
    """In that place; without one, everywhere."""
    if permission == PUBLIC:
        return True
    if permission == SIGNED_IN:
        return actor.signed_in
    return actor.kind == "homeport" or powers(actor).hold(permission, at)


def may_somewhere(actor: Actor, permission: str) -> bool:
    return may(actor, permission) or powers(actor).hold_somewhere(permission)


def sight(actor: Actor, permission: str) -> Sight | None:
    """What lists may show; None where that is everything."""
    return None if may(actor, permission) else powers(actor).sight(permission)


def need(actor: Actor, permission: str, at: Place | None = None) -> None:
    """Stop here unless the actor may do this in that place; without one, everywhere."""
    if not may(actor, permission, at):
        raise refusal(actor, permission)


def need_somewhere(actor: Actor, permission: str) -> None:
    """For lists, which show only what may be seen."""
    if not may_somewhere(actor, permission):
        raise refusal(actor, permission)


def refusal(actor: Actor, permission: str) -> NotSignedIn | Forbidden:
    if not actor.signed_in:
        return NotSignedIn(
            "Sign in, or send a key as `Authorization: Bearer hp_…`.", headers={"WWW-Authenticate": "Bearer"}
        )
    what = PERMISSIONS.get(permission, permission)
    return Forbidden(f"{actor.name} may not do this. It takes the permission “{what}”.")
