"""What a URL is set to: who may come, where it leads, whether it is the address of its environment. At once."""

import json
from dataclasses import asdict

from appliance.access import passwords
from appliance.access.actor import Actor
from appliance.access.permissions import need
from appliance.access.record import record_in
from appliance.context import Context
from appliance.errors import Conflict, Invalid
from appliance.events import JobAdded, UrlChanged
from appliance.model.fronts import PRIMARY, Front
from appliance.model.urls import Url, UrlPatch, fronts_of
from appliance.projects.find import find_environment, find_url
from appliance.store import jobs, urls
from appliance.store.db import Connection

ROUNDS = 5  # every file of a site is asked for with the password, and NGINX checks it each time


def change_url(ctx: Context, actor: Actor, host: str, patch: UrlPatch) -> Url:
    """The row first; jobs put it in force wherever it makes a difference, and say what came of it."""
    url = find_url(ctx, host)
    need(actor, "urls.create", url.at)
    environment = find_environment(ctx, url.project, url.environment)
    hashed = hashed_password(patch)
    with ctx.write(UrlChanged(host, url.project), JobAdded()) as db:
        before = urls.of_environment(db, url.environment_id)
        now = next((one for one in before if one.host == host), url)
        set_up(db, now, patch, hashed)
        after = urls.of_environment(db, url.environment_id)
        put_in_force(ctx, db, before, after)
        was, is_now = _difference(now, next(one for one in after if one.host == host))
        if is_now:
            more = {"was": json.dumps(was), "now": json.dumps(is_now)}
            record_in(ctx, db, actor, "url.update", environment, host=host, **more)
    return find_url(ctx, host)


def hashed_password(patch: UrlPatch) -> str | None:
    """Slow by nature, so done before anything is locked."""
    return passwords.hashed(patch.password, ROUNDS) if patch.password else patch.password


def set_up(db: Connection, url: Url | None, patch: UrlPatch, hashed: str | None) -> None:
    """Write down what was asked for, if all of the environment still makes sense with it."""
    if url is None:
        return
    front = patch.of(url.front, hashed)
    _refuse_senseless(url, patch, front)
    urls.set_front(db, url.host, front)
    if patch.primary:
        urls.set_primary(db, url.environment_id, url.host)
    elif patch.primary is False and url.primary:
        urls.set_primary(db, url.environment_id, None)
    refuse_stranded(urls.of_environment(db, url.environment_id))


def refuse_stranded(those: tuple[Url, ...]) -> None:
    """Nobody is led to a URL that is gone, or that leads on to another."""
    fronts = fronts_of(those)
    for url in those:
        if url.front.redirect_to and not fronts[url.host].redirect_to:
            to = url.front.redirect_to
            there = "the primary URL, and there is none" if to == PRIMARY else f"{to}, which shows no site here"
            raise Conflict(
                f"{url.host} would lead to {there}.",
                code="leads_nowhere",
                todo=("Have it lead to a URL of the same environment that shows the site.",),
            )


def put_in_force(ctx: Context, db: Connection, before: tuple[Url, ...], after: tuple[Url, ...]) -> None:
    """A job for each URL of an environment that answers otherwise than before."""
    were, are = fronts_of(before), fronts_of(after)
    for url in after:
        if url.host in were and were[url.host] != are[url.host]:
            jobs.drop(db, "url.attach", url.host)
            urls.set_state(db, url.host, "pending")
            jobs.add(db, "url.attach", url.host, queue="hosts", at=ctx.moment())


def _refuse_senseless(url: Url, patch: UrlPatch, front: Front) -> None:
    wrong: dict[str, str] = {}
    primary = patch.primary if patch.primary is not None else url.primary
    if front.redirect_to == url.host:
        wrong["redirect_to"] = "A URL can't lead to itself"
    if front.redirect_to and primary:
        wrong["redirect_to"] = "The primary URL can't lead elsewhere; choose another primary first"
    if front.redirect_to and front.allow:
        wrong["allow"] = "A URL that leads elsewhere has no addresses to let in; leave them empty"
    if front.redirect_to and front.password:
        wrong |= {"password": "A URL that leads elsewhere has no password; take it away first"}
    if patch.primary and url.is_wildcard:
        wrong["primary"] = "A wildcard is no address that visitors could be sent to"
    if patch.user and not front.password:
        wrong["user"] = "Set a password with the name"
    if wrong:
        raise Invalid(wrong)


def _difference(before: Url, after: Url) -> tuple[dict[str, object], dict[str, object]]:
    """What changed, as it was and as it is; a password is told of, never shown."""
    was, now = ({**asdict(url.front), "primary": url.primary} for url in (before, after))
    changed = [name for name in was if was[name] != now[name]]
    for one in (was, now):
        one["password"] = bool(one["password"])
    return {name: was[name] for name in changed}, {name: now[name] for name in changed}
