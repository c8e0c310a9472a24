"""The root helper: puts URLs in force for an appliance that has no rights over NGINX, and takes its word for nothing.

Whoever can write what NGINX loads is root in effect. So one word comes in, files are only taken that hold nothing but
our template with allowed values in it, and what is written is what was read, once, into memory.
"""

import fcntl
import json
import os
import pwd
import re
import socket
import stat
import struct
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice, zip_longest
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

from appliance.errors import Conflict, HomeportError, HostFailed
from appliance.machine import trust
from appliance.model.fields import NAME
from appliance.nginx import names, paths
from appliance.nginx.hands import Direct
from appliance.nginx.template import Conf, SiteConf, Wildcard, read, render
from appliance.nginx.values import file_name, host_of_file
from appliance.settings import Settings

CONFIG = Path("/etc/homeport/nginx-helper.json")
WANTED = "nginx-wanted"
WORDS = ("test", "apply", "status")
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
MOST_FILES = 20_000
MOST_BYTES = 16 << 20  # thousands of redirects are a few
LONGEST_WORD = 1024
PATIENCE = 5.0  # seconds for the word to arrive

Texts = Mapping[str, str | None]
AGAIN = "HTTP, until root runs `homeport install` once more,"
_KEY = re.compile(r"[0-9a-f]{16}")


class Refused(HostFailed):
    """The helper doesn't do what it was asked; nothing was changed."""

    code = "nginx_helper"


@dataclass(frozen=True)
class Rules:
    """What the helper goes by: root's own file, which the appliance can neither write nor name."""

    user: str
    data: Path
    sites_available: Path
    sites_enabled: Path
    conf: Path
    test: tuple[str, ...]
    reload: tuple[str, ...]
    listen: tuple[str, ...]
    host: str = ""  # where the appliance listens, besides loopback
    listen_tls: tuple[str, ...] = ()

    @classmethod
    def of(cls, settings: Settings, user: str) -> Self:
        return cls(
            user=user,
            data=settings.data,
            sites_available=settings.nginx_sites_available,
            sites_enabled=settings.nginx_sites_enabled,
            conf=settings.nginx_conf,
            test=settings.nginx_test,
            reload=settings.nginx_reload,
            listen=tuple(settings.nginx_listen.split()),
            host=settings.host,
            listen_tls=tuple(settings.nginx_listen_tls.split()),
        )

    @classmethod
    def load(cls, file: Path) -> Self:
        _trusted(file)
        return cls.read(file.read_text("utf-8"), file)

    @classmethod
    def read(cls, text: str, file: Path) -> Self:
        try:
            raw = json.loads(text)
            values = {name: kind(raw[name]) for name, kind in _KINDS.items() if name not in _LATER or name in raw}
        except (ValueError, LookupError, TypeError) as why:
            raise Refused(f"{file} can't be read: {why}.", todo=("Run `homeport install` as root again.",)) from why
        return cls(**values)

    def text(self) -> str:
        raw = {name: str(value) if isinstance(value, Path) else value for name, value in vars(self).items()}
        return json.dumps(raw, indent=2) + "\n"

    @property
    def uid(self) -> int:
        return pwd.getpwnam(self.user).pw_uid

    @property
    def settings(self) -> Settings:
        return Settings(
            data=self.data,
            nginx_sites_available=self.sites_available,
            nginx_sites_enabled=self.sites_enabled,
            nginx_conf=self.conf,
            nginx_test=self.test,
            nginx_reload=self.reload,
            nginx_listen=" ".join(self.listen),
            nginx_listen_tls=" ".join(self.listen_tls),
        )


_KINDS: dict[str, Callable[[Any], Any]] = {
    "user": str,
    "data": Path,
    "sites_available": Path,
    "sites_enabled": Path,
    "conf": Path,
    "test": tuple,
    "reload": tuple,
    "listen": tuple,
    "host": str,
    "listen_tls": tuple,
}
_LATER = frozenset({"host", "listen_tls"})  # not there where an older file was installed


@dataclass(frozen=True)
class Answer:
    """The one object that goes back."""

    ok: bool
    said: str
    changed: tuple[str, ...] = ()
    error: dict[str, object] = field(default_factory=dict)
    settled: bool = False  # NGINX is known to answer by nothing else now

    def text(self) -> str:
        return json.dumps(vars(self)) + "\n"


def main(config: Path = CONFIG) -> int:
    """One connection: a word in on standard input, an answer out, and the end."""
    _forget_the_surroundings()
    try:
        rules = Rules.load(config)
        with _caller(rules) as caller, _alone(config):
            said = answer(rules, caller.word)
            caller.reply(said.text())
    except HomeportError as why:
        sys.stderr.write(f"homeport nginx-helper: {why.detail}\n")
        return 1
    except OSError as why:
        sys.stderr.write(f"homeport nginx-helper: {why}\n")
        return 1
    return 0 if said.ok or caller.client else 1


def answer(rules: Rules, word: str) -> Answer:
    """Do what one word says. Whatever goes wrong is in the answer, and then nothing was changed."""
    try:
        return _do(rules, word)
    except HomeportError as why:
        kind = "Conflict" if isinstance(why, Conflict) else "HostFailed"
        error: dict[str, object] = {"kind": kind, "detail": why.detail, "code": why.code, "todo": why.todo}
        return Answer(False, why.said or why.detail, (), error)
    except OSError as why:
        detail = f"The root helper could not do it: {why}."
        return Answer(False, detail, (), {"kind": "HostFailed", "detail": detail, "code": Refused.code, "todo": ()})


def _do(rules: Rules, word: str) -> Answer:
    if word not in WORDS:
        raise Refused(f"The root helper knows the words {', '.join(WORDS)}, and {word!r} is none of them.")
    check_boundary(rules)
    hands = Direct(rules.settings)
    before = standing(rules)
    changes = differing(before, candidates(rules, before), hands.traces())
    changed = tuple(sorted(changes))
    if word == "status":
        return Answer(True, f"{len(before)} URLs are in force, {len(changes)} differ from what is wanted.", changed)
    _refuse_taken(rules, before, changes)
    hands.test(changes)
    if word == "test":
        return Answer(True, f"{len(changed)} would change.", changed)
    return Answer(True, f"{len(changed)} changed.", changed, settled=_apply(hands, before, changes))


def check_boundary(rules: Rules) -> None:
    """Nobody but root may be able to change what NGINX loads: only then is looking at text worth anything."""
    for place in (paths.folder(rules.settings), rules.sites_available, rules.sites_enabled, rules.conf):
        _trusted(place)


def standing(rules: Rules) -> dict[str, str]:
    """What is in force, whole and root's own; anything else counts as missing and is written anew."""
    found = Direct(rules.settings).standing()
    return {host: text for host, text in found.items() if _is_roots(paths.file_of(rules.settings, host))}


def differing(before: Texts, wanted: Mapping[str, str], traces: set[str]) -> dict[str, str | None]:
    changes: dict[str, str | None] = dict.fromkeys(traces - wanted.keys())
    changes.update({host: text for host, text in wanted.items() if text != before.get(host)})
    return changes


def candidates(rules: Rules, before: Mapping[str, str] = MappingProxyType({})) -> dict[str, str]:
    """Every file that the appliance wants in force, each read once and judged by what was read.

    One that is root's own file in force already, to the last byte, changes nothing, so it may hold what root put there.
    """
    with _opened(os.open(rules.data, os.O_RDONLY | os.O_DIRECTORY)) as data:
        try:
            folder = os.open(WANTED, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=data)
        except FileNotFoundError:
            return {}
        with _opened(folder):
            _owned(rules, WANTED, os.fstat(folder))
            found = ((name, _content(rules, folder, name)) for name in _names(folder))
            return dict(_taken(rules, name, content, before) for name, content in found)


def _taken(rules: Rules, name: str, content: bytes, before: Mapping[str, str]) -> tuple[str, str]:
    host = host_of_file(name.removesuffix(".conf"))
    there = before.get(host) if host != name else None
    if there is not None and there.encode() == content:
        return host, there
    conf = judge(rules, name, content)
    return conf.host, render(conf)


def _names(folder: int) -> list[str]:
    with os.scandir(folder) as entries:
        found = [entry.name for entry in islice(entries, MOST_FILES + 1)]
    if len(found) > MOST_FILES:
        raise Refused(f"{WANTED} holds more than {MOST_FILES:,} files, which is as many as are taken.")
    return sorted(found)


def judge(rules: Rules, name: str, content: bytes) -> Conf:
    """The values in a candidate, if it holds nothing but our template with allowed values; Refused for all else."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise _refused(name, "is not UTF-8 text") from None
    try:
        conf = read(text)
    except HostFailed:
        raise _refused(name, _difference(rules, host_of_file(name.removesuffix(".conf")), text)) from None
    if f"{file_name(conf.host)}.conf" != name:
        raise _refused(name, f"is for {conf.host}, which its name doesn't say")
    if elsewhere := _leads_elsewhere(rules, conf):
        raise _refused(name, elsewhere)
    secure = conf.listen_tls if isinstance(conf, SiteConf) else ()
    for wanted, allowed in ((conf.listen, rules.listen), (secure, rules.listen_tls)):
        if strange := [value for value in wanted if value not in allowed]:
            raise _refused(name, f"listens on {strange[0]}, where only {' '.join(allowed) or AGAIN} is allowed")
    return conf


def _leads_elsewhere(rules: Rules, conf: Conf) -> str | None:
    if isinstance(conf, Wildcard):
        own = _is_own(rules, conf.upstream)
        return None if own else f"passes on to {conf.upstream}, which is not where this appliance listens"
    if not _is_site(rules, str(conf.root)):
        return f"leads to {conf.root}, which is no site of this appliance"
    if conf.earlier and not _is_earlier(rules, str(conf.earlier)):
        return f"leads to {conf.earlier} as well, where no files of earlier releases are"
    return None


def _is_own(rules: Rules, upstream: str) -> bool:
    """On this host's loopback, or at the one address that root knows of."""
    address = upstream.rpartition(":")[0].strip("[]")
    return address in {"127.0.0.1", "::1", rules.host}


def _difference(rules: Rules, host: str, text: str) -> str:
    """The first line that isn't as a file with allowed values would have it."""
    lines = text.split("\n")
    found = (match[1] for line in lines if (match := re.fullmatch(r"    root (\S+);", line)))
    root = next((value for value in found if _is_site(rules, value)), f"{rules.data}/sites/project/environment")
    try:
        ours = render(SiteConf(host, Path(root), rules.listen)).split("\n")
    except HostFailed:
        return "is not named after a host"
    pairs = enumerate(zip_longest(lines, ours), 1)
    number, line = next(((number, given) for number, (given, own) in pairs if given != own), (len(lines), ""))
    return f"line {number} is not as Homeport writes it: {(line or '')[:80]!r}"


def _is_site(rules: Rules, root: str) -> bool:
    """A pointer, or a link behind it that is named after the rules."""
    project, slash, link = root.removeprefix(f"{rules.data}/sites/").partition("/")
    whole = f"{rules.data}/sites/{project}{slash}{link}"
    environment, at, key = link.partition("@")
    named = NAME.fullmatch(project) and NAME.fullmatch(environment) and (not at or _KEY.fullmatch(key))
    return root == whole and bool(named)


def _is_earlier(rules: Rules, folder: str) -> bool:
    return re.fullmatch(r"[1-9][0-9]{0,18}", folder.removeprefix(f"{rules.data}/earlier/")) is not None


def _content(rules: Rules, folder: int, name: str) -> bytes:
    """A candidate's bytes: opened without following or waiting, then looked at. What is open can't be swapped."""
    try:
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError as why:
        raise _refused(name, f"can't be opened: {os.strerror(why.errno or 0)}") from why
    with _opened(file):
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode):
            raise _refused(name, "is not a plain file")
        _owned(rules, name, found)
        if found.st_size > MOST_BYTES:
            raise _refused(name, f"is larger than {MOST_BYTES:,} bytes")
        return os.read(file, found.st_size + 1)


def _owned(rules: Rules, name: str, found: os.stat_result) -> None:
    if found.st_uid != rules.uid:
        raise _refused(name, f"belongs to {trust.user_name(found.st_uid)}, not to {rules.user}")


def _refuse_taken(rules: Rules, before: Texts, changes: Texts) -> None:
    """A name that another site on this host has stays that site's."""
    for host, text in changes.items():
        name = read(text).server_name if text else ""
        new = name and f"server_name {name};" not in (before.get(host) or "")
        if taken := names.taken(rules.settings, host, name) if new else None:
            raise Conflict(taken, code="nginx_taken", todo=("Choose another host name, or take it out there.",))


def _apply(hands: Direct, before: Texts, changes: Texts) -> bool:
    """Put the changes in force, or everything back. NGINX reads its files in any case: it may not have before."""
    try:
        return hands.apply(changes)
    except HomeportError as why:
        try:
            hands.apply({host: before.get(host) for host in changes})
        except HomeportError as worse:
            detail = f"{why.detail} Putting everything back failed as well: {worse.detail}"
            raise HostFailed(detail, code=why.code, todo=why.todo, said=why.said) from why
        raise


def _trusted(place: Path) -> None:
    try:
        flaw = trust.flaw(place)
    except FileNotFoundError as why:
        raise Refused(f"{place} is not there.", todo=("Run `homeport install` as root again.",)) from why
    if flaw:
        todo = ("Give it to root and close it to others, then run `homeport install` again.",)
        raise Refused(
            f"Someone other than root could change {place}: {flaw}. Nothing is done while that is so.", todo=todo
        )


def _is_roots(file: Path) -> bool:
    found = file.lstat()
    return stat.S_ISREG(found.st_mode) and found.st_uid == 0 and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _refused(name: str, why: str) -> Refused:
    shown = name.encode(errors="backslashreplace").decode()
    return Refused(f"{shown} {why}. Nothing was changed.", code="nginx_text")


def _forget_the_surroundings() -> None:
    """Nothing of whoever started this reaches NGINX's commands."""
    os.environ.clear()
    os.environ.update({"PATH": PATH, "LC_ALL": "C.UTF-8"})
    os.umask(0o022)
    os.chdir("/")


@dataclass(frozen=True)
class _Caller:
    """Who asked: the appliance on a socket from systemd, or root at a terminal."""

    word: str
    client: socket.socket | None = None

    def reply(self, text: str) -> None:
        if self.client is None:
            sys.stdout.write(text)
        else:
            self.client.sendall(text.encode())


@contextmanager
def _caller(rules: Rules) -> Iterator[_Caller]:
    if not stat.S_ISSOCK(os.fstat(0).st_mode):
        yield _Caller(sys.stdin.readline(LONGEST_WORD).strip())
        return
    with socket.socket(fileno=os.dup(0)) as client:
        _known(rules, client)
        client.settimeout(PATIENCE)
        yield _Caller(_word(client), client)


def _known(rules: Rules, client: socket.socket) -> None:
    """The socket's file lets only the appliance's group in; this says so once more of who really called."""
    _, uid, _ = struct.unpack("3i", client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    if uid not in (0, rules.uid):
        raise Refused(f"{trust.user_name(uid)} may not ask the root helper for anything.")


def _word(client: socket.socket) -> str:
    """Up to the end of the line, or of what is sent."""
    heard = b""
    while b"\n" not in heard and len(heard) < LONGEST_WORD:
        more = client.recv(LONGEST_WORD)
        if not more:
            break
        heard += more
    return heard.decode("ascii", "replace").strip()[:60]


@contextmanager
def _alone(config: Path) -> Iterator[None]:
    """One at a time. The lock is on a file that only root can open."""
    with _opened(os.open(config, os.O_RDONLY | os.O_CLOEXEC)) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def _opened(file: int) -> Iterator[int]:
    try:
        yield file
    finally:
        os.close(file)
