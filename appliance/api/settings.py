"""Settings: what is in force, changing it, and trying what it leads to."""

from dataclasses import dataclass
from typing import Annotated

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from appliance.api.answers import answer, body, page_of
from appliance.context import Context
from appliance.errors import BadRequest
from appliance.model.checks import Check
from appliance.model.settings_file import SettingsPlan
from appliance.projects import settings_file
from appliance.projects.settings import SettingsPatch, change_settings
from appliance.settings import ABOUT, SAVED
from appliance.store import saved
from appliance.web.routes import actor_of, ctx_of, doc
from appliance.web.trying import SettingsTest, try_out

YAML = "application/yaml"


@dataclass(frozen=True)
class SettingShape:
    name: str
    env: Annotated[str, "The environment variable that sets it too"]
    text: Annotated[str, "What it is for"]
    secret: Annotated[bool, "Whether its value is never shown"]
    value: Annotated[str | None, "What is in force; null for a secret"]
    set: Annotated[bool, "Whether it has a value"]
    saved_at: str | None
    saved_by: str | None


@doc("Settings that can be saved", returns=SettingShape, listing=True, whole=True)
async def listed(request: Request) -> Response:
    return page_of(setting_shapes(ctx_of(request)), None)


@doc("Save settings; null forgets", body=SettingsPatch, returns=SettingShape, listing=True, whole=True)
async def changed(request: Request) -> Response:
    ctx = ctx_of(request)
    patch = SettingsPatch.parse(await body(request))
    await run_in_threadpool(change_settings, ctx, actor_of(request), patch)
    return page_of(setting_shapes(ctx), None)


@doc(
    "Try what settings lead to: `nginx`, `dns`, `certificates`, `mail` or `backups`",
    body=SettingsTest,
    returns=Check,
    listing=True,
    whole=True,
)
async def tested(request: Request) -> Response:
    test = SettingsTest.parse(await body(request))
    area = request.path_params["area"]
    return page_of(await run_in_threadpool(try_out, ctx_of(request), actor_of(request), area, test), None)


@doc("Settings as a file, all but secrets", binary=YAML)
def exported(request: Request) -> Response:
    headers = {"Content-Disposition": 'attachment; filename="homeport-settings.yaml"', "Cache-Control": "no-store"}
    return PlainTextResponse(settings_file.export(ctx_of(request)), media_type=YAML, headers=headers)


@doc("Take settings from a file: what is not in it is forgotten, secrets stay", returns=SettingsPlan, kinds=(YAML,))
async def imported(request: Request) -> Response:
    """All of it or nothing."""
    text = await _file(request)
    return answer(await run_in_threadpool(settings_file.take, ctx_of(request), actor_of(request), text))


@doc("What a file of settings would change", returns=SettingsPlan, kinds=(YAML,))
async def previewed(request: Request) -> Response:
    text = await _file(request)
    return answer(await run_in_threadpool(settings_file.plan, ctx_of(request), actor_of(request), text))


async def _file(request: Request) -> str:
    try:
        return (await request.body()).decode("utf-8-sig")
    except UnicodeDecodeError as why:
        raise BadRequest("This file is not text in UTF-8.", code="not_text") from why


def setting_shapes(ctx: Context) -> list[SettingShape]:
    now, when = ctx.settings, saved.rows(ctx.db.read())
    shapes = []
    for name in sorted(SAVED):
        it, value = ABOUT[name], getattr(now, name)
        at, by = when.get(name, (None, None))
        text = None if it.secret else _text(value)
        shapes.append(SettingShape(name, it.env, it.text, it.secret, text, bool(value), at, by))
    return shapes


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
