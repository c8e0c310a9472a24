"""What a key is kept to: some places, some permissions, or all that its maker may do."""

from collections.abc import Sequence
from dataclasses import dataclass

from appliance.model.amounts import how_many
from appliance.model.places import Place

READING = ("activity.read", "bundles.read", "deployments.read", "projects.read", "urls.read")
DEPLOYING = (
    "bundles.read",
    "deployments.cancel",
    "deployments.create",
    "deployments.promote",
    "deployments.read",
    "deployments.rollback",
    "projects.read",
    "urls.read",
)
PRESETS = {"deploy": DEPLOYING, "read": READING}
FEW = 3  # that are named in one line


@dataclass(frozen=True)
class Scope:
    """Places by their numbers, so that a key means the same after they were renamed. None: not kept to any."""

    places: tuple[Place, ...] | None = None
    permissions: tuple[str, ...] | None = None


EVERYTHING = Scope()


def in_words(places: Sequence[str] | None, permissions: Sequence[str] | None) -> str:
    """One line for lists."""
    return f"{_what(permissions)} {_where(places)}".strip()


def _what(permissions: Sequence[str] | None) -> str:
    if permissions is None:
        return "Everything its maker may do"
    for name, held in PRESETS.items():
        if set(permissions) == set(held):
            return {"deploy": "Deploy", "read": "Read only"}[name]
    if len(permissions) <= FEW:
        return ", ".join(permissions)
    return how_many(len(permissions), "permission")


def _where(places: Sequence[str] | None) -> str:
    if places is None:
        return ""
    if not places:
        return "in places that are gone"
    rest = f" and {len(places) - FEW} more" if len(places) > FEW else ""
    return f"in {', '.join(places[:FEW])}{rest}"
