"""Settings, people: who is here, who is invited, who may join."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from appliance.access.giving import refuse_role_beyond
from appliance.access.people.change import change_role
from appliance.access.people.find import find_person
from appliance.access.people.invite import Invited, invite, invite_again, revoke_invitation
from appliance.access.people.remove import leave as leave_now
from appliance.access.people.remove import remove_person
from appliance.context import Context
from appliance.errors import Forbidden, NotFound
from appliance.model.invitations import Invitation, NewInvitation
from appliance.model.people import ROLES, Person, RolePatch
from appliance.projects.settings import SettingsPatch, change_settings
from appliance.store import invitations, people
from appliance.ui.forms import Wrong, again, do, typed
from appliance.ui.lists import Pages
from appliance.web.page import Form, go, render
from appliance.web.routes import actor_of, ctx_of

HERE = "/settings/people"
FIELDS = ("email", "role", "place", "place_role")
JOINING = ("join_domains", "join_role", "invitation_days")
MOST_INVITED = 200


def index(request: Request) -> Response:
    return _show(request)


async def send_invitation(request: Request) -> Response:
    """Answers with the page itself: the link is shown this once."""
    ctx, actor, raw = ctx_of(request), actor_of(request), await typed(request)
    try:
        new = NewInvitation.parse(_with_grants(raw))
        made = await do(partial(invite, ctx, actor, new))
    except (*Wrong, NotFound, Forbidden) as why:
        return await do(partial(_show, request, again(raw, why, fields=FIELDS, about="email"), code=why.status))
    return await do(partial(_show, request, fresh=made, code=201))


async def send_again(request: Request) -> Response:
    which = request.path_params["invitation"]
    made = await do(partial(invite_again, ctx_of(request), actor_of(request), which))
    return await do(partial(_show, request, fresh=made, code=201))


def revoke_form(request: Request) -> Response:
    found = _invitation(request)
    action = f"/settings/invitations/{found.id}/revoke"
    return render(request, "settings/revoke-invitation.html", invitation=found, action=action, back=HERE)


async def revoke(request: Request) -> Response:
    await do(partial(revoke_invitation, ctx_of(request), actor_of(request), request.path_params["invitation"]))
    return go(HERE, done="invitation-revoked")


async def save_joining(request: Request) -> Response:
    ctx, actor, raw = ctx_of(request), actor_of(request), await typed(request)
    try:
        patch = SettingsPatch.parse({name: raw.get(name, "") for name in JOINING})
        await do(partial(change_settings, ctx, actor, patch))
    except Wrong as why:
        joining = again(raw, why, fields=JOINING, about="join_domains")
        return await do(partial(_show, request, joining=joining, code=why.status))
    return go(HERE, done="saved")


def show(request: Request) -> Response:
    return _show_one(request, Form(fields=("role",)))


async def change(request: Request) -> Response:
    ctx, actor, raw = ctx_of(request), actor_of(request), await typed(request)
    who = request.path_params["person"]
    try:
        patch = RolePatch.parse(raw)
        changed = await do(partial(change_role, ctx, actor, who, patch.role))
    except Wrong as why:
        return await do(partial(_show_one, request, again(raw, why, fields=("role",), about="role"), code=why.status))
    return go("/" if changed.id == actor.person_id else f"{HERE}/{who}", done="person-changed")


def owner_form(request: Request) -> Response:
    return _ask(request, "settings/make-owner.html", "owner")


async def make_owner(request: Request) -> Response:
    who = request.path_params["person"]
    await do(partial(change_role, ctx_of(request), actor_of(request), who, "owner"))
    return go(f"{HERE}/{who}", done="person-changed")


def remove_form(request: Request) -> Response:
    return _ask(request, "settings/remove-person.html", "remove")


async def remove(request: Request) -> Response:
    ctx, actor, who = ctx_of(request), actor_of(request), request.path_params["person"]
    try:
        await do(partial(remove_person, ctx, actor, who))
    except Wrong as why:
        form = again({}, why, fields=(), about="person")
        return await do(partial(_ask, request, "settings/remove-person.html", "remove", form, why.status))
    return go(HERE, done="person-removed")


def leave_form(request: Request) -> Response:
    return _ask_leave(request, Form())


async def leave(request: Request) -> Response:
    ctx, actor = ctx_of(request), actor_of(request)
    try:
        await do(partial(leave_now, ctx, actor))
    except Wrong as why:
        return _ask_leave(request, again({}, why, fields=(), about="person"), why.status)
    return go("/login", done="left")


def _ask_leave(request: Request, form: Form, code: int = 200) -> Response:
    person = _person(ctx_of(request), actor_of(request).person_id)
    return render(
        request, "settings/leave.html", code, person=person, form=form, action="/leave", back="/settings/keys"
    )


def _show(
    request: Request,
    form: Form | None = None,
    fresh: Invited | None = None,
    joining: Form | None = None,
    code: int = 200,
) -> Response:
    ctx, pages, q = ctx_of(request), Pages(request), request.query_params.get("q", "").strip()
    db = ctx.db.read()
    page = people.portraits(db, q, cursor=pages.cursor, limit=pages.limit)
    return render(
        request,
        "settings/people.html",
        code,
        people=page.items,
        q=q,
        form=form or Form({"role": "viewer", "place_role": "developer"}, {}, FIELDS),
        fresh=fresh,
        invited=[(one, one.expires_at <= ctx.moment()) for one in invitations.newest(db, limit=MOST_INVITED).items],
        joining=joining or Form({name: str(getattr(ctx.settings, name)) for name in JOINING}, {}, JOINING),
        roles=_roles(request),
        **pages.links(page.next),
    )


def _show_one(request: Request, form: Form, code: int = 200) -> Response:
    ctx = ctx_of(request)
    found = people.portrait(ctx.db.read(), _person(ctx, request.path_params["person"]).id)
    if found is None:
        raise NotFound("There is nobody here by this name.", code="no_person")
    return render(
        request,
        "settings/person.html",
        code,
        one=found,
        form=form,
        roles=[role for role in _roles(request) if role != "owner"],
        oneself=found.person.id == actor_of(request).person_id,
    )


def _ask(request: Request, template: str, verb: str, form: Form | None = None, code: int = 200) -> Response:
    person = _person(ctx_of(request), request.path_params["person"])
    action, back = f"{HERE}/{person.id}/{verb}", f"{HERE}/{person.id}"
    return render(request, template, code, person=person, action=action, back=back, form=form or Form())


def _person(ctx: Context, who: str) -> Person:
    return find_person(ctx.db.read(), who)


def _invitation(request: Request) -> Invitation:
    found = invitations.find(ctx_of(request).db.read(), request.path_params["invitation"])
    if found is None:
        raise NotFound("There is no such invitation; it may have been accepted already.", code="no_invitation")
    return found


def _roles(request: Request) -> list[str]:
    """Those that the asker could give."""
    return [role for role in ROLES if _could_give(request, role)]


def _could_give(request: Request, role: str) -> bool:
    try:
        refuse_role_beyond(ctx_of(request).db.read(), actor_of(request), role)
    except Forbidden:
        return False
    return True


def _with_grants(raw: dict[str, str]) -> dict[str, object]:
    """The form offers one place besides; more can be granted later."""
    rest: dict[str, object] = {name: raw[name] for name in raw if name not in ("place", "place_role")}
    project, _, environment = raw.get("place", "").strip().partition("/")
    if not project:
        return rest
    granted = {"project": project, "environment": environment.strip() or None, "role": raw.get("place_role", "")}
    return {**rest, "grants": [granted]}
