"""Fingerprinted files of releases that were live before: visitors with an older page still get what it asks for.

`<data>/earlier/<environment id>/` holds them by their paths, as further links to the same files; the JSON beside it
says which are of the live release, and since when the others are not.
"""

import json
import os
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Self

from appliance.context import Context
from appliance.deploy import paths, releases
from appliance.machine import clock, files
from appliance.model import serving
from appliance.model.environments import Environment
from appliance.model.site_settings import SiteSettings
from appliance.model.sites import Release
from appliance.store import environments


@dataclass
class _Kept:
    """What the JSON says."""

    live: set[str] = field(default_factory=set)
    gone: dict[str, str] = field(default_factory=dict)  # by path, when it stopped being live

    @classmethod
    def of(cls, folder: Path) -> Self:
        try:
            raw = json.loads(_note(folder).read_text("utf-8"))
            return cls(set(raw["live"]), dict(raw["gone"]))
        except (FileNotFoundError, ValueError, KeyError):
            return cls()

    def write(self, folder: Path) -> None:
        files.write_whole(_note(folder), json.dumps({"live": sorted(self.live), "gone": self.gone}), sync=False)


def keep(ctx: Context, environment: Environment, release: Release) -> int:
    """After a release went live: its fingerprinted files, for the time when it no longer is. Says how many are new."""
    folder = paths.earlier(ctx, environment.id)
    kept = _Kept.of(folder)
    now = {path for path in releases.manifest_of(ctx, release.name) if serving.is_fingerprinted(f"/{path}".encode())}
    if not release.rules.bridge:
        now = set()
    if now:
        files.make_open(folder)
    if now != kept.live:  # before the links, so that there is none that it doesn't know
        moment = ctx.moment()
        gone = kept.gone | dict.fromkeys(kept.live, moment)
        _Kept(now, {path: at for path, at in gone.items() if path not in now}).write(folder)
    return sum(_link(f"{release.path}/{path}", f"{folder}/{path}") for path in now)


def forget_old(ctx: Context) -> None:
    """What has been gone for longer than its environment wants; and all of an environment that is no more."""
    known = {str(one.id): one for one in environments.everyone(ctx.db.read())}
    for left in (ctx.data / "earlier").iterdir():
        environment = known.get(left.name.removesuffix(".json"))
        if environment is None:
            files.remove_tree(left)
        elif left.is_dir():
            _forget(ctx, environment, left)


def _forget(ctx: Context, environment: Environment, folder: Path) -> None:
    hours = SiteSettings.of(environment.site).bridge_hours
    kept, since = _Kept.of(folder), clock.text(ctx.now() - timedelta(hours=hours))
    old = [path for path, at in kept.gone.items() if at <= since]
    for path in old:
        with suppress(FileNotFoundError):
            (folder / path).unlink()
        _remove_empty(folder, (folder / path).parent)
        del kept.gone[path]
    if old:
        kept.write(folder)


def _link(file: str, place: str) -> bool:
    """One more name for a file; where another content had the path, the newer one has it now."""
    try:
        try:
            os.link(file, place)
        except FileNotFoundError:
            files.make_open(Path(place).parent)
            os.link(file, place)
        except FileExistsError:
            if os.path.samefile(file, place):
                return False
            os.unlink(place)
            os.link(file, place)
    except OSError:  # a path that is a folder in another release, or too many links: what is live is not touched by it
        return False
    return True


def _remove_empty(top: Path, folder: Path) -> None:
    with suppress(OSError):
        while folder != top:
            folder.rmdir()
            folder = folder.parent


def _note(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.json")
