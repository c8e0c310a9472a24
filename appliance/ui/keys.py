"""One's own keys: made, shown once, revoked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from appliance.access.keys import FreshKey, create_key, revoke_key, revoke_of
from appliance.context import Context
from appliance.errors import HomeportError, NotFound
from appliance.machine import clock
from appliance.model.keys import Key, NewKey
from appliance.model.people import Person
from appliance.model.scopes import PRESETS, in_words
from appliance.store import environments, keys, people
from appliance.ui.forms import Wrong, again, do, typed
from appliance.web.page import Form, go, render
from appliance.web.routes import actor_of, ctx_of, sight_of

FIELDS = ("name", "may", "places", "days")
SOON = timedelta(days=14)
MOST_OTHERS = 200
MOST_CHOICES = 50
ABOUT = {"projects": "places", "environments": "places", "permissions": "may"}  # where the form says it


@dataclass(frozen=True)
class Row:
    """A key as lists show it."""

    key: Key
    words: str
    state: str  # "", soon, over
    email: str = ""


def index(request: Request) -> Response:
    return _show(request, Form(fields=FIELDS))


async def create(request: Request) -> Response:
    """Answers with the page itself: the key is shown this once, and a reload asks before it makes another."""
    ctx, actor, raw = ctx_of(request), actor_of(request), await typed(request)
    try:
        new = new_key(ctx, raw)
        fresh = await do(partial(create_key, ctx, actor, new))
    except Wrong as why:
        return await do(partial(_show, request, corrected(raw, why), code=why.status))
    return await do(partial(_show, request, Form(fields=FIELDS), fresh, 201))


def others(request: Request) -> Response:
    """For whoever looks after the appliance: what keys everybody else has."""
    ctx = ctx_of(request)
    found = keys.of_others(ctx.db.read(), actor_of(request).person_id, MOST_OTHERS)
    return render(request, "settings/keys-others.html", rows=[_row(ctx, key, email) for key, email in found])


def revoke_form(request: Request) -> Response:
    key = _find(request)
    action = f"/settings/keys/{key.id}/revoke"
    return render(request, "settings/revoke.html", key=key, action=action, back="/settings/keys")


async def revoke(request: Request) -> Response:
    ctx, actor = ctx_of(request), actor_of(request)
    await do(partial(revoke_key, ctx, actor, request.path_params["key"]))
    return go("/settings/keys", done="key-revoked")


def revoke_other_form(request: Request) -> Response:
    key, person = _find_with_person(request)
    action = f"/settings/keys-of-others/{key.id}/revoke"
    back = "/settings/keys-of-others"
    return render(request, "settings/revoke.html", key=key, person=person, action=action, back=back)


async def revoke_other(request: Request) -> Response:
    key, person = await do(partial(_find_with_person, request))
    await do(partial(revoke_of, ctx_of(request), actor_of(request), person, key.id))
    return go("/settings/keys-of-others", done="key-revoked")


def new_key(ctx: Context, raw: Mapping[str, str]) -> NewKey:
    """The form offers days, presets and one line of places; a key has a moment, permissions, and each place."""
    days, said = raw.get("days", ""), dict[str, object](name=raw.get("name", ""))
    if days.isascii() and days.isdigit() and len(days) < 5:
        said["expires_at"] = clock.text(ctx.now() + timedelta(days=int(days)))
    elif days:
        said["expires_at"] = days
    if may := raw.get("may", ""):
        said["permissions"] = list(PRESETS.get(may, (may,)))
    places = [one for one in raw.get("places", "").replace(",", " ").split() if one]
    if places:
        said["projects"] = [one for one in places if "/" not in one] or None
        said["environments"] = [one for one in places if "/" in one] or None
    unknown = raw.keys() - set(FIELDS)
    return NewKey.parse({**said, **{name: raw[name] for name in unknown}})


def corrected(raw: Mapping[str, str], why: HomeportError) -> Form:
    form = again(raw, why, fields=FIELDS, about="name")
    return replace(form, errors={ABOUT.get(name, name): text for name, text in form.errors.items()})


def choices(request: Request) -> Sequence[str]:
    """Places that may be named; of very many, none is offered."""
    found = environments.few(ctx_of(request).db.read(), MOST_CHOICES, sight_of(request, "projects.read"))
    names = [(one.project, f"{one.project}/{one.name}") for one in found]
    return list(dict.fromkeys(name for pair in names for name in pair))


def _show(request: Request, form: Form, fresh: FreshKey | None = None, code: int = 200) -> Response:
    ctx = ctx_of(request)
    rows = [_row(ctx, key) for key in keys.of_person(ctx.db.read(), actor_of(request).person_id)]
    return render(request, "settings/keys.html", code, rows=rows, form=form, fresh=fresh, choices=choices(request))


def _row(ctx: Context, key: Key, email: str = "") -> Row:
    places, now = key.scope.places, ctx.now()
    named = None if places is None else list(keys.names_of(ctx.db.read(), places).values())
    state = ""
    if key.expires_at is not None and key.expires_at < clock.text(now + SOON):
        state = "over" if key.expires_at <= clock.text(now) else "soon"
    return Row(key, in_words(named, key.scope.permissions), state, email)


def _find(request: Request) -> Key:
    key = keys.find(ctx_of(request).db.read(), request.path_params["key"])
    if key is None or key.person_id != actor_of(request).person_id:
        raise _gone()
    return key


def _find_with_person(request: Request) -> tuple[Key, Person]:
    db = ctx_of(request).db.read()
    key = keys.find(db, request.path_params["key"])
    person = people.find(db, key.person_id) if key else None
    if key is None or person is None:
        raise _gone()
    return key, person


def _gone() -> NotFound:
    return NotFound("There is no such key; it may have been revoked already.")
