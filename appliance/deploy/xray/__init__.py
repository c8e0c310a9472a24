"""The X-ray: what is in a release, seen before visitors get it or right after, against what was live.

`glance` goes by names alone and costs next to nothing; `look` reads pages and stylesheets as well.
"""

from collections.abc import Iterable
from dataclasses import replace
from heapq import nlargest
from pathlib import Path
from statistics import median

from appliance.deploy.xray import changes, contents, generators, names
from appliance.deploy.xray.findings import in_order
from appliance.deploy.xray.links import Map
from appliance.deploy.xray.reading import PAGE, STYLE, Tick, of_kind, read
from appliance.model.manifests import Manifest
from appliance.model.rules import Rules
from appliance.model.xrays import DONE, LOOKING, Finding, Names, Report, Weight

_HEAVIEST = 5


def glance(manifest: Manifest, before: Manifest | None, against: str | None = None) -> Report:
    """What names and sizes tell."""
    added, removed, changed = changes.split(before, manifest) if before is not None else (set(), set(), [])
    return Report(
        state=LOOKING,
        against=against if before is not None else None,
        files=len(manifest),
        size=sum(piece.size for piece in manifest.values()),
        added=changes.names_of(added, manifest),
        removed=changes.names_of(removed, before) if before is not None else Names(),
        changed=changes.names_of(changed, manifest),
        findings=in_order(list(names.judge(manifest, before))),
        heaviest_files=_heaviest((path, piece.size) for path, piece in manifest.items()),
        generator=generators.by_files(manifest),
    )


def look(
    tree: Path,
    manifest: Manifest,
    before: Manifest | None,
    rules: Rules,
    *,
    against: str | None = None,
    more: Iterable[Finding] = (),
    tick: Tick = lambda: None,
) -> Report:
    """All of it. `tick` is called between two files, and may wait or raise; `more` was found by others."""
    quick = glance(manifest, before, against)
    facts, too_large = read(tree, manifest, tick)
    pages = {path: facts[sha256] for path, sha256 in of_kind(PAGE, manifest) if sha256 in facts}
    built_by = next((generators.by_meta(it.generator) for it in pages.values() if it.generator), quick.generator)
    site = Map(manifest, rules)
    weights: dict[str, int] = {}
    for path, said in pages.items():
        tick()
        loaded = site.follow(path, said.base, said.loads, parts=True)
        site.follow(path, said.base, said.parts, parts=True)
        site.follow(path, said.base, said.links, parts=False)
        weights[path] = manifest[path].size + sum(manifest[one].size for one in dict.fromkeys(loaded))
    for path, sha256 in of_kind(STYLE, manifest):
        site.follow(path, "", facts[sha256].parts if sha256 in facts else (), parts=True)
    single = contents.is_single_page(pages)
    findings = [
        *quick.findings,
        *more,
        *site.findings(built_by),
        *contents.given_away(manifest, facts),
        *contents.heavy(weights),
        *([contents.without_fallback()] if single and not rules.fallback else ()),
        *([contents.not_read(too_large)] if too_large else ()),
    ]
    return replace(
        quick,
        state=DONE,
        findings=in_order(findings),
        generator=built_by,
        pages=len(pages),
        page_weight=int(median(weights.values())) if weights else 0,
        heaviest_pages=_heaviest(weights.items()),
        single_page=single,
    )


def _heaviest(those: Iterable[tuple[str, int]]) -> tuple[Weight, ...]:
    return tuple(Weight(path, size) for path, size in nlargest(_HEAVIEST, those, key=lambda one: one[1]))
