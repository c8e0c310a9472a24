"""Add, check and remove URLs."""

from appliance.access import names
from appliance.access.actor import Actor
from appliance.access.missing import no_url
from appliance.access.permissions import may, need
from appliance.access.record import record_in
from appliance.context import Context
from appliance.deploy.places import backend_of
from appliance.errors import Conflict, NotFound
from appliance.events import JobAdded, UrlChanged
from appliance.model.deployments import ID
from appliance.model.environments import Environment
from appliance.model.urls import WILD, NewUrl, Url, fronts_of
from appliance.projects import certificate_steps
from appliance.projects.find import find_environment, find_url
from appliance.projects.url_jobs import pointed
from appliance.projects.url_settings import hashed_password, put_in_force, set_up
from appliance.store import environments, jobs, journal, urls
from appliance.store.db import Connection


def add_url(ctx: Context, actor: Actor, project: str, name: str, new: NewUrl) -> Url:
    """The row first; a job puts it in force, and only then is it active."""
    environment = find_environment(ctx, project, name)
    need(actor, "urls.create", environment.at)
    _refuse_own_host(ctx, new.host)
    _refuse_deployments(ctx, new.host)
    _refuse_unlisted(ctx, new.host)
    _refuse_taken(ctx.db.read(), actor, new.host)
    _refuse_others_domain(ctx.db.read(), actor, environment, new.host)
    foreign = backend_of(ctx, environment).claims(new.host)
    if foreign:
        raise Conflict(foreign, code="host_claimed", todo=("Remove it there, or choose another host name.",))
    hashed = hashed_password(new)
    with ctx.write(UrlChanged(new.host, project), JobAdded()) as db:
        _refuse_taken(db, actor, new.host)
        _refuse_others_domain(db, actor, environment, new.host)
        if environments.by_id(db, environment.id) is None:
            raise NotFound(f"{environment.place} has just been deleted.", code="no_environment")
        before = urls.of_environment(db, environment.id)
        urls.add(db, new.host, environment.id, proxied=new.proxied, at=ctx.moment(), by=actor.name)
        set_up(db, urls.find(db, new.host), new, hashed)
        put_in_force(ctx, db, before, urls.of_environment(db, environment.id))
        certificate_steps.begin(ctx, db, new.host, environment)
        jobs.add(db, "url.attach", new.host, queue="hosts", at=ctx.moment())
        record_in(ctx, db, actor, "url.create", environment, host=new.host)
    return find_url(ctx, new.host)


def check_again(ctx: Context, actor: Actor, host: str) -> Url:
    """Try once more to put a URL in force."""
    url = find_url(ctx, host)
    need(actor, "urls.create", url.at)
    with ctx.write(UrlChanged(host, url.project), JobAdded()) as db:
        jobs.drop(db, "url.attach", host)
        if url.status != "active":
            urls.set_state(db, host, "pending")
        jobs.add(db, "url.attach", host, queue="hosts", at=ctx.moment())
    return find_url(ctx, host)


def remove_url(ctx: Context, actor: Actor, project: str, name: str, host: str) -> None:
    environment = find_environment(ctx, project, name)
    need(actor, "urls.delete", environment.at)
    url = find_url(ctx, host)
    if not may(actor, "urls.read", url.at):
        raise no_url(host)
    if url.environment_id != environment.id:
        raise NotFound(f"{host} does not point at {environment.place}.", code="no_url")
    with ctx.write(UrlChanged(host, project), JobAdded()) as db:
        before = urls.of_environment(db, environment.id)
        _let_go_one(ctx, db, environment, url)
        left = urls.of_environment(db, environment.id)
        _refuse_led_here(host, left)
        put_in_force(ctx, db, before, left)
        record_in(ctx, db, actor, "url.delete", environment, host=host)


def let_go(ctx: Context, db: Connection, environment: Environment) -> None:
    """Every URL of an environment that is about to be deleted."""
    for url in urls.of_environment(db, environment.id):
        _let_go_one(ctx, db, environment, url)


def _refuse_led_here(host: str, left: tuple[Url, ...]) -> None:
    """Others that lead to a URL would lead nowhere without it."""
    fronts = fronts_of(left)
    stranded = [url.host for url in left if url.front.redirect_to and not fronts[url.host].redirect_to]
    if stranded:
        raise Conflict(
            f"{', '.join(stranded)} {'leads' if len(stranded) == 1 else 'lead'} to {host}.",
            code="led_here",
            todo=("Have it lead elsewhere, or remove it first.",),
        )


def _let_go_one(ctx: Context, db: Connection, environment: Environment, url: Url) -> None:
    """The journal remembers what is to be undone outside once the row is gone."""
    intent = {
        "host": url.host,
        "project": environment.project,
        "environment": environment.name,
        "backend": environment.backend,
        "pointed": pointed(url),
    }
    entry = journal.begin(db, "url.detach", url.host, intent, ctx.moment())
    jobs.drop(db, "url.attach", url.host)
    urls.remove(db, url.host)
    jobs.add(db, "url.detach", str(entry), queue="hosts", at=ctx.moment())


def _refuse_taken(db: Connection, actor: Actor, host: str) -> None:
    taken = urls.find(db, host)
    if taken:
        seen = may(actor, "urls.read", taken.at)
        raise Conflict(
            f"{host} already points at {f'{taken.project}, {taken.environment}' if seen else 'something else here'}.",
            code="host_taken",
            todo=("Remove it there first.",),
        )


def _refuse_others_domain(db: Connection, actor: Actor, environment: Environment, host: str) -> None:
    """A site above or below another can reach its cookies, and takes names that its people count on."""
    for url in urls.beside(db, host):
        if url.project_id != environment.project_id and not may(actor, "urls.create", url.at):
            whose = f"{url.host} of {url.project}" if may(actor, "urls.read", url.at) else "a URL of another project"
            raise Conflict(
                f"{host} is in one domain with {whose}.",
                code="domain_taken",
                todo=("Choose a name in another domain.", "Or have someone add it who may add URLs there too."),
            )


def _refuse_unlisted(ctx: Context, host: str) -> None:
    """Where domains were listed, every other name is somebody else's."""
    domains = ctx.settings.url_domains.replace(",", " ").lower().split()
    if domains and not any(host.removeprefix(WILD) == one or host.endswith(f".{one}") for one in domains):
        raise Conflict(
            f"{host} is in none of the domains that this appliance gives URLs in.",
            code="domain_unlisted",
            todo=(f"Choose a name in {', '.join(domains)}, or have HOMEPORT_URL_DOMAINS list its domain too.",),
        )


def _refuse_deployments(ctx: Context, host: str) -> None:
    name, _, domain = host.partition(".")
    if domain and domain == ctx.settings.nginx_deployments and (name == "*" or ID.fullmatch(name)):
        raise Conflict(
            f"{host} is the address of {'every' if name == '*' else 'a'} deployment, or may become one.",
            code="host_taken",
            todo=("Choose a host name that does not look like a deployment's id.",),
        )


def _refuse_own_host(ctx: Context, host: str) -> None:
    """A site on this appliance's own name, or above it, could reach its cookies."""
    if any(own == host or own.endswith(f".{host.removeprefix(WILD)}") for own in names.own(ctx)):
        raise Conflict(
            f"{host} is the address of Homeport itself, takes it in, or stands above it.",
            code="own_host",
            todo=("Choose a host name beside it.",),
        )
