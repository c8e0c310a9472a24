"""Settings as a file: written, compared with what is saved, and taken back all or nothing."""

from dataclasses import fields, replace
from difflib import unified_diff
from typing import Any

from appliance.access.actor import Actor
from appliance.access.permissions import need
from appliance.context import Context
from appliance.errors import Invalid
from appliance.model import settings_file
from appliance.model.settings_file import Line, SettingChange, SettingsPlan
from appliance.projects.settings import SettingsPatch, change_settings
from appliance.settings import ABOUT, SAVED, SECRETS, Settings, nearest, parse_setting
from appliance.store import saved

DEFAULTS: dict[str, Any] = {item.name: item.default for item in fields(Settings)}
WRITTEN = SAVED - frozenset(SECRETS)


def export(ctx: Context) -> str:
    """What is saved, and as comments the defaults of what isn't."""
    return _written(_saved(ctx))


def plan(ctx: Context, actor: Actor, text: str) -> SettingsPlan:
    """What this file would change; nothing is changed yet."""
    need(actor, "settings.update")
    before, after = _saved(ctx), _wanted(text)
    changes = tuple(
        SettingChange(name, ABOUT[name].text, before.get(name), after.get(name))
        for name in sorted(WRITTEN)
        if before.get(name) != after.get(name)
    )
    lines = unified_diff(
        _written(before).splitlines(), _written(after).splitlines(), "saved now", "this file", n=1, lineterm=""
    )
    return SettingsPlan(changes, "".join(f"{line}\n" for line in lines), applied=False)


def take(ctx: Context, actor: Actor, text: str) -> SettingsPlan:
    """What is in the file is saved, what is not is forgotten; secrets stay as they are."""
    found = plan(ctx, actor, text)
    if found.changes:
        change_settings(ctx, actor, SettingsPatch({one.name: one.now for one in found.changes}))
    return replace(found, applied=True)


def _saved(ctx: Context) -> dict[str, str]:
    return {name: _text(name, it) for name, it in saved.values(ctx.db.read()).items() if name in WRITTEN}


def _wanted(text: str) -> dict[str, str]:
    """Well formed, each of them; all that is wrong is said at once."""
    given = settings_file.read(text)
    errors = {name: why for name in given if (why := _no_such(name))}
    if not errors:
        return {name: _text(name, it or "") for name, it in SettingsPatch.parse(given).values.items()}
    raise Invalid(errors)


def _no_such(name: str) -> str:
    if name in SECRETS:
        return f"{name} is a secret, which has no place in a file. Set it with `homeport settings set {name}`"
    if name in SAVED:
        return ""
    near = nearest(name)
    return f"There is no setting called {name[:60] or 'nothing'}{f'; there is {near}' if near else ''}"


def _text(name: str, text: str) -> str:
    """In the one form that the file has."""
    value = parse_setting(name, text)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _written(values: dict[str, str]) -> str:
    lines = [
        Line(
            name,
            f"{ABOUT[name].text} ({ABOUT[name].env})",
            parse_setting(name, values[name]) if name in values else DEFAULTS[name],
            name in values,
        )
        for name in WRITTEN
    ]
    return settings_file.write(lines, SECRETS)
