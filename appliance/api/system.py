"""Checks, health, metrics, and the description of the API itself."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from appliance import __version__
from appliance.api.answers import answer, page_of
from appliance.doctor.here import examine_here
from appliance.model.checks import Check
from appliance.store import deployments, jobs, projects, urls
from appliance.web.routes import ctx_of, doc


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
