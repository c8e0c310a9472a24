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
    "deployments.approve": "Approve and reject deployments, and say where that is asked for",
    "deployments.cancel": "Cancel a deployment",
    "deployments.rollback": "Roll an environment back",
    "deployments.promote": "Promote to an environment from another one",
    "bundles.read": "See and download bundles",
    "variables.read": "See the names of variables, and the values of those that are not secret",
    "variables.update": "Set and remove variables",
    "urls.read": "See URLs",
    "urls.create": "Add URLs",
    "urls.delete": "Remove URLs",
    "activity.read": "See activity",
}
OF_PROJECTS = {
    "projects.update": "Rename projects",
    "projects.delete": "Delete projects",
    "environments.create": "Create environments",
    "grants.read": "See who may do what in a project",
    "grants.update": "Grant and withdraw what may be done in a project",
}
OF_THE_APPLIANCE = {
    "projects.create": "Create projects",
    "keys.own": "Make and revoke keys of one's own",
    "keys.read": "See other people's keys",
    "keys.delete": "Revoke other people's keys",
    "account.own": "See one's own sessions and second factors, and end sessions",
    "settings.read": "See settings, checks and metrics",
    "settings.update": "Change settings",
    "notifications.read": "See notifications: channels and what was sent",
    "notifications.update": "Add, change, test and remove channels of notifications, and send again",
    "sign_in.update": "Change e-mail, the appliance's address, and how people sign in",
    "people.read": "See people and invitations",
    "people.create": "Invite people",
    "people.update": "Give people other roles",
    "people.delete": "Remove people",
    "people.owners": "Make and remove owners",
    "teams.read": "See teams",
    "teams.create": "Create teams",
    "teams.update": "Rename teams, add and remove members",
    "teams.delete": "Delete teams",
    "activity.verify": "Verify that the record of activity is whole",
    "backups.read": "See and download backups",
    "backups.create": "Take backups",
    "backups.delete": "Delete backups",
}
PERMISSIONS = {**OF_ENVIRONMENTS, **OF_PROJECTS, **OF_THE_APPLIANCE}
DECLARABLE = frozenset(PERMISSIONS) | {PUBLIC, SIGNED_IN}

_OWNERS_ALONE = frozenset({"sign_in.update", "people.owners", "backups.read", "backups.create", "backups.delete"})
_READ = frozenset({"projects.read", "deployments.read", "bundles.read", "urls.read", "activity.read"})
_OWN = frozenset({"keys.own", "account.own"})
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
        "variables.read",
        "variables.update",
        "urls.create",
        "urls.delete",
    }
)
ROLES: dict[str, Permissions] = {
    "owner": frozenset(PERMISSIONS),
    "admin": frozenset(PERMISSIONS) - _OWNERS_ALONE,
    "developer": _READ | _DEVELOP | _OWN,
    "viewer": _READ | _OWN,
    "none": _OWN,
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
    if actor.cut_key:
        return NotSignedIn(
            "This is not a whole key: it was cut or mistyped.",
            headers={"WWW-Authenticate": "Bearer"},
            todo=("Copy it again, all of it: it begins with hp_.",),
        )
    if not actor.signed_in:
        return NotSignedIn(
            "Sign in, or send a key as `Authorization: Bearer hp_…`.", headers={"WWW-Authenticate": "Bearer"}
        )
    if actor.lacks_factor:
        return Forbidden(
            "A second factor is required here, and you have none yet.",
            code="second_factor_needed",
            todo=("Set up an authenticator app or a passkey on your account page.",),
        )
    what = PERMISSIONS.get(permission, permission)
    refused = Forbidden(f"{actor.name} may not do this. It takes the permission “{what}”.")
    refused.refused = permission
    return refused
