"""A second person before a deployment goes live: where that is asked for, and what they say."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from appliance.api.answers import answer, body
from appliance.api.shapes import DeploymentShape, EnvironmentShape, of_deployment, of_environments
from appliance.deploy import approvals
from appliance.model.approvals import ApprovalRule, Approving, Rejecting
from appliance.projects.approval import change_approval
from appliance.web.routes import actor_of, ctx_of, doc


@doc("Have deployments wait until a second person approves them", body=ApprovalRule, returns=EnvironmentShape)
async def asked_for(request: Request) -> Response:
    ctx, place = ctx_of(request), request.path_params
    rule = ApprovalRule.parse(await body(request))
    made = await run_in_threadpool(
        change_approval, ctx, actor_of(request), place["project"], place["environment"], rule
    )
    return answer(of_environments(ctx, (made,))[0])


@doc("Let deployments go live without a second person", returns=EnvironmentShape)
def not_asked_for(request: Request) -> Response:
    ctx, place = ctx_of(request), request.path_params
    made = change_approval(ctx, actor_of(request), place["project"], place["environment"], None)
    return answer(of_environments(ctx, (made,))[0])


@doc("Approve a deployment that waits for it", body=Approving, returns=DeploymentShape)
async def approved(request: Request) -> Response:
    ctx, wish = ctx_of(request), Approving.parse(await body(request))
    wanted = request.path_params["deployment"]
    return answer(
        of_deployment(ctx, await run_in_threadpool(approvals.approve, ctx, actor_of(request), wanted, wish.reason))
    )


@doc("Reject a deployment that waits to be approved", body=Rejecting, returns=DeploymentShape)
async def rejected(request: Request) -> Response:
    ctx, wish = ctx_of(request), Rejecting.parse(await body(request))
    wanted = request.path_params["deployment"]
    return answer(
        of_deployment(ctx, await run_in_threadpool(approvals.reject, ctx, actor_of(request), wanted, wish.reason))
    )
