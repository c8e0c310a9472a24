"""Smaller forms of what was deployed, beside its files: made once ever for a content, after visitors have it."""

import errno
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from appliance.context import Context
from appliance.deploy import paths, releases
from appliance.deploy.behind import Interrupted, Pace
from appliance.deploy.xray import after
from appliance.machine import compressing, faults, files
from appliance.model.manifests import Manifest
from appliance.model.serving import type_of
from appliance.store import jobs
from appliance.store.db import Connection

KIND = "compress"
_BATCH = 16 << 20  # bytes read between two syncs: what is linked is on the disk before
_LINKED = 64  # contents in one go: whoever asks for a release waits that long at most
_KINDS = (
    "text/",
    "application/atom+xml",
    "application/geo+json",
    "application/json",
    "application/ld+json",
    "application/manifest+json",
    "application/rss+xml",
    "application/toml",
    "application/wasm",
    "application/xhtml+xml",
    "application/xml",
    "application/yaml",
    "application/vnd.ms-fontobject",
    "font/otf",
    "font/ttf",
    "image/svg+xml",
    "image/x-icon",
    "model/gltf+json",
)
_OURS = frozenset({"_headers", "_redirects"})
Names = Mapping[str, list[str]]  # the paths of each content


def ask_for(db: Connection, release: str, at: str) -> None:
    if not jobs.has(db, KIND, release):
        jobs.add(db, KIND, release, queue=KIND, at=at)


def compress(ctx: Context, release: str, _: int = 1) -> None:
    """The job: what is there is linked at once; what isn't is made, some at a time."""
    if not releases.ready(ctx, release):
        return
    work = _Work(ctx, release)
    try:
        missing = work.link(list(work.names))
        for batch in work.batches(missing):
            work.make(batch)
            work.link(batch)
    except Interrupted:
        with ctx.write() as db:
            jobs.add(db, KIND, release, queue=KIND, at=ctx.moment())
    except FileNotFoundError:  # the release was removed meanwhile, and the work with it
        return


class _Work:
    def __init__(self, ctx: Context, release: str) -> None:
        self._ctx, self._release = ctx, release
        self._manifest = releases.manifest_of(ctx, release)
        self._tree, self._shelf = paths.release(ctx, release).path, paths.shelf(ctx)
        self._tick = Pace(ctx, after=after.KIND)  # that is what someone waits to read
        self.names = _names(self._manifest)

    def link(self, contents: list[str]) -> list[str]:
        """Put the forms of contents beside their files; those come back that have none yet."""
        missing = []
        for start in range(0, len(contents), _LINKED):
            self._tick()
            with releases.held(self._ctx, self._release):
                missing += [sha256 for sha256 in contents[start : start + _LINKED] if not self._beside(sha256)]
        return missing

    def batches(self, missing: list[str]) -> Iterator[list[str]]:
        batch, size = [], 0
        for sha256 in missing:
            batch.append(sha256)
            size += self._manifest[self.names[sha256][0]].size
            if size >= _BATCH:
                yield batch
                batch, size = [], 0
        if batch:
            yield batch

    def make(self, batch: list[str]) -> None:
        """Written, then synced all together, and only then given the names by which they are served."""
        written: list[tuple[Path, str, str]] = []
        try:
            for sha256 in batch:
                self._tick()
                file = self._tree / self.names[sha256][0]
                self._shelf.share(file, sha256)  # forms come and go with their content
                for ending, form in compressing.forms(file.read_bytes()).items():
                    written.append((self._shelf.write_beside(sha256, form), sha256, ending))
            faults.point("compress")
            files.sync_disk(self._shelf.root)
            for form_file, sha256, ending in written:
                self._shelf.adopt_form(form_file, sha256, ending)
        finally:
            for form_file, *_ in written:
                form_file.unlink(missing_ok=True)

    def _beside(self, sha256: str) -> bool:
        """Never over a file of the bundle."""
        known = self._shelf.forms(sha256)
        for ending in known or ():
            for path in self.names[sha256]:
                if f"{path}.{ending}" not in self._manifest:
                    _link(self._shelf.form(sha256, ending), self._tree / f"{path}.{ending}")
        return known is not None


def _link(form: Path, to: Path) -> None:
    """Where that can't be, as with a name that would be too long, visitors get the file as it is."""
    try:
        os.link(form, to)
    except OSError as why:
        if why.errno not in (errno.EEXIST, errno.EMLINK, errno.ENAMETOOLONG):
            raise


def _names(manifest: Manifest) -> Names:
    found: dict[str, list[str]] = {}
    for path, piece in manifest.items():
        if (
            compressing.LEAST < piece.size <= compressing.MOST
            and path not in _OURS
            and type_of(path).startswith(_KINDS)
        ):
            found.setdefault(piece.sha256, []).append(path)
    return found
