"""Projects: the list with its drop zone, and one project's pages."""

from dataclasses import dataclass
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from appliance.access.permissions import may, may_somewhere
from appliance.context import Context
from appliance.model.activity import Activity
from appliance.model.projects import NewProject, Project, ProjectPatch
from appliance.projects.create_project import create_project
from appliance.projects.delete import delete_project
from appliance.projects.find import find_project
from appliance.projects.frees import what_frees
from appliance.projects.rename import rename_project
from appliance.store import activity, deployments, environments, projects, urls
from appliance.store.sight import sees
from appliance.ui.activity import Entry, short
from appliance.ui.forms import Wrong, again, do, typed
from appliance.ui.freeing import confirmed, freed
from appliance.ui.lists import Pages, pages_of
from appliance.ui.places import Place, addresses, choices, main_of, of_environments, of_project
from appliance.web.look import look
from appliance.web.page import Form, go, render
from appliance.web.routes import actor_of, ctx_of, sight_of

FIELDS = ("name",)
RECENT = 6


@dataclass(frozen=True)
class Row:
    """A project and what a list says of it."""

    project: Project
    places: tuple[Place, ...]
    last: Entry | None

    @property
    def name(self) -> str:
        return self.project.name

    @property
    def main(self) -> Place | None:
        return main_of(self.places)

    @property
    def busy(self) -> bool:
        """Whether something other than the main environment has something to say."""
        return any(place.attempt for place in self.places if place is not self.main)


@dataclass(frozen=True)
class Ready:
    """One line of the production checklist."""

    words: str
    done: bool
    act: str
    href: str


def index(request: Request) -> Response:
    ctx, seen = ctx_of(request), sight_of(request, "projects.read")
    total, most = projects.count(ctx.db.read(), seen), ctx.settings.upload_max
    if not total:
        return _show_first(request, most)
    q, asked = request.query_params.get("q", "").strip(), Pages(request)
    page = projects.search(ctx.db.read(), q, cursor=asked.cursor, limit=asked.limit, sight=seen)
    return render(
        request,
        "projects/list.html",
        rows=_rows(request, ctx, page.items),
        q=q,
        total=total,
        choices=choices(ctx, sight_of(request, "deployments.create")),
        most=most,
        **asked.links(page.next),
    )


def new_form(request: Request) -> Response:
    return render(request, "projects/new.html", form=Form(fields=FIELDS))


async def create(request: Request) -> Response:
    ctx, actor, raw = ctx_of(request), actor_of(request), await typed(request)
    try:
        new = NewProject.parse(raw)
        made = await do(partial(create_project, ctx, actor, new))
    except Wrong as why:
        form = again(raw, why, fields=FIELDS, about="name")
        return render(request, "projects/new.html", why.status, form=form)
    return go(f"/projects/{made.name}", done="project-made")


def show(request: Request) -> Response:
    ctx, project, places = _project(request)
    db, seen = ctx.db.read(), sight_of(request, "urls.read")
    attached = tuple(url for url in urls.of_project(db, project.id) if sees(seen, url.at))
    recent = deployments.newest(db, project=project.name, limit=RECENT, sight=sight_of(request, "deployments.read"))
    return render(
        request,
        "projects/show.html",
        **_head(project, places),
        recent=recent.items,
        total=deployments.count_in(db, tuple(place.environment.id for place in places)),
        urls=attached,
        leads=addresses(ctx, attached),
        ready=_ready(request, project, places),
        most=ctx.settings.upload_max,
    )


def show_deployments(request: Request) -> Response:
    ctx, project, places = _project(request)
    names = tuple(place.name for place in places)
    return render(
        request,
        "projects/deployments.html",
        **_head(project, places),
        **pages_of(request, ctx, project=project.name, environments=names),
    )


def settings_form(request: Request) -> Response:
    return _show_settings(request, Form({"name": request.path_params["project"]}, fields=FIELDS))


async def rename(request: Request) -> Response:
    ctx, actor, raw = ctx_of(request), actor_of(request), await typed(request)
    name = request.path_params["project"]
    try:
        patch = ProjectPatch.parse(raw)
        renamed = await do(partial(rename_project, ctx, actor, name, patch))
    except Wrong as why:
        form = again(raw, why, fields=FIELDS, about="name")
        return await do(partial(_show_settings, request, form, why.status))
    return go(f"/projects/{renamed.name}/settings", done="project-renamed")


def delete_form(request: Request) -> Response:
    return _ask_delete(request, Form(fields=("confirm",)))


async def delete(request: Request) -> Response:
    ctx, actor, raw = ctx_of(request), actor_of(request), await typed(request)
    name = request.path_params["project"]
    try:
        confirmed(raw, name)
        await do(partial(delete_project, ctx, actor, name))
    except Wrong as why:
        form = again(raw, why, fields=("confirm",), about="confirm")
        return await do(partial(_ask_delete, request, form, why.status))
    return go("/projects", done="project-deleted")


def _show_first(request: Request, most: int) -> Response:
    """The first page of an appliance, or of someone with whom nothing has been shared yet."""
    if not may(actor_of(request), "projects.create"):
        return render(request, "projects/nothing.html")
    return render(request, "projects/first.html", most=most, found=look(request))


def _show_settings(request: Request, form: Form, code: int = 200) -> Response:
    ctx, project, places = _project(request)
    return render(
        request, "projects/settings.html", code, **_head(project, places), form=form, freed=_freed(ctx, project)
    )


def _ask_delete(request: Request, form: Form, code: int = 200) -> Response:
    ctx = ctx_of(request)
    project = find_project(ctx, request.path_params["project"])
    back = f"/projects/{project.name}/settings"
    return render(
        request,
        "projects/delete.html",
        code,
        project=project,
        form=form,
        freed=_freed(ctx, project),
        action=f"/projects/{project.name}/delete",
        back=back,
    )


def _project(request: Request) -> tuple[Context, Project, tuple[Place, ...]]:
    ctx = ctx_of(request)
    project = find_project(ctx, request.path_params["project"])
    return ctx, project, of_project(ctx, project.id, sight_of(request, "projects.read"), acts=True)


def _head(project: Project, places: tuple[Place, ...]) -> dict[str, object]:
    """What every page of a project has at the top."""
    return {"project": project, "places": places, "main": main_of(places)}


def _freed(ctx: Context, project: Project) -> str:
    return freed(what_frees(ctx, environments.of_project(ctx.db.read(), project.id)))


def _rows(request: Request, ctx: Context, those: tuple[Project, ...]) -> list[Row]:
    db, seen = ctx.db.read(), sight_of(request, "projects.read")
    held = environments.of_projects(db, tuple(one.id for one in those))
    places = of_environments(ctx, tuple(one for some in held.values() for one in some if sees(seen, one.at)))
    last = _last(request, ctx, those)
    return [
        Row(
            one,
            tuple(place for place in places if place.environment.project_id == one.id),
            short(last[one.name]) if one.name in last else None,
        )
        for one in those
    ]


def _last(request: Request, ctx: Context, those: tuple[Project, ...]) -> dict[str, Activity]:
    """What happened last in each, as far as that may be seen."""
    if not may_somewhere(actor_of(request), "activity.read"):
        return {}
    return activity.last_of_projects(
        ctx.db.read(), tuple(one.name for one in those), sight_of(request, "activity.read")
    )


def _ready(request: Request, project: Project, places: tuple[Place, ...]) -> list[Ready]:
    """What is still to do, for those who may do it; what may not be done leads nowhere."""
    actor, main, base = actor_of(request), main_of(places), f"/projects/{project.name}"
    deploy = f"{base}/environments/{main.name}#deploy" if main and may(actor, "deployments.create", main.at) else ""
    add = f"{base}/urls#add" if main and may(actor, "urls.create", main.at) else ""
    make = f"{base}/new-environment" if may(actor, "environments.create", project.at) else ""
    own = bool(main and any(url.status == "active" for url in main.urls))
    return [
        Ready("A zip is live", bool(main and main.live), "Deploy one", deploy if main else make),
        Ready("It has its own URL", own, "Add a URL", add),
        Ready("A second environment to try things in", len(places) > 1, "Make one", make),
    ]
