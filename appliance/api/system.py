"""Settings, health, metrics, and the description of the API itself."""

from dataclasses import dataclass
from typing import Annotated

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from appliance import __version__
from appliance.api.answers import answer, body, page_of
from appliance.context import Context
from appliance.doctor.here import examine_here
from appliance.model.checks import Check
from appliance.projects.settings import SettingsPatch, change_settings
from appliance.settings import ABOUT, SAVED
from appliance.store import deployments, jobs, projects, saved, urls
from appliance.web.routes import actor_of, ctx_of, doc


@dataclass(frozen=True)
class SettingShape:
    name: str
    env: Annotated[str, "The environment variable that sets it too"]
    text: Annotated[str, "What it is for"]
    value: Annotated[str | None, "What is in force; null for a secret"]
    set: Annotated[bool, "Whether it has a value"]
    saved_at: str | None
    saved_by: str | None


@doc("Settings that can be saved", returns=SettingShape, listing=True, whole=True)
async def settings(request: Request) -> Response:
    return page_of(setting_shapes(ctx_of(request)), None)


@doc("Save settings; null forgets", body=SettingsPatch, returns=SettingShape, listing=True, whole=True)
async def settings_changed(request: Request) -> Response:
    ctx = ctx_of(request)
    patch = SettingsPatch.parse(await body(request))
    await run_in_threadpool(change_settings, ctx, actor_of(request), patch)
    return page_of(setting_shapes(ctx), None)


@doc("What is and isn't in order on the host", returns=Check, listing=True, whole=True)
async def checks(request: Request) -> Response:
    """What `homeport doctor` finds."""
    return page_of(await run_in_threadpool(examine_here, ctx_of(request)), None)


@doc("Whether the appliance answers", binary="application/json")
async def health(request: Request) -> Response:
    projects.count(ctx_of(request).db.read())
    return answer({"status": "ok", "version": __version__})


@doc("Metrics for Prometheus", binary="text/plain")
async def metrics(request: Request) -> Response:
    ctx = ctx_of(request)
    db = ctx.db.read()
    counts = jobs.counts(db)
    lines = [
        "# HELP homeport_info The version that runs.",
        "# TYPE homeport_info gauge",
        f'homeport_info{{version="{__version__}"}} 1',
        "# HELP homeport_projects Projects on this appliance.",
        "# TYPE homeport_projects gauge",
        f"homeport_projects {projects.count(db)}",
        "# HELP homeport_deployments_total Deployments by status.",
        "# TYPE homeport_deployments_total counter",
        *(f'homeport_deployments_total{{status="{name}"}} {n}' for name, n in deployments.counts(db).items()),
        "# HELP homeport_jobs Jobs that wait or run.",
        "# TYPE homeport_jobs gauge",
        *(f'homeport_jobs{{status="{name}"}} {counts.get(name, 0)}' for name in ("queued", "running")),
        "# HELP homeport_urls URLs by status.",
        "# TYPE homeport_urls gauge",
        *(f'homeport_urls{{status="{name}"}} {n}' for name, n in urls.counts(db).items()),
    ]
    return PlainTextResponse("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4")


def setting_shapes(ctx: Context) -> list[SettingShape]:
    now, when = ctx.settings, saved.rows(ctx.db.read())
    shapes = []
    for name in sorted(SAVED):
        it, value = ABOUT[name], getattr(now, name)
        at, by = when.get(name, (None, None))
        text = None if it.secret else _text(value)
        shapes.append(SettingShape(name, it.env, it.text, text, bool(value), at, by))
    return shapes


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
