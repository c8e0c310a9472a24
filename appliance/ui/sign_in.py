"""Settings, sign-in: providers, and whether passwords count."""

from functools import partial
from time import monotonic

from starlette.requests import Request
from starlette.responses import Response

from appliance.access import providers, through
from appliance.access.address import own_address
from appliance.access.permissions import may
from appliance.model.providers import NewProvider, ProviderPatch
from appliance.projects.settings import SettingsPatch, change_settings
from appliance.store import identities
from appliance.store import providers as stored
from appliance.ui.forms import Wrong, again, do, typed
from appliance.ui.settings import Tested
from appliance.web.page import Form, go, render
from appliance.web.routes import actor_of, ctx_of

HERE = "/settings/sign-in"
NEW = ("kind", "id", "client_id", "client_secret", "name", "issuer")
FIELDS = ("name", "client_id", "client_secret", "second_factor")
SAYS = {"ok": "It can be used.", "warn": "It can be used.", "failed": "It can't be used as it is."}


def show(request: Request) -> Response:
    return _show(request, Form(fields=NEW))


async def save(request: Request) -> Response:
    ctx, raw = ctx_of(request), await typed(request)
    wanted: dict[str, object] = {
        "password_sign_in": "password_sign_in" in raw,
        "second_factor": "required" if "second_factor" in raw else "optional",
    }
    changed = {name: value for name, value in wanted.items() if value != getattr(ctx.settings, name)}
    if changed:
        await do(partial(change_settings, ctx, actor_of(request), SettingsPatch.parse(changed)))
    return go(HERE, done="saved")


async def create(request: Request) -> Response:
    """On to its own page, where it can be tested."""
    ctx, raw = ctx_of(request), await typed(request)
    try:
        new = NewProvider.parse(raw)
        made = await do(partial(providers.create_provider, ctx, actor_of(request), new))
    except Wrong as why:
        return await do(partial(_show, request, again(_bare(raw), why, fields=NEW, about="id"), why.status))
    return go(f"{HERE}/{made.id}", done="provider-made")


def one(request: Request) -> Response:
    found = providers.find_provider(ctx_of(request), request.path_params["provider"])
    raw = {"name": found.name, "client_id": found.client_id, "second_factor": str(found.second_factor).lower()}
    return _show_one(request, Form(raw, fields=FIELDS))


async def change(request: Request) -> Response:
    ctx, raw = ctx_of(request), await typed(request)
    try:
        patch = ProviderPatch.parse({**raw, "second_factor": raw.get("second_factor", "false")})
        wanted = request.path_params["provider"]
        await do(partial(providers.change_provider, ctx, actor_of(request), wanted, patch))
    except Wrong as why:
        return await do(partial(_show_one, request, again(_bare(raw), why, fields=FIELDS, about="name"), why.status))
    return go(f"{HERE}/{request.path_params['provider']}", done="saved")


async def test(request: Request) -> Response:
    """As it is saved: what is typed here can't change where it leads."""
    ctx, raw = ctx_of(request), await typed(request)
    found, began = providers.find_provider(ctx, request.path_params["provider"]), monotonic()
    checks = await do(partial(providers.test_provider, ctx, actor_of(request), found))
    tested = Tested(tuple(checks), monotonic() - began, SAYS)
    return await do(partial(_show_one, request, Form({**raw, "client_secret": ""}, fields=FIELDS), tested=tested))


def remove_form(request: Request) -> Response:
    ctx = ctx_of(request)
    found = providers.find_provider(ctx, request.path_params["provider"])
    many = identities.count(ctx.db.read(), found.id)
    action = f"{HERE}/{found.id}/remove"
    return render(request, "settings/remove-provider.html", one=found, many=many, action=action, back=HERE)


async def remove(request: Request) -> Response:
    act = partial(providers.delete_provider, ctx_of(request), actor_of(request), request.path_params["provider"])
    await do(act)
    return go(HERE, done="provider-removed")


def _bare(raw: dict[str, str]) -> dict[str, str]:
    """A secret is not shown again, not even to who typed it."""
    return {name: value for name, value in raw.items() if "secret" not in name}


def _show(request: Request, form: Form, code: int = 200) -> Response:
    ctx = ctx_of(request)
    db = ctx.db.read()
    return render(
        request,
        "settings/sign-in.html",
        code,
        form=form,
        providers=[(it, identities.count(db, it.id)) for it in stored.everyone(db)],
        callback=f"{own_address(ctx)}/login/with/…/back",
        by_password=ctx.settings.password_sign_in,
        factor_required=ctx.settings.second_factor == "required",
        allowed=may(actor_of(request), providers.ALLOWED),
    )


def _show_one(request: Request, form: Form, code: int = 200, tested: Tested | None = None) -> Response:
    ctx = ctx_of(request)
    found = providers.find_provider(ctx, request.path_params["provider"])
    return render(
        request,
        "settings/provider.html",
        code,
        one=found,
        form=form,
        tested=tested,
        many=identities.count(ctx.db.read(), found.id),
        callback=through.callback(ctx, found),
        allowed=may(actor_of(request), providers.ALLOWED),
    )
