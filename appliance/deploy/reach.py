"""What of all that is kept here somebody may count on: the rest is, to them, not here.

Whoever may read every bundle may use every content. For anybody else a content is here when it is in something that
they may see, or when they sent it themselves lately; else asking for one by its name would tell what others deploy.
"""

from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from appliance.access.actor import Actor
from appliance.access.permissions import sight
from appliance.context import Context
from appliance.deploy import paths, releases
from appliance.machine import clock, manifest_file
from appliance.model.bundles import Bundle
from appliance.model.manifests import Piece
from appliance.store import bundles, deployments, sent
from appliance.store.sight import Sight, sees

REMEMBERED = timedelta(days=1)  # as long as a content is kept that nothing uses
MOST_RELEASES = 200  # that are looked through, the newest first


@dataclass(frozen=True)
class Reach:
    """Of one who may not read every bundle."""

    ctx: Context
    person_id: str
    sight: Sight

    def missing(self, wanted: Iterable[str]) -> set[str]:
        """Those of these contents that they may not count on."""
        left = set(wanted)
        left -= sent.by(self.ctx.db.read(), self.person_id, left)
        for name in deployments.releases_seen(self.ctx.db.read(), self.sight, MOST_RELEASES) if left else ():
            left.difference_update(piece.sha256 for piece in self._files_of(name).values())
            if not left:
                break
        return left

    def has_release(self, name: str) -> bool:
        return deployments.is_release_seen(self.ctx.db.read(), name, self.sight)

    def has_bundle(self, sha256: str) -> bool:
        places = deployments.places_of_bundle(self.ctx.db.read(), sha256)
        return any(sees(self.sight, place) for place in places)

    def _files_of(self, release: str) -> dict[str, Piece]:
        with suppress(OSError, ValueError):
            return dict(releases.manifest_of(self.ctx, release))
        made = bundles.with_files_of(self.ctx.db.read(), release)
        if made is not None and made.made:
            with suppress(OSError, ValueError):
                return dict(manifest_file.read(paths.made_bundle_file(self.ctx, made.sha256)))
        return {}


def reach_of(ctx: Context, actor: Actor) -> Reach | None:
    """None where there is nothing that they may not use."""
    seen = sight(actor, "bundles.read")
    return None if seen is None else Reach(ctx, actor.person_id, seen)


def note_sent(ctx: Context, actor: Actor, contents: Collection[str]) -> int:
    """How many of them are news to whoever sent them."""
    with ctx.db.write(lasting=False) as db:
        return sent.add(db, actor.person_id, contents, ctx.moment())


def forget_sent(ctx: Context) -> None:
    with ctx.db.write(lasting=False) as db:
        sent.forget(db, clock.text(ctx.now() - REMEMBERED))


def as_seen(ctx: Context, actor: Actor, bundle: Bundle) -> Bundle:
    """The same bytes may have been deployed before where the asker may not look: who did, and when, is not told."""
    reach = reach_of(ctx, actor)
    return bundle if reach is None else deployments.bundle_as_seen(ctx.db.read(), bundle, reach.sight)
