"""Where the references of pages lead, as the web server will see it."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import unquote

from appliance.deploy.xray.findings import found
from appliance.deploy.xray.generators import where_base_is_set
from appliance.model.amounts import how_many
from appliance.model.answers import MISSING, Answers, Asked
from appliance.model.manifests import Manifest
from appliance.model.rules import Rules
from appliance.model.serving import escaped
from appliance.model.xrays import Finding

_MANY = 20_000  # what is remembered of one kind; there are no more examples than a few anyway
_DYNAMIC = ("/cdn-cgi/", "/api/", "/_vercel/", "/.netlify/", "/_/")  # answered by something else, where they are


class Trouble(NamedTuple):
    page: str
    ref: str


@dataclass
class _Prefixed:
    """References that would lead somewhere without their first folder."""

    parts: list[Trouble] = field(default_factory=list)
    links: list[Trouble] = field(default_factory=list)


class Map:
    """The paths of a release, by which every reference is looked up once."""

    def __init__(self, manifest: Manifest, rules: Rules) -> None:
        self._files = manifest
        self._rules = rules
        self._by_case: dict[str, str] | None = None
        self._answers = Answers(rules)
        self._redirected = any(one.forced for one in rules.redirects)
        self._known: dict[str, str | None] = {}
        self.broken: list[Trouble] = []
        self.missing: list[Trouble] = []
        self.other_case: list[Trouble] = []
        self._prefixed: dict[str, _Prefixed] = defaultdict(_Prefixed)
        self._tops = {path.partition("/")[0] for path in manifest if "/" in path}

    def follow(self, page: str, base: str, refs: Iterable[str], *, parts: bool) -> list[str]:
        """The files that the references of a page lead to; what leads nowhere is noted."""
        folder = _folder_of(page, base)
        ends = []
        for ref in refs:
            path = ref if ref.startswith("/") else joined(folder, ref)
            try:
                end = self._known[path]
            except KeyError:
                end = self._known[path] = self._end_of(unquote(path))
            if end is None:
                self._note(page, ref, path, parts=parts)
            elif end:
                ends.append(end)
        return ends

    def findings(self, generator: str) -> Iterable[Finding]:
        yield from self._base_path(generator)
        if self.broken:
            count = _refs(self.broken)
            yield found(
                "broken_links",
                f"{how_many(count, 'link')} {'leads' if count == 1 else 'lead'} nowhere.",
                _said(self.broken),
                "Correct them, or send visitors on with a line in _redirects.",
            )
        if self.missing:
            count = _refs(self.missing)
            yield found(
                "missing_assets",
                f"{how_many(count, 'file')} that pages load {'is' if count == 1 else 'are'} not there.",
                _said(self.missing),
                "Check that the build copies them, and that their names are right.",
            )
        if self.other_case:
            count = _refs(self.other_case)
            yield found(
                "case_links",
                f"{how_many(count, 'reference')} would work only where large and small letters are the same.",
                _said(self.other_case),
                "Write them as the file is called: what works on macOS and Windows is missing here.",
            )

    def _end_of(self, path: str) -> str | None:
        """The file that answers; empty where something else does; None where nothing of its own does."""
        name = path[1:]
        if name in self._files and not self._redirected:
            return name
        served = path.encode("utf-8", "replace")
        if path.startswith(_DYNAMIC):
            return ""
        said = self._answers.to(Asked(served, escaped(served)), self._has)
        if said.location is not None:
            return ""
        if said.status in MISSING or said.file is None or self._fell_back(said.file, name):
            return None
        return said.file.decode("utf-8", "replace")

    def _has(self, name: bytes) -> bool:
        return name.decode("utf-8", "replace") in self._files

    def _fell_back(self, file: bytes, name: str) -> bool:
        """Whether it is only the page that answers for everything."""
        fallback = self._rules.fallback
        return bool(fallback) and file == fallback.encode() and name not in ("", fallback)

    def _note(self, page: str, ref: str, path: str, *, parts: bool) -> None:
        one = Trouble(page, ref)
        first, _, rest = path[1:].partition("/")
        if ref.startswith("/") and rest and first not in self._tops and self._end_of(f"/{unquote(rest)}"):
            prefixed = self._prefixed[first]
            _keep(prefixed.parts if parts else prefixed.links, one)
        elif self._with_other_case(unquote(path[1:])):
            _keep(self.other_case, one)
        elif parts:
            _keep(self.missing, one)
        elif not self._rules.fallback:
            _keep(self.broken, one)

    def _with_other_case(self, name: str) -> bool:
        if self._by_case is None:
            self._by_case = {path.lower(): path for path in self._files}
        small = name.lower()
        return small in self._by_case or f"{small.rstrip('/')}/index.html".lstrip("/") in self._by_case

    def _base_path(self, generator: str) -> Iterable[Finding]:
        """Scripts and styles tell what a site was built for; a link alone is just a wrong link."""
        for first, those in sorted(self._prefixed.items()):
            if not those.parts:
                self.broken += those.links
                continue
            count = _refs(those.parts + those.links)
            yield found(
                "base_path",
                f"It was built to be served from /{first}/, and is served from /: "
                f"{how_many(count, 'reference')} {'leads' if count == 1 else 'lead'} there.",
                _said(those.parts),
                f"Build it with the base path /: set {where_base_is_set(generator)}.",
            )


def joined(folder: str, ref: str) -> str:
    """A reference taken from a folder, as a browser takes it: `..` never leaves the top."""
    if not ref.startswith(".") and "/." not in ref:
        return f"{folder}{ref}"
    steps = folder.split("/")[1:-1]
    *between, last = ref.split("/")
    if last in (".", ".."):
        between, last = [*between, last], ""
    for step in between:
        if step == "..":
            del steps[-1:]
        elif step != ".":
            steps.append(step)
    return "/".join(["", *steps, last])


def _folder_of(page: str, base: str) -> str:
    """What the references of a page are taken from, with the slash at its end."""
    folder = f"/{page.rpartition('/')[0]}/" if "/" in page else "/"
    if not base or "://" in base or base.startswith("//"):
        return folder
    whole = base if base.startswith("/") else joined(folder, base)
    return f"{whole.rpartition('/')[0]}/"


def _keep(those: list[Trouble], one: Trouble) -> None:
    if len(those) < _MANY:
        those.append(one)


def _refs(those: list[Trouble]) -> int:
    return len({one.ref for one in those})


def _said(those: list[Trouble]) -> list[str]:
    """One example for each reference: what it is, and on which page."""
    first: dict[str, str] = {}
    pages: Counter[str] = Counter()
    for one in those:
        first.setdefault(one.ref, one.page)
        pages[one.ref] += 1
    return [
        f"{ref} on {page}" + (f" and {pages[ref] - 1:,} more" if pages[ref] > 1 else "") for ref, page in first.items()
    ]
