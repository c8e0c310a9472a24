"""What somebody may do, and where."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from appliance.model.places import Place
from appliance.store.sight import Sight

Permissions = frozenset[str]
NONE: Permissions = frozenset()


@dataclass(frozen=True)
class Powers:
    """Everywhere, in projects, and in environments. What is held in a wider place is held in those within it."""

    everywhere: Permissions = NONE
    projects: Mapping[int, Permissions] = field(default_factory=dict)
    environments: Mapping[Place, Permissions] = field(default_factory=dict)

    def hold(self, permission: str, at: Place | None) -> bool:
        if permission in self.everywhere or at is None:
            return permission in self.everywhere
        return permission in self.projects.get(at.project_id, NONE) or permission in self.environments.get(at, NONE)

    def hold_within(self, permission: str, project_id: int) -> bool:
        """In the project, or in any environment of it."""
        return self.hold(permission, Place(project_id)) or any(
            place.project_id == project_id and permission in held for place, held in self.environments.items()
        )

    def hold_somewhere(self, permission: str) -> bool:
        return permission in self.everywhere or any(
            permission in held for held in (*self.projects.values(), *self.environments.values())
        )

    def sight(self, permission: str) -> Sight | None:
        """Where this is held, for lists; None when it is everywhere."""
        if permission in self.everywhere:
            return None
        within = [place for place, held in self.environments.items() if permission in held]
        return Sight(
            frozenset(number for number, held in self.projects.items() if permission in held),
            frozenset(place.environment_id for place in within if place.environment_id is not None),
            frozenset(place.project_id for place in within),
        )

    def only(self, permissions: Permissions) -> "Powers":
        """No more than these."""
        return Powers(
            self.everywhere & permissions,
            {number: held & permissions for number, held in self.projects.items()},
            {place: held & permissions for place, held in self.environments.items()},
        )

    def only_in(self, places: Iterable[Place], *, anywhere: Permissions = NONE) -> "Powers":
        """No more than in these; of what is held everywhere, besides that only `anywhere`."""
        narrowed = Powers(self.everywhere & anywhere)
        for place in places:
            held = self._held_at(place)
            if place.environment_id is None:
                narrowed = replace(narrowed, projects={**narrowed.projects, place.project_id: held})
                inside = {one: more for one, more in self.environments.items() if one.project_id == place.project_id}
                narrowed = replace(narrowed, environments={**narrowed.environments, **inside})
            else:
                narrowed = replace(narrowed, environments={**narrowed.environments, place: held})
        return narrowed

    def _held_at(self, place: Place) -> Permissions:
        return self.everywhere | self.projects.get(place.project_id, NONE) | self.environments.get(place, NONE)
