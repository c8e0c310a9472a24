"""Reading the files of a release: each content once, whatever number of names it has."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from appliance.deploy.xray import facts
from appliance.deploy.xray.facts import Facts
from appliance.deploy.xray.remembered import Memory
from appliance.model.manifests import Manifest
from appliance.model.serving import type_of

PAGE, STYLE = "text/html", "text/css"
_LARGEST_PAGE, _LARGEST_OTHER = 2 << 20, 8 << 20  # bytes of a file that is read
_OTHERS = (
    "text/",
    "application/json",
    "application/manifest",
    "application/octet-stream",
    "application/toml",
    "application/xml",
    "application/yaml",
    "image/svg+xml",
)
_READERS = {PAGE: facts.of_html, STYLE: facts.of_css}
Tick = Callable[[], None]


class Content(NamedTuple):
    """What a content says; None where it is too large to be read."""

    kind: str
    paths: list[str]
    facts: Facts | None


def read(tree: Path, manifest: Manifest, tick: Tick, memory: Memory) -> Iterator[Content]:
    """Pages, stylesheets and other text. `tick` is called before each, and may wait or raise."""
    top = str(tree)
    for (sha256, kind), paths in _by_content(manifest).items():
        if manifest[paths[0]].size > (_LARGEST_PAGE if kind == PAGE else _LARGEST_OTHER):
            yield Content(kind, paths, None)
            continue
        tick()
        said = memory.find(sha256, kind)
        if said is None:
            with open(f"{top}/{paths[0]}", "rb") as file:
                said = _READERS.get(kind, facts.of_other)(file.read())
            memory.add(sha256, kind, said)
        yield Content(kind, paths, said)


def _by_content(manifest: Manifest) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = {}
    for path, piece in manifest.items():
        kind = type_of(path).partition(";")[0]
        if piece.size and kind.startswith(_OTHERS):
            found.setdefault((piece.sha256, kind), []).append(path)
    return found
