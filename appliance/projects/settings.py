"""Change settings that may be saved."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from appliance.access.actor import Actor
from appliance.access.permissions import need
from appliance.access.record import record
from appliance.context import Context
from appliance.errors import Invalid, StartFailed
from appliance.events import SettingsChanged
from appliance.machine import sealing
from appliance.settings import ABOUT, SAVED, parse_setting
from appliance.store import saved


@dataclass(frozen=True)
class SettingsPatch:
    """Values to save by name; None forgets what was saved."""

    values: dict[str, str | None]

    @classmethod
    def parse(cls, raw: object) -> Self:
        if not isinstance(raw, Mapping):
            raise Invalid({"body": "Send a JSON object"})
        values: dict[str, str | None] = {}
        errors: dict[str, str] = {}
        for name, value in dict[str, object](raw).items():
            if name not in SAVED:
                errors[str(name)] = "There is no such setting, or it is set on the host only"
                continue
            if value is not None and not isinstance(value, (str, bool)):
                errors[name] = "This must be text, true, false or null"
                continue
            values[name] = None if value is None else str(value).lower() if isinstance(value, bool) else value.strip()
            _check(name, values[name], errors)
        if errors:
            raise Invalid(errors)
        return cls(values)


def change_settings(ctx: Context, actor: Actor, patch: SettingsPatch) -> None:
    """A secret's value is never recorded, only that it changed."""
    need(actor, "settings.update")
    before = ctx.settings
    with ctx.write(SettingsChanged()) as db:
        for name, value in patch.values.items():
            was = "(secret)" if ABOUT[name].secret else str(getattr(before, name))
            now = "(secret, replaced)" if ABOUT[name].secret and value else str(value or "")
            if value is None:
                saved.forget(db, name)
            else:
                kept = sealing.seal(ctx.key("settings"), value) if ABOUT[name].secret else value
                saved.save(db, name, kept, ctx.moment(), actor.name)
            record(ctx, db, actor, "settings.change", name, was=was, now=now)


def _check(name: str, value: str | None, errors: dict[str, str]) -> None:
    if value is None:
        return
    try:
        parse_setting(name, value)
    except StartFailed:
        errors[name] = "This value can't be used"
    if name == "url" and value and not value.startswith(("http://", "https://")):
        errors[name] = "Enter an address that starts with http:// or https://"
    if ABOUT[name].secret and (not value.isascii() or not value.isprintable()):
        errors[name] = "This has a character that a token can't have; copy it again"
