"""Settings, DNS: who makes records, whether that works, and which records of ours aren't as they should be."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from time import monotonic

from starlette.requests import Request
from starlette.responses import Response

from appliance import dns
from appliance.context import Context
from appliance.dns import Provider
from appliance.dns.base import Asked
from appliance.errors import HomeportError, Invalid
from appliance.model.checks import Check
from appliance.projects.settings import SettingsPatch, change_settings
from appliance.settings import ABOUT, Settings, parse_setting
from appliance.store import saved, urls
from appliance.ui.forms import Wrong, again, do, typed
from appliance.ui.hints import secret_hint
from appliance.ui.settings import Tested
from appliance.web.page import Form, go, render
from appliance.web.routes import actor_of, ctx_of

HERE = "/settings/dns"
PLAIN = ("dns_provider", "dns_target", "dns_ttl", "dns_resolver", "cloudflare_proxied")
NOBODY = "Nobody: records are made outside Homeport"
SAYS = {
    "ok": "It works.",
    "warn": "It works, with something to look at.",
    "failed": "It can't do all that is needed.",
    "off": "There is nothing to test.",
}


@dataclass(frozen=True)
class Blank:
    """One field of a provider's form."""

    name: str
    asked: Asked
    secret: bool
    hint: str


def show(request: Request) -> Response:
    return _show(request, _as_saved(ctx_of(request)))


async def save(request: Request) -> Response:
    ctx, actor, raw = ctx_of(request), actor_of(request), await typed(request)
    try:
        patch = SettingsPatch.parse(_changed(ctx, raw))
        if patch.values:
            await do(partial(change_settings, ctx, actor, patch))
    except Wrong as why:
        form = again(_shown(raw), why, fields=_names(), about="dns_provider")
        return await do(partial(_show, request, form, why.status))
    return go(HERE, done="saved")


async def test(request: Request) -> Response:
    """What was typed is tested; what was not is as it is in force."""
    ctx, raw = ctx_of(request), await typed(request)
    tested = await do(partial(_test, ctx, raw))
    return await do(partial(_show, request, Form(_shown(raw), fields=_names()), tested=tested))


def disconnect_form(request: Request) -> Response:
    title = _title(dns.chosen(ctx_of(request).settings))
    return render(request, "settings/disconnect.html", title=title, action=f"{HERE}/disconnect", back=HERE)


async def disconnect(request: Request) -> Response:
    """Forget who was chosen and what that one was told."""
    ctx = ctx_of(request)
    gone = SettingsPatch(dict.fromkeys(_forgotten(ctx)))
    await do(partial(change_settings, ctx, actor_of(request), gone))
    return go(HERE, done="saved")


def _show(request: Request, form: Form, code: int = 200, tested: Tested | None = None) -> Response:
    ctx = ctx_of(request)
    chosen = dns.chosen(ctx.settings)
    blanks = {name: _blanks(ctx, name) for name in _providers()}
    return render(
        request,
        "settings/dns.html",
        code,
        form=form,
        tested=tested,
        options=[(name, _title(name)) for name in (dns.NONE, *_providers())],
        blanks={name: those for name, those in blanks.items() if those},
        titles={name: _title(name) for name in blanks},
        chosen=chosen,
        disconnect=_title(chosen) if _forgotten(ctx) else "",
    )


def _blanks(ctx: Context, provider: str) -> list[Blank]:
    found = []
    for name, asked in _asked(provider).items():
        secret = ABOUT[name].secret
        hint = secret_hint(ctx, name, asked.hint) if secret else asked.hint
        found.append(Blank(name, asked, secret, hint))
    return found


@cache
def _providers() -> Mapping[str, type[Provider]]:
    return {name: dns.load(name) for name in dns.known()}


def _asked(provider: str) -> dict[str, Asked]:
    return _providers()[provider].config.form() if provider in _providers() else {}


def _title(provider: str) -> str:
    if provider == dns.NONE:
        return NOBODY
    return (_providers()[provider].title if provider in _providers() else "") or provider


def _names() -> tuple[str, ...]:
    """Every field there is, in the order of the page."""
    return tuple(dict.fromkeys((*PLAIN, *(name for provider in _providers() for name in _asked(provider)))))


def _as_saved(ctx: Context) -> Form:
    plain = {name: str(getattr(ctx.settings, name)) for name in _names() if not ABOUT[name].secret}
    plain["cloudflare_proxied"] = str(ctx.settings.cloudflare_proxied).lower()
    return Form({**plain, "dns_provider": dns.chosen(ctx.settings)}, fields=_names())


def _changed(ctx: Context, raw: Mapping[str, str]) -> dict[str, str]:
    """Only what differs from what is in force, so that the environment keeps counting for the rest."""
    now = _as_saved(ctx).raw
    given = {"cloudflare_proxied": "false", **raw} if "dns_provider" in raw else raw
    plain = {name: given[name] for name in now if name in given and given[name].strip() != now[name]}
    secret = {name: raw[name] for name in _names() if ABOUT[name].secret and raw.get(name)}
    return plain | secret


def _shown(raw: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in raw.items() if name in ABOUT and not ABOUT[name].secret}


def _forgotten(ctx: Context) -> list[str]:
    """What was saved of the provider that is in force."""
    chosen = dns.chosen(ctx.settings)
    if chosen == dns.NONE:
        return []
    kept = saved.rows(ctx.db.read())
    return [name for name in ("dns_provider", *_asked(chosen)) if name in kept]


def _test(ctx: Context, raw: Mapping[str, str]) -> Tested:
    began = monotonic()
    try:
        provider = dns.provider(_typed_in(ctx, raw), ctx.instance)
        hosts = tuple(url.host for url in urls.every(ctx.db.read()))
        nobody = Check("dns", "off", "Nobody is chosen to make records.")
        found = provider.check(hosts) if provider else [nobody]
    except Invalid as why:
        found = [Check(name, "failed", f"{ABOUT[name].text}: {text}.") for name, text in why.errors.items()]
    except HomeportError as why:
        found = [Check("dns", "failed", why.detail, " ".join(why.todo))]
    return Tested(tuple(found), monotonic() - began, SAYS)


def _typed_in(ctx: Context, raw: Mapping[str, str]) -> Settings:
    values = SettingsPatch.parse(_changed(ctx, raw)).values
    return replace(ctx.settings, **{name: parse_setting(name, text or "") for name, text in values.items()})
