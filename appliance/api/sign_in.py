"""Signing in through others: providers, accounts that are connected, and a forgotten password."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Annotated

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from appliance.access import forgotten, providers, through
from appliance.access import identities as linking
from appliance.api.answers import answer, body, nothing, page_of
from appliance.context import Context
from appliance.model.checks import Check
from appliance.model.people import Forgotten, Reset
from appliance.model.providers import NewProvider, Provider, ProviderPatch
from appliance.store import identities
from appliance.store import providers as stored
from appliance.web.routes import actor_of, ctx_of, doc


@dataclass(frozen=True)
class ProviderShape:
    id: str
    name: Annotated[str, "What the button says after “Sign in with”"]
    kind: Annotated[str, "`google`, `github` or `oidc`"]
    issuer: str
    client_id: str
    secret_set: Annotated[bool, "Whether it has a secret; the secret itself is never shown"]
    second_factor: Annotated[bool, "Whether its second factor counts, so that ours is not asked for"]
    callback: Annotated[str, "The address to enter there, to which people come back"]
    created_at: str
    created_by: str


@dataclass(frozen=True)
class IdentityShape:
    id: str
    provider: Annotated[str, "The name of the provider"]
    email: Annotated[str, "The address there when it was connected"]
    created_at: str
    used_at: Annotated[str | None, "When you came in with it last"]


@doc("Providers that people sign in through", returns=ProviderShape, listing=True, whole=True)
async def listed(request: Request) -> Response:
    ctx = ctx_of(request)
    return page_of(_shapes(ctx, stored.everyone(ctx.db.read())), None)


@doc("Add a provider", body=NewProvider, returns=ProviderShape, status=201)
async def created(request: Request) -> Response:
    ctx = ctx_of(request)
    new = NewProvider.parse(await body(request))
    made = await run_in_threadpool(providers.create_provider, ctx, actor_of(request), new)
    return answer(_shape(ctx, made), 201)


@doc("One provider", returns=ProviderShape)
async def shown(request: Request) -> Response:
    return answer(_shape(ctx_of(request), _asked(request)))


@doc("Change a provider", body=ProviderPatch, returns=ProviderShape)
async def changed(request: Request) -> Response:
    ctx, name = ctx_of(request), request.path_params["provider"]
    patch = ProviderPatch.parse(await body(request))
    now = await run_in_threadpool(providers.change_provider, ctx, actor_of(request), name, patch)
    return answer(_shape(ctx, now))


@doc("Remove a provider, and with it every account that was connected through it", status=204)
def removed(request: Request) -> Response:
    providers.delete_provider(ctx_of(request), actor_of(request), request.path_params["provider"])
    return nothing()


@doc("Ask a provider now whether it can be used", returns=Check, listing=True, whole=True)
async def tested(request: Request) -> Response:
    test = partial(providers.test_provider, ctx_of(request), actor_of(request), _asked(request))
    return page_of(await run_in_threadpool(test), None)


@doc("Accounts elsewhere that you come in with", returns=IdentityShape, listing=True, whole=True)
async def mine(request: Request) -> Response:
    found = identities.of_person(ctx_of(request).db.read(), actor_of(request).person_id)
    shapes = (IdentityShape(one.id, one.provider, one.email, one.created_at, one.used_at) for one in found)
    return page_of(shapes, None)


@doc("Disconnect an account", status=204)
def unlinked(request: Request) -> Response:
    linking.unlink(ctx_of(request), actor_of(request), request.path_params["identity"])
    return nothing()


@doc("Send a link to a new password, where somebody here has this address", body=Forgotten, status=204)
async def forgot(request: Request) -> Response:
    given = Forgotten.parse(await body(request))
    await run_in_threadpool(forgotten.ask, ctx_of(request), given, ip=request.scope["state"]["ip"])
    return nothing()


@doc("Set a new password with what came in the link", body=Reset, status=204)
async def reset(request: Request) -> Response:
    given = Reset.parse(await body(request))
    act = partial(forgotten.reset, ctx_of(request), given, door="api", ip=request.scope["state"]["ip"])
    await run_in_threadpool(act)
    return nothing()


def _asked(request: Request) -> Provider:
    return providers.find_provider(ctx_of(request), request.path_params["provider"])


def _shapes(ctx: Context, those: Iterable[Provider]) -> list[ProviderShape]:
    return [_shape(ctx, one) for one in those]


def _shape(ctx: Context, one: Provider) -> ProviderShape:
    return ProviderShape(
        one.id,
        one.name,
        one.kind,
        one.issuer,
        one.client_id,
        bool(one.secret),
        one.second_factor,
        through.callback(ctx, one),
        one.created_at,
        one.created_by,
    )
