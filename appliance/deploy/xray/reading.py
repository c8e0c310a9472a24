"""Reading the files of a release: each content once, whatever number of names it has."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from appliance.deploy.xray import facts
from appliance.deploy.xray.facts import Facts
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
Tick = Callable[[], None]


class Read(NamedTuple):
    facts: dict[str, Facts]  # by content; of pages and stylesheets always, of others only where they say anything
    too_large: list[str]


def read(tree: Path, manifest: Manifest, tick: Tick) -> Read:
    done, found, too_large = set(), {}, []
    top = str(tree)
    for path, piece in manifest.items():
        if piece.sha256 in done or not piece.size:
            continue
        kind = type_of(path).partition(";")[0]
        look = {PAGE: facts.of_html, STYLE: facts.of_css}.get(kind, facts.of_other)
        if look is facts.of_other and not kind.startswith(_OTHERS):
            continue
        done.add(piece.sha256)
        if piece.size > (_LARGEST_PAGE if look is facts.of_html else _LARGEST_OTHER):
            too_large.append(path)
            continue
        tick()
        with open(f"{top}/{path}", "rb") as file:
            said = look(file.read())
        if look is not facts.of_other or said.tokens:
            found[piece.sha256] = said
    return Read(found, too_large)


def of_kind(kind: str, manifest: Manifest) -> Iterator[tuple[str, str]]:
    """The files of one content type, by path, with their content's name."""
    return ((path, piece.sha256) for path, piece in manifest.items() if type_of(path).startswith(kind))
