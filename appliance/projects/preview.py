"""What settings would change of the answers that visitors get now, seen before anything is changed."""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from appliance.context import Context
from appliance.deploy import freeze, releases
from appliance.model import serving
from appliance.model.answers import Answers, Asked
from appliance.model.environments import Environment
from appliance.model.manifests import Manifest
from appliance.model.rules import Rules
from appliance.model.site_settings import SiteSettings
from appliance.model.sites import Release
from appliance.store import deployments

ASIDE = ("404.html", "200.html")


@dataclass(frozen=True)
class Answer:
    """One address, as it answers and as it would."""

    path: str
    now: Annotated[str, "What visitors get"]
    then: Annotated[str, "What they would get with these settings"]


@dataclass(frozen=True)
class Preview:
    answers: tuple[Answer, ...]
    single_page: Annotated[bool, "Whether what is live looks like a single-page app, which needs the fallback"]
    ignored: Annotated[tuple[str, ...], "Lines of `_redirects` and `_headers` that have no effect, and why"]


def preview(ctx: Context, environment: Environment, settings: SiteSettings, path: str = "") -> Preview:
    """Of what is live: a page, a folder, something that isn't there, a fingerprinted name; and of `path`."""
    release = _live(ctx, environment)
    if release is None:
        return Preview((), False, ())
    served = releases.manifest_of(ctx, release.name)
    then, ignored = freeze.rules_of(release, served, settings)
    asked = dict.fromkeys([*([_path(path)] if path else []), *_telling(served)])
    answers = tuple(Answer(one, words(release.rules, served, one), words(then, served, one)) for one in asked)
    return Preview(answers, is_single_page(served), tuple(one.words for one in ignored))


def is_single_page(served: Manifest) -> bool:
    """One page and scripts: whatever address it shows, it is index.html that finds the way."""
    pages = [path for path in served if path.endswith((".html", ".htm")) and path not in ASIDE]
    return pages == ["index.html"] and any(path.endswith((".js", ".mjs")) for path in served)


def words(rules: Rules, served: Manifest, path: str) -> str:
    """What a path answers, in a few words."""
    raw, _, query = path.partition("?")
    asked = Asked(raw.encode(), quote(raw).encode(), query.encode())
    answers = Answers(rules)
    outcome = answers.to(asked, lambda name: name.decode("utf-8", "replace") in served)
    if outcome.location is not None:
        return f"{outcome.status}, leads to {outcome.location.decode()}"
    shown = outcome.file.decode() if outcome.file else "a page of Homeport’s own"
    if outcome.status != 200:
        return f"{outcome.status}, {shown}"
    kept = dict(answers.headers(asked.path, 200, outcome.file)).get(b"cache-control", b"")
    return f"{shown}, {kept.decode() or 'no Cache-Control'}"


def _live(ctx: Context, environment: Environment) -> Release | None:
    live = deployments.find(ctx.db.read(), environment.live) if environment.live else None
    release = freeze.release_of(ctx, live) if live else None
    return release if release and releases.ready(ctx, release.name) else None


def _telling(served: Manifest) -> list[str]:
    """Addresses that settings make a difference to."""
    pages = sorted(path for path in served if path.endswith(".html") and path not in ASIDE)
    page = next((f"/{path}" for path in pages if not path.endswith("index.html")), "")
    stamped = next((f"/{path}" for path in sorted(served) if serving.is_fingerprinted(f"/{path}".encode())), "")
    away = next(f"/{name}" for name in ("settings", "profile", "no-such-page") if not _there(served, name))
    return [one for one in ("/", page, page.removesuffix(".html"), away, stamped) if one]


def _there(served: Manifest, name: str) -> bool:
    return any(path == name or path.startswith((f"{name}.", f"{name}/")) for path in served)


def _path(text: str) -> str:
    return text if text.startswith("/") else f"/{text}"
