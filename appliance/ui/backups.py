"""Backups: what was taken, one more now, and how they are taken by themselves."""

from dataclasses import replace
from datetime import datetime
from functools import partial

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from appliance.backups import create, delete, find, schedule
from appliance.backups.download import open_for
from appliance.backups.places import try_place
from appliance.context import Context
from appliance.errors import Conflict, HomeportError
from appliance.machine import clock
from appliance.projects.settings import SettingsPatch, change_settings
from appliance.settings import ABOUT, parse_setting
from appliance.store import backups, saved
from appliance.ui.forms import Wrong, again, do, typed
from appliance.web import words
from appliance.web.page import Form, go, render
from appliance.web.routes import actor_of, ctx_of

HERE = "/settings/backups"
PLAIN = (
    "backup_every",
    "backup_hour",
    "backup_keep",
    "backup_place",
    "backup_folder",
    "backup_s3_endpoint",
    "backup_s3_region",
    "backup_s3_bucket",
    "backup_s3_prefix",
    "backup_s3_key_id",
    "backup_s3_path_style",
)
HIDDEN = ("backup_s3_secret", "backup_passphrase")
FIELDS = (*PLAIN, *HIDDEN)
SHOWN = 50


def index(request: Request) -> Response:
    return _show(request, _as_saved(ctx_of(request)))


async def save(request: Request) -> Response:
    ctx, actor, raw = ctx_of(request), actor_of(request), await typed(request)
    try:
        patch = SettingsPatch.parse(_changed(ctx, raw))
        if patch.values:
            await do(partial(change_settings, ctx, actor, patch))
    except Wrong as why:
        return await do(partial(_show, request, again(raw, why, fields=FIELDS, about="backup_place"), code=why.status))
    return go(HERE, done="saved")


async def test(request: Request) -> Response:
    """What was typed is tried: something is written there, looked at, and taken away again."""
    ctx, raw = ctx_of(request), await typed(request)
    try:
        values = SettingsPatch.parse(_changed(ctx, raw)).values
        typed_in = {name: parse_setting(name, value) for name, value in values.items() if value is not None}
        said, good = await do(partial(try_place, replace(ctx.settings, **typed_in))), True
    except HomeportError as why:
        said, good = " ".join((why.detail, *why.todo)), False
    form = Form({**raw, **dict.fromkeys(HIDDEN, "")}, fields=FIELDS)
    return await do(partial(_show, request, form, tested=(good, said)))


async def take(request: Request) -> Response:
    ctx, actor = ctx_of(request), actor_of(request)
    try:
        await do(partial(create.create_backup, ctx, actor))
    except Wrong as why:
        form = again(dict(_as_saved(ctx).raw), why, fields=FIELDS, about="backup_place")
        return await do(partial(_show, request, form, code=why.status))
    return go(HERE, done="backup-asked")


def download(request: Request) -> Response:
    ctx = ctx_of(request)
    opened = open_for(ctx, actor_of(request), request.path_params["backup"])
    headers = {
        "Content-Length": str(opened.size),
        "Content-Disposition": f'attachment; filename="{opened.name}"',
        "Cache-Control": "no-store",
    }
    return StreamingResponse(opened.chunks, media_type="application/x-tar", headers=headers)


def delete_form(request: Request) -> Response:
    backup = find.find_backup(ctx_of(request), request.path_params["backup"])
    if not backup.over:
        raise Conflict("This backup is still being taken.", code="under_way")
    action = f"{HERE}/{backup.id}/delete"
    return render(request, "settings/delete-backup.html", backup=backup, action=action, back=HERE)


async def remove(request: Request) -> Response:
    ctx, actor = ctx_of(request), actor_of(request)
    await do(partial(delete.delete_backup, ctx, actor, request.path_params["backup"]))
    return go(HERE, done="backup-deleted")


def _show(request: Request, form: Form, *, code: int = 200, tested: tuple[bool, str] | None = None) -> Response:
    ctx = ctx_of(request)
    those = backups.everyone(ctx.db.read())
    following = schedule.next_time(ctx)
    return render(
        request,
        "settings/backups.html",
        code,
        form=form,
        tested=tested,
        backups=those[:SHOWN],
        running=any(not one.over for one in those),
        failure=find.last_failure(those),
        following=clock.text(following) if following else "",
        default_folder=str(ctx.data / "backups"),
        hints={name: _hint(ctx, name) for name in HIDDEN},
    )


def _hint(ctx: Context, name: str) -> str:
    at, by = saved.rows(ctx.db.read()).get(name, ("", ""))
    if at:
        when = words.since(datetime.fromisoformat(at), ctx.now())
        return f"Set {when} by {by}. It is never shown; type a new one to replace it."
    if getattr(ctx.settings, name):
        return f"Set by {ABOUT[name].env}. One that is saved here comes first."
    if name == "backup_passphrase":
        return "At least 12 characters. It locks the keys in the backup; without it a backup has none, and secrets are entered again after a restore. Keep it somewhere else: nobody can find it again."  # noqa: E501
    return "Of a key that may put, get and delete objects in this bucket."


def _changed(ctx: Context, raw: dict[str, str]) -> dict[str, str]:
    """Only what differs from what is in force; what is hidden stays where nothing was typed."""
    now = _as_saved(ctx).raw
    given = {**raw, "backup_s3_path_style": raw.get("backup_s3_path_style", "false")}
    changed = {name: given[name] for name in PLAIN if name in given and given[name] != now[name]}
    return changed | {name: given[name] for name in HIDDEN if given.get(name)}


def _as_saved(ctx: Context) -> Form:
    values = {name: getattr(ctx.settings, name) for name in PLAIN}
    return Form({name: str(it).lower() if isinstance(it, bool) else str(it) for name, it in values.items()}, {}, FIELDS)
