"""Putting URLs in force as one transaction: test, swap, reload, look, and take it all back when something went red."""

import ssl
import threading
from collections.abc import Callable, Iterable, Mapping, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from secrets import SystemRandom
from typing import Self

from appliance.errors import Conflict, HomeportError, HostFailed
from appliance.machine import files, served
from appliance.machine.http import certificate_shown
from appliance.nginx import gate, passing, paths, standing, version
from appliance.nginx.hands import Hands, Texts, hands_for
from appliance.nginx.template import Conf, SiteConf, read, render
from appliance.nginx.wildcard import KEY
from appliance.settings import Settings

PATIENCE = 5.0  # seconds for NGINX's new workers to answer
EACH = 0.01  # and so much more for each file that NGINX has to read before, on a slow host
OLD_WORKERS = 0.2  # NGINX lets them go on for a tenth of a second beside the new ones
LOOK_EVERY = 0.05
MOMENT = 1.0
LOOKS = 8  # at a time
OTHERS = 16  # how many of those that don't change are looked at before and after
Log = Callable[[str], None]

_ONE_AT_A_TIME = threading.Lock()


class NotSeen(HostFailed):
    """NGINX took a change, and then these did not answer as they should; it was taken back."""

    def __init__(self, detail: str, red: Mapping[str, str], *, todo: tuple[str, ...] = ()) -> None:
        said = "\n".join(f"{host}: {wrong}" for host, wrong in red.items())
        super().__init__(detail, code="nginx_red", todo=todo, said=said)
        self.red = dict(red)


def put(settings: Settings, changes: Mapping[str, Conf | None], log: Log, hands: Hands | None = None) -> bool:
    """Put these URLs in force, or out of it; says whether there was anything to do. Failing leaves all as it was."""
    hands = hands or hands_for(settings)
    with _ONE_AT_A_TIME:
        edited = _edited(settings, changes)
        for host in edited:
            log(_left(settings, host, changes[host]))
        differing = _differing(settings, {host: conf for host, conf in changes.items() if host not in edited})
        if not differing and changes.keys().isdisjoint(_unread_hosts(settings)):
            return False
        return _transact(settings, differing, log, hands)


def reconcile(
    settings: Settings,
    wanted: Mapping[str, SiteConf],
    log: Log,
    hands: Hands | None = None,
    *,
    kept: Set[str] = frozenset(),
) -> bool:
    """Make exactly these URLs be in force: for a start after a stop in the middle. Edits by hand stay.

    The server for deployments is no URL, and comes and goes by itself.

    A file that another version made looks like an edit as well, so the first start of a version keeps only those of
    which someone said so.
    """
    hands = hands or hands_for(settings)
    with _ONE_AT_A_TIME:
        edited = set(kept) if version.is_new(settings) else _edited(settings, wanted)
        everything = {**dict.fromkeys(hands.traces() - {KEY}), **wanted}
        changes = _differing(settings, {host: conf for host, conf in everything.items() if host not in edited})
        done = _transact(settings, changes, log, hands)
        version.note(settings)
        return done


def restore(settings: Settings, confs: Mapping[str, Conf], log: Log, hands: Hands | None = None) -> bool:
    """Put these in force whatever was edited by hand."""
    with _ONE_AT_A_TIME:
        return _transact(settings, _differing(settings, confs), log, hands or hands_for(settings))


def edited(settings: Settings, host: str) -> bool:
    """Whether its file, in place, is not as Homeport writes it."""
    text = paths.text_in_place(settings, host)
    return text is not None and _readable(text) is None


def has_trace(settings: Settings, host: str) -> bool:
    """Whether there is anything of ours for this host, whole or not."""
    return standing.has_trace(settings, host)


def in_place(settings: Settings) -> dict[str, standing.Standing]:
    """The hosts whose file and links are in place, whatever the file leads to."""
    return standing.look(settings)


def in_force(settings: Settings) -> dict[str, SiteConf]:
    """The URLs that are in place now, and what they lead to."""
    texts = _texts(settings, standing.look(settings))
    return {host: conf for host, text in texts.items() if text and isinstance(conf := _readable(text), SiteConf)}


def probe_address(listen: str) -> served.Address:
    """Where to knock on this host for one of NGINX's listen values."""
    address, _, port = listen.rpartition(":")
    return {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "[::]": "::1"}.get(address, address.strip("[]")), int(port)  # noqa: S104


def _edited(settings: Settings, wanted: Mapping[str, Conf | None]) -> set[str]:
    return {host for host, conf in wanted.items() if conf and edited(settings, host)}


def _left(settings: Settings, host: str, conf: Conf | None) -> str:
    """An edit stays, where it leads to the same files; where it doesn't, nobody may be left to believe it did."""
    text = paths.text_in_place(settings, host) or ""
    if conf and any(line not in text for line in (*conf.essence, *gate.essence(conf))):
        raise Conflict(
            f"The NGINX file of {host} was edited by hand, and would have to change for this.",
            code="nginx_edited",
            todo=("Look at it in Settings, NGINX, or with `homeport nginx status`.", "Restore it, then try again."),
        )
    return f"The NGINX file of {host} was edited by hand, and stays as it is"


def _differing(settings: Settings, wanted: Mapping[str, Conf | None]) -> Texts:
    """What has to change. Of a host to be taken out, any part that is left counts."""
    unwanted = sorted(host for host, conf in wanted.items() if conf is None)
    changes: dict[str, str | None] = dict.fromkeys(host for host in unwanted if standing.has_trace(settings, host))
    for host, conf in wanted.items():
        if conf and (text := render(conf)) != paths.text_in_place(settings, host):
            changes[host] = text
    return changes


def _transact(settings: Settings, changes: Texts, log: Log, hands: Hands) -> bool:
    unread = _unread(settings)
    if not changes and not unread.exists():
        return False
    before = _texts(settings, changes)
    for host, text in changes.items():
        log(f"NGINX configuration changes: {host} {_change(before[host], text)}")
    log(f"{' '.join(settings.nginx_test)}, with the change in a copy")
    hands.test(changes)
    watch = _Watch.begin(settings, before)
    files.write_whole(unread, "\n".join(changes), sync=False)  # a host that loses its power reads all files anyway
    try:
        settled = hands.apply(changes)
        log(f"NGINX reads {len(changes)} changed {'file' if len(changes) == 1 else 'files'}")
        watch.see(changes, settled=settled)
        watch.see_gone(changes)
    except HomeportError as why:
        end = _take_back(unread, hands, before, watch)
        log(end)
        raise _ended(why, end) from why
    unread.unlink()
    version.begin(settings)
    return True


def _ended(why: HomeportError, end: str) -> HostFailed:
    if isinstance(why, NotSeen):
        return NotSeen(f"{why.detail} {end}", why.red, todo=why.todo)
    return HostFailed(f"{why.detail} {end}", code=why.code, todo=why.todo, said=why.said)


def _texts(settings: Settings, hosts: Iterable[str]) -> dict[str, str | None]:
    return {host: paths.text_in_place(settings, host) for host in hosts}


@dataclass(frozen=True)
class _Watch:
    """What answered before a change, of what it touches and of a few others."""

    before: Texts
    green: frozenset[str]
    patience: float

    @classmethod
    def begin(cls, settings: Settings, changing: Texts) -> Self:
        others = paths.hosts_in(settings) - changing.keys()
        some = SystemRandom().sample(sorted(others), min(OTHERS, len(others)))  # other ones each time
        texts = {**_texts(settings, some), **changing}
        green = frozenset(host for host, wrong in _look_at(texts).items() if wrong is None)
        return cls(texts, green, PATIENCE + EACH * (len(others) + len(changing)))

    def see(self, changes: Texts, *, settled: bool) -> None:
        """Wait until what is new answers, and what answered before still does.

        Until it is settled, old workers may answer beside new ones: once is not enough then.
        """
        texts = {**self.before, **changes}
        watched = {host: text for host, text in texts.items() if text and (host in self.green or host in changes)}
        new = {host: text for host, text in watched.items() if host in changes}
        red: dict[str, str] = {}

        def all_green() -> bool:
            """What is new first: until NGINX has read it, there is no point in keeping it busy with the rest."""
            red.clear()
            for part in (new, {host: text for host, text in watched.items() if host not in new}):
                red.update({host: wrong for host, wrong in _look_at(part).items() if wrong})
                if red:
                    return False
            return True

        if settled:
            seen = served.until(all_green, self.patience, longest=LOOK_EVERY)
        else:
            seen = served.steady(all_green, self.patience, OLD_WORKERS, longest=LOOK_EVERY)
        if not seen:
            raise _not_seen(red, changes)

    def see_gone(self, changes: Texts) -> None:
        """Give the old workers a moment to end. Another site may well send the same, so this proves nothing."""
        gone = {host: self.before[host] for host in self.green & changes.keys() if changes[host] is None}
        if gone:
            served.until(lambda: all(_look_at(gone).values()), MOMENT)


def _not_seen(red: Mapping[str, str], changes: Texts) -> NotSeen:
    ours = {host: wrong for host, wrong in red.items() if host in changes}
    if ours:
        return no_answer(ours)
    host, wrong = next(iter(red.items()))
    return NotSeen(f"With the change {host} no longer answered as before: {wrong}.", red)


def no_answer(red: Mapping[str, str]) -> NotSeen:
    host, wrong = next(iter(red.items()))
    return NotSeen(
        f"NGINX took the change, but {host} does not answer with its site: {wrong}.",
        red,
        todo=("Look in NGINX's error log.", "Look for another file that has its name or its address: `nginx -T`."),
    )


def _take_back(unread: Path, hands: Hands, before: Texts, watch: _Watch) -> str:
    """Put everything back as it was, and say what came of it."""
    names = ", ".join(before)
    try:
        watch.see({}, settled=hands.apply(before))
    except HomeportError as worse:
        return f"Taking the change back failed as well ({names}): {worse.detail}"
    unread.unlink()
    return f"The change was taken back: {names}."


def _look_at(texts: Texts) -> dict[str, str | None]:
    """What is wrong with each host's answer now, asked side by side."""
    confs = [conf for text in texts.values() if text and (conf := _readable(text))]
    with ThreadPoolExecutor(LOOKS) as pool:
        return dict(zip((conf.host for conf in confs), pool.map(_amiss, confs), strict=True))


def _amiss(conf: Conf) -> str | None:
    address = probe_address(conf.listen[0])
    if isinstance(conf, SiteConf) and conf.https:
        return _amiss_by_tls(conf)
    if isinstance(conf, SiteConf):
        return _first_answer(conf, address).amiss(address, conf.host)
    return passing.amiss(address, conf.domain)


def _amiss_by_tls(conf: SiteConf) -> str | None:
    """Its own certificate has to be the one that is shown, and the site what comes by it."""
    address = probe_address(conf.listen_tls[0])
    shown = certificate_shown(address, served.named(conf.host))
    if shown is None:
        return f"nothing speaks TLS at port {address[1]}"
    try:
        own = conf.certificate.read_text("ascii").partition("-----END CERTIFICATE-----")
    except OSError as why:
        return f"its certificate {conf.certificate} can't be read: {why.strerror}"
    if shown != ssl.PEM_cert_to_DER_cert(own[0] + own[1]):
        return f"another certificate is shown at port {address[1]}"
    return _first_answer(conf, address, secure=True).amiss(address, conf.host, secure=True)


def _first_answer(conf: SiteConf, address: served.Address, *, secure: bool = False) -> served.Expected:
    before = served.before_site(conf.front, address, conf.host, secure=secure)
    return before or served.at_a_glance(conf.root, conf.rules, conf.guard)


def _readable(text: str) -> Conf | None:
    try:
        return read(text)
    except HostFailed:
        return None


def _change(before: str | None, text: str | None) -> str:
    return "is taken out" if text is None else "is new" if before is None else "is written anew"


def _unread_hosts(settings: Settings) -> set[str]:
    try:
        return set(_unread(settings).read_text("utf-8").split())
    except FileNotFoundError:
        return set()


def _unread(settings: Settings) -> Path:
    """There while NGINX may not have read what is in the files: a kill in between is found on the next start."""
    return settings.data / "nginx.unread"
