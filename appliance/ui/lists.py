"""Paging and filtering of lists: by where the last page ended."""

from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.requests import Request

from appliance.context import Context
from appliance.model.deployments import STATUSES
from appliance.store import deployments, projects
from appliance.store.sight import sees_some
from appliance.ui.places import Choices
from appliance.web.routes import sight_of

LIMIT = 50


class Pages:
    """Where a list is, and the links from there. The way back is kept in the address: every page has one."""

    def __init__(self, request: Request, limit: int = LIMIT) -> None:
        self._path = request.url.path
        self._asked = {name: value for name, value in request.query_params.items() if value}
        self._trail = [part for part in self._asked.pop("trail", "").split("~") if part]
        self.cursor = self._asked.pop("cursor", None)
        self.limit = limit

    def links(self, following: str | None) -> dict[str, str]:
        """For the template: the newer and the older page, where there is one."""
        newer = ""
        if self.cursor:
            before = self._trail[-1] if self._trail else None
            newer = self._link(before, self._trail[:-1])
        older = self._link(following, [*self._trail, *([self.cursor] if self.cursor else [])]) if following else ""
        return {"newer": newer, "older": older}

    def _link(self, cursor: str | None, trail: list[str]) -> str:
        query = dict(self._asked)
        if cursor:
            query["cursor"] = cursor
        if trail:
            query["trail"] = "~".join(trail)
        return f"{self._path}?{urlencode(query)}" if query else self._path


@dataclass(frozen=True)
class Filters:
    """What a list of deployments is narrowed to, and what it could be narrowed to."""

    project: str
    environment: str
    status: str
    choices: Choices | None
    environments: tuple[str, ...]

    @property
    def any(self) -> bool:
        return bool(self.environment or self.status or (self.project and self.choices))


def pages_of(
    request: Request,
    ctx: Context,
    *,
    project: str = "",
    choices: Choices | None = None,
    environments: tuple[str, ...],
) -> dict[str, object]:
    """A page of deployments as asked for; what can't be is not asked for."""
    asked, pages = request.query_params, Pages(request)
    chosen = Filters(
        project=project or project_asked(ctx, request, choices),
        environment=_among(asked.get("environment", ""), environments),
        status=_among(asked.get("status", ""), STATUSES),
        choices=choices,
        environments=environments,
    )
    page = deployments.newest(
        ctx.db.read(),
        project=chosen.project or None,
        environment=chosen.environment or None,
        status=chosen.status or None,
        cursor=pages.cursor,
        limit=pages.limit,
        sight=sight_of(request, "deployments.read"),
    )
    return {"filters": chosen, "deployments": page.items, **pages.links(page.next)}


def project_asked(ctx: Context, request: Request, choices: Choices | None) -> str:
    """The project that a list is narrowed to; what is no project that may be seen narrows nothing."""
    asked = request.query_params.get("project", "").strip()
    if choices is None or not asked:
        return ""
    if choices.many:
        found = projects.find(ctx.db.read(), asked)
        return asked if found and sees_some(sight_of(request, "projects.read"), found.id) else ""
    return _among(asked, choices.projects)


def _among(value: str, known: tuple[str, ...]) -> str:
    return value if value in known else ""
