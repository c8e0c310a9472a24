"""Counting requests, and telling whoever asks what is left to them."""

from typing import Any

from starlette.requests import Request

from appliance.access.actor import Actor
from appliance.access.limits import Quota, Standing, neighbours, refuse
from appliance.settings import Settings
from appliance.web.headers import Header

UNCOUNTED = ("/healthz", "/static/")


def count(state: dict[str, Any], settings: Settings, path: str) -> None:
    """Each key counts for itself, each person, and each address of those who are nobody."""
    if path.startswith(UNCOUNTED):
        return
    actor: Actor = state["actor"]
    if actor.key_id:
        _spend(state, Quota("key", settings.limit_key), actor.key_id)
    elif actor.signed_in:
        _spend(state, Quota("person", settings.limit_person), actor.person_id)
    else:
        _spend(state, Quota("address", settings.limit_address), neighbours(state["ip"]))


def count_try(request: Request, what: str) -> None:
    """What can be guessed at, or costs somebody else something, is let in less often."""
    state: dict[str, Any] = request.scope["state"]
    _spend(state, Quota(what, state["ctx"].base.limit_tries), neighbours(state["ip"]))


def told(standings: list[Standing]) -> list[Header]:
    """As the IETF's draft has it: each policy, and where whoever asks stands with it."""
    return [
        (b"ratelimit-policy", ", ".join(one.quota.policy for one in standings).encode()),
        (b"ratelimit", ", ".join(one.header for one in standings).encode()),
    ]


def _spend(state: dict[str, Any], quota: Quota, subject: str) -> None:
    if quota.most:
        standing = state["limits"].spend(quota, subject)
        state["standings"].append(standing)
        refuse(standing)
