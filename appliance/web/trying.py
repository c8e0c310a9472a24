"""Whether what settings lead to works: one test for each area, whichever door asks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Self

from appliance.access import mail
from appliance.access.actor import Actor
from appliance.access.permissions import need
from appliance.backends import load
from appliance.backups.places import try_place
from appliance.context import Context
from appliance.dns import provider
from appliance.errors import Forbidden, HomeportError, Invalid, NotFound
from appliance.model.checks import Check
from appliance.model.people import email_address
from appliance.projects.settings import SettingsPatch
from appliance.settings import ABOUT, Settings, parse_setting
from appliance.store import urls


@dataclass(frozen=True)
class SettingsTest:
    """What is tried in place of what is in force, where anything is; none of it is saved."""

    settings: Annotated[SettingsPatch, "Values to try in place of those in force; nothing is saved"]
    to: Annotated[str, "For `mail`: where to; your own address when left out"] = ""

    @classmethod
    def parse(cls, raw: object) -> Self:
        if not isinstance(raw, Mapping):
            raise Invalid({"body": "Send a JSON object"})
        given, errors = dict[str, object](raw), dict[str, str]()
        patch, to = given.pop("settings", {}), given.pop("to", "")
        errors.update(dict.fromkeys(map(str, given), "There is no such field"))
        try:
            address = email_address(to) if isinstance(to, str) and to else ""
        except ValueError as why:
            address, errors["to"] = "", str(why)
        if not isinstance(to, str):
            errors["to"] = "This must be text"
        if errors:
            raise Invalid(errors)
        return cls(SettingsPatch.parse(patch), address)


def try_out(ctx: Context, actor: Actor, area: str, test: SettingsTest) -> Sequence[Check]:
    """Asks the outside now. What it says no to is a check that failed, with what to do."""
    if area not in AREAS:
        raise NotFound(f"There is no test called {area[:40]}.", todo=(f"Choose one of {', '.join(AREAS)}.",))
    need(actor, "settings.update")
    if any(ABOUT[name].owners for name in test.settings.values):
        need(actor, "sign_in.update")
    settings = _with(ctx, test.settings)
    try:
        return AREAS[area](ctx, actor, settings, test.to)
    except Forbidden:
        raise
    except Invalid as why:
        return [Check(name, "failed", f"{text}.") for name, text in why.errors.items()]
    except HomeportError as why:
        said = (f"It said: {why.said}",) if why.said else ()
        return [Check(area, "failed", why.detail, " ".join((*why.todo, *said)))]


def _with(ctx: Context, patch: SettingsPatch) -> Settings:
    """Null tries without what was saved: what the host says counts then."""
    return replace(
        ctx.settings,
        **{
            name: getattr(ctx.base, name) if text is None else parse_setting(name, text)
            for name, text in patch.values.items()
        },
    )


def _nginx(_ctx: Context, _actor: Actor, settings: Settings, _to: str) -> Sequence[Check]:
    return load("nginx", settings).checks()


def _dns(ctx: Context, _actor: Actor, settings: Settings, _to: str) -> Sequence[Check]:
    asked = provider(settings, ctx.instance)
    if asked is None:
        return [Check("dns", "off", "No DNS provider is set up: records are made by hand.")]
    return asked.check(tuple(url.host for url in urls.every(ctx.db.read())))


def _certificates(_ctx: Context, _actor: Actor, settings: Settings, _to: str) -> Sequence[Check]:
    from appliance.certificates import checks

    return checks.look(settings)


def _backups(_ctx: Context, _actor: Actor, settings: Settings, _to: str) -> Sequence[Check]:
    return [Check("backups", "ok", try_place(settings))]


AREAS: dict[str, Callable[[Context, Actor, Settings, str], Sequence[Check]]] = {
    "nginx": _nginx,
    "dns": _dns,
    "certificates": _certificates,
    "mail": mail.test,
    "backups": _backups,
}
