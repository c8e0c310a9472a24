"""Change settings that may be saved."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from appliance.access.actor import Actor
from appliance.access.permissions import need
from appliance.access.record import record
from appliance.context import Context
from appliance.dns import AUTO, NONE, known
from appliance.errors import Conflict, Invalid, StartFailed
from appliance.events import SettingsChanged
from appliance.model.urls import host_name
from appliance.settings import ABOUT, SAVED, parse_setting
from appliance.store import saved, urls
from appliance.store.db import Connection


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
    if any(ABOUT[name].owners for name in patch.values):
        need(actor, "sign_in.update")
    before = ctx.settings
    with ctx.write(SettingsChanged()) as db:
        _refuse_site(db, patch.values.get("url") or "")
        for name, value in patch.values.items():
            held = getattr(before, name)
            was = "(secret)" if ABOUT[name].secret and held else str(held)
            now = "(secret, replaced)" if ABOUT[name].secret and value else str(value or "")
            if value is None:
                saved.forget(db, name)
            else:
                kept = ctx.seal(db, "saved", name, value) if ABOUT[name].secret else value
                saved.save(db, name, kept, ctx.moment(), actor.name)
            record(ctx, db, actor, "settings.change", name, was=was, now=now)


def _check(name: str, value: str | None, errors: dict[str, str]) -> None:
    if value is None:
        return
    try:
        parse_setting(name, value)
    except StartFailed as why:
        errors[name] = f"This can't be used: {why.__cause__}"
    if not value:
        return
    if name == "dns_target" and not _is_target(value):
        errors[name] = "Enter an address such as 192.0.2.10, or a host name"
    if name == "dns_provider" and value not in (AUTO, NONE, *known()):
        errors[name] = f"Choose one of {', '.join((AUTO, NONE, *known()))}"
    if ABOUT[name].secret and (not value.isascii() or not value.isprintable()):
        errors[name] = "This has a character that a token can't have; copy it again"


def _is_target(text: str) -> bool:
    try:
        return bool(ipaddress.ip_address(text))
    except ValueError:
        pass
    try:
        return bool(host_name(text))
    except ValueError:
        return False


def _refuse_site(db: Connection, url: str) -> None:
    """A site comes first under its name, so nobody would reach Homeport there; one above it could reach its cookies."""
    host = urlsplit(url).hostname or ""
    while host:
        taken = urls.find(db, host)
        if taken:
            raise Conflict(
                f"{taken.host} points at {taken.project}, {taken.environment}.",
                code="host_taken",
                todo=("Choose another address, or remove the URL there first.",),
            )
        host = host.partition(".")[2]
