"""Settings, log: what was done outside, narrowed and followed."""

from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from appliance.errors import Invalid
from appliance.model.process_log import AREAS, LogAsked, LogLine
from appliance.store import process_log
from appliance.web.page import render
from appliance.web.routes import ctx_of

HERE = "/settings/log"
SHOWN = 500


@dataclass(frozen=True)
class ShownLine:
    """A line as every log shows it."""

    number: int
    at: str
    step: str
    level: str
    text: str


def shown(line: LogLine) -> ShownLine:
    return ShownLine(line.id, line.at, line.area, line.level, line.words)


def index(request: Request) -> Response:
    db, asked = ctx_of(request).db.read(), _asked(request)
    before = request.query_params.get("before", "")
    cursor = int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None
    end = process_log.last_number(db)
    page = process_log.newest(db, asked, cursor=cursor, limit=SHOWN)
    lines = [shown(line) for line in reversed(page.items)]
    query = {name: value for name, value in vars(asked).items() if value}
    log = {
        "name": "Log of the process",
        "lines": lines,
        "end": end if cursor is None else lines[-1].number if lines else 0,
        "total": process_log.count(db, asked),
        "find": False,
        "days": True,
        "follow": _link("process", query, join="&") if cursor is None else "",
        "file": _link("/api/v1/log", {**query, "download": "1"}),
        "called": "homeport.log",
    }
    return render(
        request,
        "settings/log.html",
        asked=asked,
        areas=AREAS,
        log=log,
        total=log["total"],
        earlier=_link(HERE, {**query, "before": page.next}) if page.next else "",
        latest=_link(HERE, query),
    )


def _asked(request: Request) -> LogAsked:
    """An address that somebody edited leads to all lines, not to an error."""
    try:
        return LogAsked.parse(request.query_params)
    except Invalid as why:
        return LogAsked.parse({name: it for name, it in request.query_params.items() if name not in why.errors})


def _link(path: str, query: dict[str, str], join: str = "?") -> str:
    return f"{path}{join}{urlencode(query)}" if query else path
