"""The X-ray: what is in a release, seen before visitors get it or right after, against what was live.

`glance` goes by names alone and costs next to nothing; `look` reads pages and stylesheets as well.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from heapq import nlargest
from pathlib import Path
from statistics import median

from appliance.deploy.xray import changes, contents, generators, names
from appliance.deploy.xray.facts import Facts
from appliance.deploy.xray.findings import in_order
from appliance.deploy.xray.links import Map
from appliance.deploy.xray.reading import PAGE, STYLE, Content, Tick, read
from appliance.deploy.xray.remembered import Memory
from appliance.deploy.xray.tokens import Token
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
    memory: Memory | None = None,
) -> Report:
    """All of it. `tick` is called between two files, and may wait or raise; `more` was found by others.

    What `memory` knows is not read again, and what is read is there afterwards.
    """
    quick, seen = glance(manifest, before, against), _Seen(manifest, Map(manifest, rules))
    for content in read(tree, manifest, tick, memory or Memory()):
        seen.add(content)
    built_by = generators.by_meta(seen.generator) or quick.generator
    single = contents.is_single_page(seen.pages, seen.top)
    findings = [
        *quick.findings,
        *more,
        *seen.site.findings(built_by),
        *contents.given_away(seen.tokens),
        *contents.heavy(seen.weights),
        *([contents.without_fallback()] if single and not rules.fallback else ()),
        *([contents.not_read(seen.too_large)] if seen.too_large else ()),
    ]
    return replace(
        quick,
        state=DONE,
        findings=in_order(findings),
        generator=built_by,
        pages=len(seen.pages),
        page_weight=int(median(seen.weights.values())) if seen.weights else 0,
        heaviest_pages=_heaviest(seen.weights.items()),
        single_page=single,
    )


@dataclass
class _Seen:
    """What is kept of the files that were read: little, however many there are."""

    manifest: Manifest
    site: Map
    generator: str = ""
    top: Facts | None = None  # what index.html says
    pages: list[str] = field(default_factory=list)
    weights: dict[str, int] = field(default_factory=dict)
    tokens: list[tuple[str, Token]] = field(default_factory=list)
    too_large: list[str] = field(default_factory=list)

    def add(self, content: Content) -> None:
        kind, paths, said = content
        self.pages += paths if kind == PAGE else ()
        if said is None:
            self.too_large += paths
            return
        self.tokens += [(path, token) for path in paths for token in said.tokens]
        for path in paths:
            if kind == PAGE:
                self._add_page(path, said)
            elif kind == STYLE:
                self.site.follow(path, "", said.parts, parts=True)

    def _add_page(self, path: str, said: Facts) -> None:
        loaded = self.site.follow(path, said.base, said.loads, parts=True)
        self.site.follow(path, said.base, said.parts, parts=True)
        self.site.follow(path, said.base, said.links, parts=False)
        self.weights[path] = self.manifest[path].size + sum(self.manifest[one].size for one in dict.fromkeys(loaded))
        self.generator = self.generator or said.generator
        if path == "index.html":
            self.top = said


def _heaviest(those: Iterable[tuple[str, int]]) -> tuple[Weight, ...]:
    return tuple(Weight(path, size) for path, size in nlargest(_HEAVIEST, those, key=lambda one: one[1]))
