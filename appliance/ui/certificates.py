"""Certificates: one URL's, all of them, and what they come from."""

from functools import partial
from time import monotonic

from starlette.requests import Request
from starlette.responses import Response

from appliance.access.permissions import may
from appliance.context import Context
from appliance.model.certificates import CertificateWish
from appliance.projects import certificates as operations
from appliance.projects.find import find_url
from appliance.projects.settings import SettingsPatch, change_settings
from appliance.store import certificates, environments
from appliance.ui.forms import Wrong, again, do, typed
from appliance.ui.hints import secret_hint
from appliance.ui.settings import Tested
from appliance.web.page import Form, go, render
from appliance.web.routes import actor_of, ctx_of, sight_of
from appliance.web.trying import SettingsTest, try_out

HERE = "/settings/certificates"
PLAIN = ("tls", "acme_directory", "acme_email", "acme_challenge", "acme_eab_id")
FIELDS = (*PLAIN, "acme_eab_key")
OF_URL = ("tls", "redirect", "hsts", "chain", "key")
SAYS = {
    "ok": "The ACME server can be used.",
    "warn": "The ACME server can be used, with something to look at.",
    "failed": "The ACME server can't be used like this.",
}
HSTS = ((0, "Off"), (86400, "A day"), (15552000, "Half a year"), (31536000, "A year"))


def of_url(request: Request) -> Response:
    one = operations.find_certificate(ctx_of(request), request.path_params["host"])
    asked = {"tls": one.tls, "redirect": "true" if one.redirect or not one.files else "", "hsts": str(one.hsts)}
    return _show_url(request, Form(asked, fields=OF_URL))


async def set_for_url(request: Request) -> Response:
    ctx, actor, host = ctx_of(request), actor_of(request), request.path_params["host"]
    raw = await typed(request)
    wanted: dict[str, object] = {"redirect": "false", **raw}
    if raw.get("tls") != "upload":
        wanted |= {"chain": "", "key": ""}
    try:
        await do(lambda: operations.set_certificate(ctx, actor, host, CertificateWish.parse(wanted)))
    except Wrong as why:
        form = again({**raw, "key": ""}, why, fields=OF_URL, about="tls")
        return await do(partial(_show_url, request, form, why.status))
    return go(f"/urls/{host}/certificate", done="certificate-set")


async def renew(request: Request) -> Response:
    host = request.path_params["host"]
    await do(partial(operations.renew_certificate, ctx_of(request), actor_of(request), host))
    return go(f"/urls/{host}/certificate", done="certificate-renewed")


def root(request: Request) -> Response:
    """The internal CA's own certificate, as a file that systems offer to install."""
    headers = {"Content-Disposition": 'attachment; filename="homeport-ca.crt"'}
    return Response(operations.internal_root(ctx_of(request)), media_type="application/x-x509-ca-cert", headers=headers)


def show(request: Request) -> Response:
    return _show(request, _as_saved(ctx_of(request)))


async def save(request: Request) -> Response:
    ctx, actor, raw = ctx_of(request), actor_of(request), await typed(request)
    try:
        patch = SettingsPatch.parse(_changed(ctx, raw))
        if patch.values:
            await do(partial(change_settings, ctx, actor, patch))
    except Wrong as why:
        form = again({**raw, "acme_eab_key": ""}, why, fields=FIELDS, about="tls")
        return await do(partial(_show, request, form, why.status))
    return go(HERE, done="saved")


async def test(request: Request) -> Response:
    """With what was typed; what was not is as it is in force."""
    ctx, actor, raw = ctx_of(request), actor_of(request), await typed(request)
    form, began = Form({**raw, "acme_eab_key": ""}, fields=FIELDS), monotonic()
    try:
        tried = SettingsTest(SettingsPatch.parse(_changed(ctx, raw)))
    except Wrong as why:
        form = again({**raw, "acme_eab_key": ""}, why, fields=FIELDS, about="tls")
        return await do(partial(_show, request, form, why.status))
    found = await do(partial(try_out, ctx, actor, "certificates", tried))
    tested = Tested(tuple(found), monotonic() - began, SAYS)
    return await do(partial(_show, request, form, tested=tested))


def _show_url(request: Request, form: Form, code: int = 200) -> Response:
    ctx, host = ctx_of(request), request.path_params["host"]
    url = find_url(ctx, host)
    environment = environments.by_id(ctx.db.read(), url.environment_id)
    return render(
        request,
        "urls/certificate.html",
        code,
        url=url,
        one=operations.find_certificate(ctx, host),
        form=form,
        choices=HSTS,
        secure=environment is not None and environment.backend == "nginx",
    )


def _show(request: Request, form: Form, code: int = 200, tested: Tested | None = None) -> Response:
    ctx = ctx_of(request)
    db = ctx.db.read()
    return render(
        request,
        "settings/certificates.html",
        code,
        form=form,
        tested=tested,
        items=certificates.every(db, sight_of(request, "urls.read")),
        key_hint=secret_hint(ctx, "acme_eab_key", "Comes with the id. Kept encrypted, and never shown again."),
        has_root=operations.has_internal_root(ctx),
        allowed=may(actor_of(request), "settings.update"),
    )


def _changed(ctx: Context, raw: dict[str, str]) -> dict[str, str]:
    """Only what differs from what is in force; the key stays where none was typed."""
    now = _as_saved(ctx).raw
    changed = {name: raw[name] for name in PLAIN if name in raw and raw[name].strip() != now[name]}
    return changed | ({"acme_eab_key": raw["acme_eab_key"]} if raw.get("acme_eab_key") else {})


def _as_saved(ctx: Context) -> Form:
    return Form({name: str(getattr(ctx.settings, name)) for name in PLAIN}, {}, FIELDS)
