"""What a clean-up frees, told before it does: releases nobody may soon go back to, contents nothing refers to.

Every bundle is kept, so whatever goes here can be deployed again.
"""

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

from appliance.access.actor import HOMEPORT, Actor
from appliance.access.permissions import need
from appliance.access.record import record
from appliance.context import Context
from appliance.deploy import paths, releases
from appliance.deploy.delta import contents_of_made
from appliance.machine import clock
from appliance.model import manifests
from appliance.model.amounts import how_many, size
from appliance.store import deployments
from appliance.store import releases as rows

GRACE = timedelta(days=1)  # for contents that arrived and wait for the deployment that names them
LOOK_AGAIN = timedelta(hours=2)  # at all contents on the disk, of which there may be millions; a clean-up always does
AT_ONCE = 200  # contents removed between two looks for someone who needs the shelf


@dataclass(frozen=True)
class OldRelease:
    """A release that is live nowhere and further back than those that are kept."""

    name: str
    files: int
    unpacked: Annotated[int, "Bytes of its files; what other releases share is not freed"]
    made_at: str
    deployments: Annotated[tuple[str, ...], "Whose permanent addresses end, such as `blog production #12`"]


@dataclass(frozen=True)
class Cleanup:
    """What goes, or has gone."""

    releases: tuple[OldRelease, ...]
    contents: Annotated[int, "Distinct contents that no release and no bundle refers to any more"]
    bytes: Annotated[int, "Bytes on the disk that this frees"]
    addresses: Annotated[int, "Permanent addresses that end"]
    kept: Annotated[int, "Releases that stay"]
    looked_at: Annotated[str, "When the disk was last gone through for contents that were never deployed"] = field(
        compare=False
    )


@dataclass(frozen=True)
class _Look:
    """What was found on the disk, and when."""

    at: datetime
    idle: frozenset[str]


_LAST: dict[Path, _Look] = {}  # by the folder of the data


def would_free(ctx: Context) -> Cleanup:
    """Changes nothing."""
    with releases.settled():
        going = releases.not_needed(ctx)
        look = _last_look(ctx)
        free = _freed_with(ctx, going) | _still_idle(ctx, look)
    return _told(ctx, going, free, look.at)


def clean_up(ctx: Context, actor: Actor = HOMEPORT) -> Cleanup:
    """Do it. Contents that someone needs just now are left for the next time."""
    need(actor, "settings.update")
    releases.forget_gone(ctx)
    with releases.settled():
        going = releases.not_needed(ctx)
        told = _told(ctx, going, {}, ctx.now())
        releases.remove_these(ctx, {one.name for one in going})
        looked_at = tuple(paths.gone_folder(ctx).glob("*.json"))
        gone, whole = _remove(ctx)
        for one in looked_at if whole else ():
            one.unlink()
    releases.settle_doubts(ctx)
    done = Cleanup(told.releases, len(gone), sum(gone.values()), told.addresses, told.kept, told.looked_at)
    if actor is not HOMEPORT:
        with ctx.write() as db:
            what = f"{how_many(len(going), 'release')}, {size(done.bytes)}"
            record(ctx, db, actor, "releases.cleanup", what)
    return done


def by_itself(ctx: Context) -> None:
    clean_up(ctx)


def _told(ctx: Context, going: list[rows.Kept], free: dict[str, int], looked_at: datetime) -> Cleanup:
    known = deployments.of_releases(ctx.db.read(), [one.name for one in going])
    old = tuple(OldRelease(one.name, one.files, one.unpacked, one.made_at, known.get(one.name, ())) for one in going)
    return Cleanup(
        releases=old,
        contents=len(free),
        bytes=sum(free.values()),
        addresses=sum(len(one.deployments) for one in old),
        kept=rows.count(ctx.db.read()) - len(going),
        looked_at=clock.text(looked_at),
    )


def _freed_with(ctx: Context, going: list[rows.Kept]) -> dict[str, int]:
    """Contents that only these releases refer to, or only some that have gone, with their sizes: links are counted."""
    links: Counter[str] = Counter()
    for one in going:
        with suppress(OSError, ValueError, KeyError):
            links.update(piece.sha256 for piece in releases.manifest_of(ctx, one.name).values())
    for file in paths.gone_folder(ctx).glob("*.json"):
        with suppress(OSError, ValueError, KeyError):  # one that can't be read names nothing
            links.update(dict.fromkeys((piece.sha256 for piece in manifests.read(file.read_bytes()).values()), 0))
    if not links:
        return {}
    named, shelf = contents_of_made(ctx), paths.shelf(ctx)
    alone = (one for one in links.keys() - named if 0 < shelf.links(one) <= links[one] + 1)
    return {sha256: shelf.weight(sha256) for sha256 in alone}


def _last_look(ctx: Context) -> _Look:
    known = _LAST.get(ctx.data)
    return known if known and ctx.now() - known.at < LOOK_AGAIN else _look(ctx)


def _look(ctx: Context) -> _Look:
    """For contents that nothing refers to, and that have waited for a day."""
    now = ctx.now()
    found = frozenset(paths.shelf(ctx).idle((now - GRACE).timestamp()))
    _LAST[ctx.data] = look = _Look(now, found - contents_of_made(ctx) if found else found)
    return look


def _still_idle(ctx: Context, look: _Look) -> dict[str, int]:
    """Of those that were found, with their sizes; nothing has come to use them since."""
    before, shelf = (ctx.now() - GRACE).timestamp(), paths.shelf(ctx)
    return {sha256: shelf.weight(sha256) for sha256 in look.idle if shelf.is_idle(sha256, before)}


def _remove(ctx: Context) -> tuple[dict[str, int], bool]:
    """What was removed, and whether all was: once someone begins to use the shelf, the rest is for the next time."""
    gone: dict[str, int] = {}
    uses, shelf = releases.shelf_uses(), paths.shelf(ctx)
    free = sorted((_freed_with(ctx, []) | _still_idle(ctx, _look(ctx))).items())
    for at in range(0, len(free), AT_ONCE):
        with releases.shelf_at_rest(uses) as at_rest:
            if not at_rest:
                return gone, False
            for sha256, held in free[at : at + AT_ONCE]:
                if shelf.links(sha256) == 1:
                    shelf.remove(sha256)
                    gone[sha256] = held
    return gone, True
