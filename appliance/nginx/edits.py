"""What was changed by hand in the files that Homeport wrote. Only looked at here, never changed."""

import os
from collections.abc import Mapping
from pathlib import Path

from appliance.model.edits import Edit
from appliance.nginx import paths, standing
from appliance.nginx.template import Conf, SiteConf, render
from appliance.settings import Settings


def find(settings: Settings, wanted: Mapping[str, Conf]) -> list[Edit]:
    """Each of these hosts whose file or links are not as Homeport makes them."""
    there = standing.look(settings)
    odd = [host for host in wanted if host not in there or not there[host].as_written]
    return [edit for host in odd if (edit := _look(settings, wanted[host]))]


def _look(settings: Settings, conf: Conf) -> Edit | None:
    host, wanted = conf.host, render(conf)
    file, links = paths.file_of(settings, host), paths.links_of(settings, host)
    text = _text(file)
    gone = [path for path in (file, *links) if not os.path.lexists(path)]
    other = [link for link in links if link not in gone and not paths.is_link_of(settings, link, host)]
    if other:
        return Edit(host, "taken", f"{other[0]} is no longer the link that Homeport made.", text, wanted)
    if gone:
        return Edit(host, "missing", f"{' and '.join(map(str, gone))} {_is(gone)} gone.", text, wanted)
    if text != wanted:
        return Edit(host, "changed", f"{file} was edited.{_open_door(conf, text or '')}", text, wanted)
    return None


def _open_door(conf: Conf, text: str) -> str:
    """What is set for a whole environment doesn't reach a file that nobody writes over: that has to be said."""
    if not isinstance(conf, SiteConf):
        return ""
    if conf.guard.password and "auth_basic" not in text:
        return " The password of its environment does not stand before it."
    if conf.guard.maintenance and "return 503" not in text:
        return " It does not show the maintenance page of its environment."
    return ""


def _is(those: list[Path]) -> str:
    return "is" if len(those) == 1 else "are"


def _text(file: Path) -> str | None:
    try:
        return file.read_text("utf-8", errors="replace")
    except OSError:
        return None
