"""What is and isn't in order with the NGINX of this host, each with its mend."""

import os
import pwd
import re
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

from appliance.errors import HomeportError, HostFailed, RemoteFailed
from appliance.machine.http import look
from appliance.machine.process import run
from appliance.model.checks import Check
from appliance.nginx import config, shadow
from appliance.nginx.force import probe_address
from appliance.nginx.hands import hands_for
from appliance.nginx.helper_client import ask
from appliance.settings import Settings

INSTALL = "Run `homeport install` as root: it sets up a small helper that tests and reloads."
QUICK = 3.0
HELPER = 8.0  # it is a program of its own, started for each question


def all_of(settings: Settings) -> list[Check]:
    """Every line. Without NGINX there is only one."""
    program = _program(settings)
    if program.status != "ok":
        return [program]
    return [program, *(check(settings) for check in _CHECKS)]


def _program(settings: Settings) -> Check:
    found = _binary(settings)
    if found is None:
        mend = "Install it (`apt-get install nginx`), or name it in HOMEPORT_NGINX_TEST and HOMEPORT_NGINX_RELOAD."
        status = "off" if settings.backend == "builtin" else "failed"
        return Check("nginx.program", status, "NGINX is not on this host.", mend)
    ran = run((found, "-v"), timeout=QUICK)
    return Check("nginx.program", "ok", f"{found} is {ran.output.strip().removeprefix('nginx version: ')}.")


def _binary(settings: Settings) -> str | None:
    named = (word for word in settings.nginx_test if os.path.basename(word) == "nginx")
    path = f"{os.environ.get('PATH', os.defpath)}:/usr/local/sbin:/usr/sbin:/sbin"
    return shutil.which(next(named, "nginx"), path=path)


def _include(settings: Settings) -> Check:
    enabled, conf = settings.nginx_sites_enabled, settings.nginx_conf
    if not conf.is_file():
        return Check(
            "nginx.include", "failed", f"{conf} is not there.", "Set HOMEPORT_NGINX_CONF to NGINX's main file."
        )
    if not shadow.reads_our_links(settings):
        mend = f"Put `include {enabled}/*;` into the http block of {conf}."
        return Check("nginx.include", "failed", f"NGINX does not read {enabled}.", mend)
    return Check("nginx.include", "ok", f"NGINX reads {enabled}.")


def _folders(settings: Settings) -> Check:
    folders = (settings.nginx_sites_available, settings.nginx_sites_enabled)
    for folder in folders:
        if not folder.is_dir():
            return Check("nginx.folders", "failed", f"{folder} is not there.", f"Make it as root: `mkdir {folder}`.")
        if settings.nginx_helper is None and not os.access(folder, os.W_OK | os.X_OK):
            return Check("nginx.folders", "failed", f"Homeport may not write in {folder}.", INSTALL)
    return Check("nginx.folders", "ok", f"{folders[0]} and {folders[1]} are there, and links can be made.")


def _test(settings: Settings) -> Check:
    try:
        hands_for(settings).test({})
    except HomeportError as why:
        return Check("nginx.test", "failed", " ".join((why.detail, why.said)).strip(), " ".join(why.todo))
    return Check("nginx.test", "ok", "NGINX accepts its configuration.")


def _reload(settings: Settings) -> Check:
    if settings.nginx_helper is not None:
        return _helper(settings.nginx_helper)
    pid = _master(settings)
    if pid is None:
        return Check("nginx.reload", "failed", "NGINX does not run.", "Start it: `systemctl start nginx`.")
    words = settings.nginx_reload
    if os.geteuid() in (0, _owner(pid)):
        return Check("nginx.reload", "ok", "Homeport may reload NGINX.")
    if os.path.basename(words[0]) == "sudo":
        permitted = run(("sudo", "-n", "-l", *(word for word in words[1:] if word != "-n")), timeout=QUICK).ok
        if permitted:
            return Check("nginx.reload", "ok", "Homeport may reload NGINX, by sudo.")
    elif os.path.basename(words[0]) != "nginx":
        return Check("nginx.reload", "warn", f"Whether `{' '.join(words)}` is permitted shows at the first reload.")
    return Check("nginx.reload", "failed", "Homeport may not reload NGINX: it runs as another user.", INSTALL)


def _helper(path: Path) -> Check:
    try:
        answer = ask(path, "status", HELPER)
    except HostFailed as why:
        return Check("nginx.reload", "failed", why.detail, " ".join(why.todo))
    if not answer["ok"]:
        return Check("nginx.reload", "failed", answer["said"], " ".join(answer["error"]["todo"]))
    return Check("nginx.reload", "ok", "The root helper is there to test and reload NGINX.")


def _answers(settings: Settings) -> Check:
    for listen in settings.nginx_listen.split():
        address = probe_address(listen)
        try:
            look(address, "homeport-check.invalid", timeout=QUICK, most=1024)
        except RemoteFailed as why:
            mend = f"Let NGINX listen on {listen} (its default site does on 80), or set HOMEPORT_NGINX_LISTEN."
            # Before the first URL there may be no server that listens there, which is nothing wrong.
            return Check("nginx.answers", "warn", why.detail, mend)
    return Check("nginx.answers", "ok", f"A web server answers at {settings.nginx_listen}.")


def _reach(settings: Settings) -> Check:
    """NGINX's workers have to get through every folder down to a site."""
    name = _worker(settings)
    real = settings.data.resolve()
    ways = [*reversed(real.parents), real, *(real / part for part in ("sites", "releases"))]
    closed = next((way for way in ways if way.is_dir() and not _lets_through(way, name)), None)
    if closed:
        mend = f"`chmod o+x {closed}`, or choose a data folder elsewhere."
        return Check("nginx.reach", "failed", f"NGINX can't read the sites: {closed} is closed to {name}.", mend)
    return Check("nginx.reach", "ok", f"NGINX, as {name}, can read the sites in {settings.data}.")


def _lets_through(folder: Path, name: str) -> bool:
    found, person = folder.stat(), pwd.getpwnam(name)
    if person.pw_uid == 0:
        return True
    if found.st_uid == person.pw_uid:
        return bool(found.st_mode & stat.S_IXUSR)
    if found.st_gid in os.getgrouplist(name, person.pw_gid):
        return bool(found.st_mode & stat.S_IXGRP)
    return bool(found.st_mode & stat.S_IXOTH)


def _worker(settings: Settings) -> str:
    """Who NGINX's workers run as: the user that the main file names, if the master may change to it."""
    pid = _master(settings)
    if pid is not None and _owner(pid) != 0:
        return pwd.getpwuid(_owner(pid)).pw_name
    named = _said(settings, "user") or "nobody"
    try:
        return pwd.getpwnam(named).pw_name
    except KeyError:
        return "nobody"


def _master(settings: Settings) -> int | None:
    """NGINX's process, by the file that the main file or the build names."""
    file = _said(settings, "pid") or _built_in(settings, "pid-path") or "/run/nginx.pid"
    try:
        pid = int(Path(file).read_text())
        return pid if Path(f"/proc/{pid}").exists() else None
    except (OSError, ValueError):
        return None


def _owner(pid: int) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


def _said(settings: Settings, name: str) -> str | None:
    for directive in config.read_all(settings.nginx_conf, lambda _: True):
        if directive.name == name and directive.args:
            return directive.args[0]
    return None


def _built_in(settings: Settings, name: str) -> str | None:
    binary = _binary(settings)
    found = re.search(rf"--{name}=(\S+)", run((binary, "-V"), timeout=QUICK).output) if binary else None
    return found[1] if found else None


_CHECKS: tuple[Callable[[Settings], Check], ...] = (_include, _folders, _test, _reload, _answers, _reach)
