"""Variables of an environment, and those that a project's environments share: see, change, import and export them."""

from collections.abc import Sequence
from dataclasses import dataclass

from appliance.access.actor import Actor
from appliance.access.missing import no_environment, no_project
from appliance.access.permissions import need
from appliance.access.record import record
from appliance.context import Context
from appliance.deploy import variables as current
from appliance.errors import Invalid, NotFound
from appliance.events import ProjectChanged
from appliance.machine import clock
from appliance.model import dotenv
from appliance.model.activity import Activity
from appliance.model.environments import Environment
from appliance.model.places import Place
from appliance.model.projects import Project
from appliance.model.variables import (
    LARGEST_TOGETHER,
    MOST,
    Change,
    Import,
    Imported,
    NewValue,
    NewVariable,
    NewVariables,
    ShownVariable,
    Variable,
    VariablesPatch,
    size_of,
)
from appliance.projects.find import find_environment, find_project
from appliance.store import activity, environments, projects, variables
from appliance.store.db import Connection

REMEMBERED = 20  # changes that a page tells of


@dataclass(frozen=True)
class Holder:
    """Whose variables: a project's, which its environments share, or those of one environment."""

    project: Project
    environment: Environment | None = None

    @property
    def at(self) -> Place:
        return self.environment.at if self.environment else self.project.at

    @property
    def words(self) -> str:
        return self.environment.place if self.environment else self.project.name


def holder_of(ctx: Context, project: str, environment: str | None) -> Holder:
    found = find_environment(ctx, project, environment) if environment is not None else None
    return Holder(find_project(ctx, project), found)


def in_force(ctx: Context, holder: Holder) -> tuple[ShownVariable, ...]:
    """Each name once, as it counts there."""
    db = ctx.db.read()
    shared = {one.name for one in variables.at(db, holder.project.at)}
    return tuple(_shown(ctx, one, shared) for one in current.in_force(db, holder.at))


def shared_by(ctx: Context, project: Project) -> tuple[ShownVariable, ...]:
    return tuple(_shown(ctx, one) for one in variables.at(ctx.db.read(), project.at))


def find_variable(ctx: Context, holder: Holder, name: str) -> ShownVariable:
    """The holder's own, not one that is shared with it."""
    for one in in_force(ctx, holder):
        if one.name == name and one.shared == (holder.environment is None):
            return one
    raise _no_variable(holder, name)


def change_variables(ctx: Context, actor: Actor, holder: Holder, patch: VariablesPatch) -> tuple[Change, ...]:
    """Set some and remove some, all of it or nothing."""
    return _write(ctx, actor, holder, patch.variables, removed=patch.remove)


def replace_variables(ctx: Context, actor: Actor, holder: Holder, new: NewVariables) -> tuple[Change, ...]:
    """What is not in it goes."""
    return _write(ctx, actor, holder, new.variables, removed=None)


def set_variable(ctx: Context, actor: Actor, holder: Holder, name: str, new: NewValue) -> ShownVariable:
    _write(ctx, actor, holder, [NewVariable(new.value, new.secret, name)])
    return find_variable(ctx, holder, name)


def remove_variable(ctx: Context, actor: Actor, holder: Holder, name: str) -> None:
    _write(ctx, actor, holder, (), removed=(name,))


def import_variables(ctx: Context, actor: Actor, holder: Holder, new: Import, *, dry_run: bool) -> Imported:
    """What a `.env` file says; names that are not in it stay as they are. A dry run says what it would do."""
    need(actor, "variables.update", holder.at)
    here = {one.name: one for one in variables.at(ctx.db.read(), holder.at)}
    wanted = [_from_file(one, here.get(one.name), new) for one in dotenv.read(new.text)]
    if dry_run:
        return Imported(False, tuple(_changes(ctx, here, wanted)))
    return Imported(True, _write(ctx, actor, holder, wanted))


def export_variables(ctx: Context, holder: Holder, *, shared: bool = False) -> str:
    """Its own, as a `.env` file; with the shared ones that count there, where that is asked for."""
    found = in_force(ctx, holder)
    own = holder.environment is None
    return dotenv.write((one.name, one.value) for one in found if shared or own or not one.shared)


def history(ctx: Context, holder: Holder) -> tuple[Activity, ...]:
    """Who changed which name, the newest first; an environment's tells of shared ones too."""
    return activity.of_place(ctx.db.read(), "variable", holder.at, REMEMBERED)


@dataclass(frozen=True)
class _Writing:
    """One transaction of one person's."""

    ctx: Context
    db: Connection
    actor: Actor
    holder: Holder

    def put(self, was: Variable | None, new: NewVariable) -> None:
        number = was.id if was else clock.new_id()
        secret = new.secret if new.secret is not None else bool(was and was.secret)
        value = new.value if new.value is not None else (was and current.opened(self.ctx, was)) or ""
        kept = Variable(
            id=number,
            project_id=self.holder.project.id,
            environment_id=self.holder.at.environment_id,
            name=new.name,
            secret=secret,
            sealed=current.sealed(self.ctx, self.db, number, value),
            changed_at=self.ctx.moment(),
            changed_by=self.actor.name,
        )
        variables.put(self.db, kept)
        self._record("variable.set", new.name, secret=secret)

    def remove(self, gone: Variable) -> None:
        variables.remove(self.db, gone.id)
        self._record("variable.remove", gone.name, secret=gone.secret)

    def refuse_gone(self) -> None:
        project, environment = self.holder.project.name, self.holder.environment
        if projects.find(self.db, project) is None:
            raise no_project(project)
        if environment and environments.by_id(self.db, environment.id) is None:
            raise no_environment(project, environment.name)

    def refuse_too_much(self) -> None:
        found, words = variables.at(self.db, self.holder.at), self.holder.words
        if len(found) > MOST:
            raise Invalid({"variables": f"Keep it to {MOST} variables in {words}; this would make {len(found)}"})
        if size_of([current.opened(self.ctx, one) or "" for one in found]) > LARGEST_TOGETHER:
            raise Invalid({"variables": f"Keep the values of {words} to 1 MiB together"})

    def _record(self, verb: str, name: str, *, secret: bool) -> None:
        """Which name; never what it was or is."""
        project, environment = self.holder.project.name, self.holder.environment
        there = environment.name if environment else None
        record(self.ctx, self.db, self.actor, verb, name, project=project, environment=there, secret=secret)


def _write(
    ctx: Context,
    actor: Actor,
    holder: Holder,
    wanted: Sequence[NewVariable],
    *,
    removed: Sequence[str] | None = (),
) -> tuple[Change, ...]:
    """The one place that changes any; with `removed` None, all goes that is not wanted."""
    need(actor, "variables.update", holder.at)
    with ctx.write(ProjectChanged(holder.project.name)) as db:
        writing = _Writing(ctx, db, actor, holder)
        writing.refuse_gone()
        here = {one.name: one for one in variables.at(db, holder.at)}
        kept = {one.name for one in wanted}
        going = [name for name in here if name not in kept] if removed is None else removed
        changes = _changes(ctx, here, wanted)
        for change, new in zip(changes, wanted, strict=True):
            if change.change in ("added", "changed"):
                writing.put(here.get(new.name), new)
        for name in going:
            if name not in here:
                raise _no_variable(holder, name)
            writing.remove(here[name])
            changes.append(Change(name, "removed"))
        writing.refuse_too_much()
    return tuple(changes)


def _changes(ctx: Context, here: dict[str, Variable], wanted: Sequence[NewVariable]) -> list[Change]:
    """What each comes to; all that can't be is said at once."""
    wrong: dict[str, str] = {}
    found = []
    for one in wanted:
        was = here.get(one.name)
        if why := _refusal(ctx, was, one):
            wrong["value" if len(wanted) == 1 else one.name] = why
        found.append(Change(one.name, _change(ctx, was, one)))
    if wrong:
        raise Invalid(wrong)
    return found


def _refusal(ctx: Context, was: Variable | None, new: NewVariable) -> str:
    if new.value is not None:
        return ""
    if was is None:
        return f"Give {new.name} a value; it may be empty"
    if was.secret and new.secret is False:
        return f"{new.name} is a secret: enter its value again to have it shown from now on"
    if current.opened(ctx, was) is None:
        return f"The value of {new.name} can't be opened any more: enter it again"
    return ""


def _change(ctx: Context, was: Variable | None, new: NewVariable) -> str:
    """Whether a secret was given the value that it has already is nobody's to know."""
    if was is None:
        return "added"
    secret = was.secret if new.secret is None else new.secret
    if new.value is None:
        return "changed" if secret != was.secret else "kept" if secret else "same"
    if not was.secret and not secret and new.value == current.opened(ctx, was):
        return "same"
    return "changed"


def _from_file(entry: dotenv.Entry, was: Variable | None, new: Import) -> NewVariable:
    """A secret is exported without its value, so no value means that it stays as it is."""
    if was and was.secret and not entry.value:
        return NewVariable(None, None, entry.name)
    return NewVariable(entry.value, None if was else new.secret, entry.name)


def _shown(ctx: Context, one: Variable, shared: frozenset[str] | set[str] = frozenset()) -> ShownVariable:
    value = current.opened(ctx, one)
    return ShownVariable(
        name=one.name,
        value=None if one.secret else value or "",
        secret=one.secret,
        shared=one.environment_id is None,
        overrides=one.environment_id is not None and one.name in shared,
        lost=value is None,
        changed_at=one.changed_at,
        changed_by=one.changed_by,
    )


def _no_variable(holder: Holder, name: str) -> NotFound:
    return NotFound(f"{holder.words} has no variable {name} of its own.", code="no_variable")
