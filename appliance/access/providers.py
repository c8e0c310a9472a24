"""Providers that people sign in through: added, changed, tried, removed."""

from dataclasses import replace

from appliance.access.actor import Actor
from appliance.access.permissions import need
from appliance.access.record import record
from appliance.context import Context
from appliance.errors import Conflict, HomeportError, NotFound
from appliance.machine import github, oidc
from appliance.machine.oauth import Client
from appliance.model.checks import Check
from appliance.model.providers import NewProvider, Provider, ProviderPatch
from appliance.store import providers
from appliance.store.db import Connection

ALLOWED = "sign_in.update"


def create_provider(ctx: Context, actor: Actor, new: NewProvider) -> Provider:
    need(actor, ALLOWED)
    with ctx.write() as db:
        if providers.find(db, new.id):
            raise Conflict(f"There is a provider with the short name {new.id} already.", todo=("Choose another.",))
        _refuse_twin(db, new.name, "")
        secret = ctx.seal(db, "providers", new.id, new.client_secret)
        made = Provider(
            new.id,
            new.name,
            new.kind,
            new.issuer if new.kind != "github" else new.issuer.rstrip("/"),
            new.client_id,
            secret,
            new.second_factor,
            ctx.moment(),
            actor.name,
        )
        providers.add(db, made)
        record(ctx, db, actor, "provider.create", made.name, kind=made.kind, issuer=made.issuer)
    return made


def find_provider(ctx: Context, provider_id: str) -> Provider:
    found = providers.find(ctx.db.read(), provider_id)
    if found is None:
        raise NotFound("There is no such provider; it may have been removed.", code="no_provider")
    return found


def change_provider(ctx: Context, actor: Actor, provider_id: str, patch: ProviderPatch) -> Provider:
    need(actor, ALLOWED)
    with ctx.write() as db:
        was = providers.find(db, provider_id)
        if was is None:
            raise NotFound("There is no such provider; it may have been removed.", code="no_provider")
        given = {name: value for name, value in vars(patch).items() if value is not None and name != "client_secret"}
        now = replace(was, **given)
        if patch.client_secret is not None:
            now = replace(now, secret=ctx.seal(db, "providers", was.id, patch.client_secret))
        _refuse_twin(db, now.name, was.id)
        providers.change(db, now)
        changed = [name for name in vars(patch) if getattr(patch, name) is not None]
        record(ctx, db, actor, "provider.update", now.name, was=was.name, what=", ".join(changed))
    return now


def delete_provider(ctx: Context, actor: Actor, provider_id: str) -> None:
    """Whoever came in through it has to come in another way."""
    need(actor, ALLOWED)
    with ctx.write() as db:
        was = providers.find(db, provider_id)
        if was is None:
            raise NotFound("There is no such provider; it may have been removed.", code="no_provider")
        providers.remove(db, provider_id)
        record(ctx, db, actor, "provider.delete", was.name)


def client_of(ctx: Context, one: Provider) -> Client:
    return Client(one.issuer, one.client_id, ctx.unseal("providers", one.id, one.secret))


def test_provider(ctx: Context, actor: Actor, one: Provider) -> list[Check]:
    """What can be seen without anybody signing in."""
    need(actor, ALLOWED)
    client = client_of(ctx, one)
    try:
        found = _look_at_github(client) if one.kind == "github" else _look_at_issuer(client)
    except HomeportError as why:
        said = f" It said: {why.said}" if why.said else ""
        found = [Check("provider", "failed", f"{why.detail}{said}", " ".join(why.todo))]
    if one.secret and not client.secret:
        found.append(
            Check("secret", "failed", "The client's secret can't be read with this host's key.", "Enter it again.")
        )
    return found


def _look_at_github(client: Client) -> list[Check]:
    github.knows(client)
    return [Check("provider", "ok", f"{client.issuer} knows this client and its secret.")]


def _look_at_issuer(client: Client) -> list[Check]:
    issuer = oidc.discover(client.issuer, anew=True)
    found = [Check("discovery", "ok", f"{issuer.issuer} says where people sign in.")]
    taken = [one for one in issuer.algorithms if one in oidc.ALGORITHMS]
    if taken:
        found.append(Check("algorithms", "ok", f"It signs by {', '.join(taken)}."))
    else:
        names = ", ".join(oidc.ALGORITHMS)
        said = ", ".join(issuer.algorithms)[:200]
        found.append(Check("algorithms", "failed", f"It signs by {said}.", f"Have it sign by one of {names}."))
    many = len(oidc.keys_of(issuer, anew=True))
    if many:
        found.append(Check("keys", "ok", f"It publishes {many} key{'' if many == 1 else 's'}."))
    else:
        found.append(Check("keys", "failed", "It publishes no keys to check its tokens with.", "Look at its settings."))
    return found


def _refuse_twin(db: Connection, name: str, but: str) -> None:
    there = providers.find_by_name(db, name)
    if there is not None and there.id != but:
        raise Conflict(f"There is a provider called {there.name} already.", todo=("Choose another name.",))
