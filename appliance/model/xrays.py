"""An X-ray: what is seen in a release, against what was live when it came."""

import json
from dataclasses import asdict, dataclass
from typing import Annotated, Any, NamedTuple, Self


class Kind(NamedTuple):
    """A kind of finding: how bad it is, and what it is in a few words."""

    level: str
    about: str


WARNING, NOTE = "warning", "note"
KINDS = {
    "private_keys": Kind(WARNING, "Private keys in what is published"),
    "tokens": Kind(WARNING, "Tokens and passwords of services in what is published"),
    "secret_files": Kind(WARNING, "Files that are not meant to be published, by their names"),
    "broken_links": Kind(WARNING, "Links that lead nowhere"),
    "missing_assets": Kind(WARNING, "Scripts, styles, pictures and other parts of pages that are not there"),
    "case_links": Kind(WARNING, "Links that work only where large and small letters are the same"),
    "base_path": Kind(WARNING, "Built to be served from a folder, not from the top"),
    "bad_rules": Kind(WARNING, "Lines of `_redirects` and `_headers` that are not followed"),
    "no_index": Kind(WARNING, "No `index.html` at the top"),
    "mostly_gone": Kind(WARNING, "Most of the files that are live now are missing"),
    "left_out": Kind(NOTE, "What the bundle held and is never published"),
    "case_names": Kind(NOTE, "Names that differ only by large and small letters"),
    "source_maps": Kind(NOTE, "Source maps, which show the source"),
    "heavy_pages": Kind(NOTE, "Pages of more than 3 MB"),
    "single_page": Kind(NOTE, "A single-page app without a fallback"),
    "not_read": Kind(NOTE, "Files that were too large to look into"),
}
LOOKING, DONE, STOPPED = "looking", "done", "stopped"


@dataclass(frozen=True)
class Finding:
    code: Annotated[str, "The kind of finding: it stays the same"]
    level: Annotated[str, "`warning` or `note`"]
    text: Annotated[str, "What was found, in words"]
    count: int
    examples: Annotated[tuple[str, ...], "The first few"]
    todo: Annotated[str, "What to do"]


@dataclass(frozen=True)
class Names:
    """Some files: how many, how heavy, and what the first few are called."""

    count: int = 0
    size: Annotated[int, "Bytes of them"] = 0
    names: Annotated[tuple[str, ...], "The first few"] = ()


@dataclass(frozen=True)
class Weight:
    path: str
    size: int


@dataclass(frozen=True)
class Report:
    state: Annotated[str, "`looking` until pages are read as well, then `done`; `stopped` if that came to nothing"]
    against: Annotated[str | None, "The deployment that was live when it came"]
    files: int
    size: Annotated[int, "Bytes of all files"]
    added: Names
    removed: Names
    changed: Names
    findings: Annotated[tuple[Finding, ...], "Warnings first"]
    heaviest_files: tuple[Weight, ...]
    pages: Annotated[int, "HTML files"] = 0
    page_weight: Annotated[int, "Bytes of a typical page with what it loads"] = 0
    heaviest_pages: Annotated[tuple[Weight, ...], "With their scripts, styles and pictures"] = ()
    generator: Annotated[str, "What built it, where that can be told"] = ""
    single_page: Annotated[bool, "Whether it looks like a single-page app"] = False

    @property
    def warnings(self) -> tuple[Finding, ...]:
        return tuple(one for one in self.findings if one.level == WARNING)

    @property
    def notes(self) -> tuple[Finding, ...]:
        return tuple(one for one in self.findings if one.level == NOTE)

    @property
    def text(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"), ensure_ascii=True)

    @classmethod
    def of(cls, text: str) -> Self:
        """Read back what `text` gave."""
        raw: dict[str, Any] = json.loads(text)
        for name in ("added", "removed", "changed"):
            raw[name] = Names(**_tuples(raw[name]))
        raw["findings"] = tuple(Finding(**_tuples(one)) for one in raw["findings"])
        for name in ("heaviest_files", "heaviest_pages"):
            raw[name] = tuple(Weight(**one) for one in raw[name])
        return cls(**raw)


@dataclass(frozen=True)
class Summary:
    """An X-ray in numbers, for a deployment's JSON."""

    state: Annotated[str, "`looking`, `done` or `stopped`"]
    warnings: Annotated[int, "Kinds of warnings"]
    notes: Annotated[int, "Kinds of notes"]
    added: Annotated[int, "Files"]
    removed: int
    changed: int

    @classmethod
    def of(cls, report: Report) -> Self:
        return cls(
            report.state,
            len(report.warnings),
            len(report.notes),
            report.added.count,
            report.removed.count,
            report.changed.count,
        )


@dataclass(frozen=True)
class FileChange:
    path: str
    before: Annotated[int | None, "Bytes; null where it is new"]
    after: Annotated[int | None, "Bytes; null where it is gone"]


@dataclass(frozen=True)
class Changes:
    count: int
    files: Annotated[tuple[FileChange, ...], "The first 200, by path"]


@dataclass(frozen=True)
class Comparison:
    """Two deployments, the earlier one first."""

    before: Annotated[str, "The id of the earlier deployment"]
    after: Annotated[str, "The id of the later one"]
    same_files: bool
    added: Changes
    removed: Changes
    changed: Changes
    size_before: Annotated[int, "Bytes of all files"]
    size_after: int
    rules: Annotated[tuple[str, ...], "What changed in how it answers, a line each"]
    findings_new: Annotated[tuple[Finding, ...], "What the later X-ray found and the earlier didn't"]
    findings_gone: Annotated[tuple[Finding, ...], "What the earlier one found and the later didn't"]


def _tuples(raw: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in raw.items()}
