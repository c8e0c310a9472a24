"""A second person before a deployment goes live: where that is asked for, and where they say yes or no."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from appliance.deploy import approvals
from appliance.deploy.submit import find_deployment
from appliance.errors import Conflict
from appliance.model.approvals import HOURS, ApprovalRule, Approving, Rejecting
from appliance.model.deployments import Deployment
from appliance.projects.approval import change_approval
from appliance.projects.find import find_environment
from appliance.ui.forms import Wrong, again, do, typed
from appliance.ui.places import of_environments
from appliance.web.page import Form, go, render
from appliance.web.routes import actor_of, ctx_of

FIELDS = ("asks", "hours", "rollbacks")
SAID = {"approve": "approved", "reject": "rejected"}


def rule_form(request: Request) -> Response:
    there = request.path_params
    rule = find_environment(ctx_of(request), there["project"], there["environment"]).approval
    raw = {
        "asks": "true" if rule else "false",
        "hours": str(rule.hours if rule else HOURS),
        "rollbacks": "true" if rule and rule.rollbacks else "false",
    }
    return _show_rule(request, Form(raw, fields=FIELDS))


async def save_rule(request: Request) -> Response:
    ctx, actor, there, raw = ctx_of(request), actor_of(request), request.path_params, await typed(request)
    wanted = {name: value for name, value in raw.items() if name != "asks"}
    try:
        rule = ApprovalRule.parse(wanted) if raw.get("asks") == "true" else None
        await do(partial(change_approval, ctx, actor, there["project"], there["environment"], rule))
    except Wrong as why:
        return await do(partial(_show_rule, request, again(raw, why, fields=FIELDS, about="hours"), why.status))
    return go(f"/projects/{there['project']}/environments/{there['environment']}/approval", done="environment-changed")


def show(request: Request) -> Response:
    """What a link leads to. Opening it decides nothing: a program that looks at links in mail does as much."""
    return _ask(request, _linked(request), Form(fields=("reason",)))


async def decide(request: Request) -> Response:
    raw = await typed(request)
    return await _decide(request, _linked(request), raw.pop("decision", ""), raw)


async def approve(request: Request) -> Response:
    return await _decide(request, _named(request), "approve", await typed(request))


async def reject(request: Request) -> Response:
    return await _decide(request, _named(request), "reject", await typed(request))


async def _decide(request: Request, deployment: Deployment, decision: str, raw: dict[str, str]) -> Response:
    ctx, actor = ctx_of(request), actor_of(request)
    try:
        if decision == "approve":
            await do(partial(approvals.approve, ctx, actor, deployment.id, Approving.parse(raw).reason))
        elif decision == "reject":
            await do(partial(approvals.reject, ctx, actor, deployment.id, Rejecting.parse(raw).reason))
        else:
            raise Conflict("Choose whether it is approved or rejected.", code="no_decision")
    except Wrong as why:
        form = again(raw, why, fields=("reason",), about="reason")
        return await do(partial(_ask, request, find_deployment(ctx, deployment.id), form, why.status))
    return go(f"/deployments/{deployment.id}", done=SAID[decision])


def _ask(request: Request, deployment: Deployment, form: Form, code: int = 200) -> Response:
    return render(
        request,
        "deployments/approve.html",
        code,
        deployment=deployment,
        form=form,
        action=approvals.link(ctx_of(request), deployment),
        own=deployment.approval is not None and deployment.approval.asked_by == actor_of(request).person_id,
    )


def _linked(request: Request) -> Deployment:
    return approvals.of_link(ctx_of(request), actor_of(request), request.path_params["link"])


def _named(request: Request) -> Deployment:
    return find_deployment(ctx_of(request), request.path_params["deployment"])


def _show_rule(request: Request, form: Form, code: int = 200) -> Response:
    ctx, there = ctx_of(request), request.path_params
    environment = find_environment(ctx, there["project"], there["environment"])
    place = of_environments(ctx, (environment,))[0]
    return render(request, "environments/approval.html", code, place=place, form=form)
