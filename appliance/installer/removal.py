"""Taking Homeport off this host: exactly what install wrote, and nothing that someone has edited since."""

import os
from collections.abc import Iterable
from pathlib import Path

from appliance.errors import HostFailed, NotFound
from appliance.installer import accounts
from appliance.installer.env import ENV
from appliance.installer.ledger import Ledger, is_as_written
from appliance.installer.plan import HOST, LEDGER, account_removal, stop_command
from appliance.installer.steps import Say, do, refuse_all_but_root, tell_systemd
from appliance.machine import files
from appliance.machine.process import run
from appliance.nginx.helper import Rules
from appliance.settings import Settings


def uninstall(root: Path, say: Say, *, purge: bool = False) -> None:
    """Data stays, and so do the sites that NGINX serves from it, unless it is purged."""
    refuse_all_but_root()
    ledger = Ledger.read(root)
    if ledger is None:
        raise NotFound(f"Nothing to take off: {LEDGER} is not there, so install wrote nothing on this host.")
    rules = Rules.read(ledger.rules, LEDGER)
    if ledger.units:
        tell_systemd(root, [stop_command(tuple(ledger.units))], say)
    remove_files(root, ledger, [*ledger.links, *ledger.files], say)
    if ledger.units:
        tell_systemd(root, [("systemctl", "daemon-reload")], say)
    links = _site_links(root, rules)
    if purge:
        _purge(root, ledger, links, say)
    _remove_caches(root, ledger)
    _remove_empty(root, ledger, say)
    if _at(root, ledger.data).exists():
        ledger.left(root).write(root)
        _say_what_stays(ledger, links, say)
    else:
        _remove_user(root, ledger, say)
    if ledger.links or (purge and links):
        reload(root, rules, say)


def remove_files(root: Path, ledger: Ledger, paths: Iterable[str], say: Say) -> None:
    for path in paths:
        there = _at(root, path)
        if not os.path.lexists(there):
            continue
        if _is_ours(there, ledger, path):
            there.unlink()
            say(f"{path} is removed.")
        else:
            say(f"{path} was edited since it was installed, and is left.")


def _is_ours(there: Path, ledger: Ledger, path: str) -> bool:
    if path in ledger.links:
        return there.is_symlink() and os.readlink(there) == ledger.links[path]
    return is_as_written(there, ledger.files[path])


def _purge(root: Path, ledger: Ledger, links: list[Path], say: Say) -> None:
    """Links first: NGINX would not start with one that leads nowhere. Settings hold secrets, so they go in any case."""
    for link in links:
        link.unlink()
    files.remove_tree(_at(root, ledger.data))
    say(f"{ledger.data} is removed, and {_urls(links)} with it.")
    if _at(root, str(ENV)).exists():
        _at(root, str(ENV)).unlink()
        say(f"{ENV} is removed, with what someone wrote in it.")


def _remove_user(root: Path, ledger: Ledger, say: Say) -> None:
    """Only where no data is left: its number could be given to someone else, who would own it then."""
    if ledger.user and accounts.uid_of(root, ledger.user) is not None:
        do(account_removal(root, ledger.user))
        say(f"The user {ledger.user} is removed.")


def _remove_caches(root: Path, ledger: Ledger) -> None:
    """Late, as this very program may run from one of them."""
    for cache in (*ledger.caches, f"{ledger.data}/runtime"):
        files.remove_tree(_at(root, cache))


def _remove_empty(root: Path, ledger: Ledger, say: Say) -> None:
    """Folders that we made and that hold nothing any more. Where data stays, the ledger is written anew."""
    _at(root, str(LEDGER)).unlink()
    for path in (*reversed(ledger.folders), ledger.data):
        folder = _at(root, path)
        kept = path == str(LEDGER.parent) and _at(root, ledger.data).exists()
        if folder.is_dir() and not any(folder.iterdir()) and not kept:
            folder.rmdir()
            say(f"{path} is removed.")


def _say_what_stays(ledger: Ledger, links: list[Path], say: Say) -> None:
    say(f"{ledger.data} stays, with all that was deployed. `homeport install --uninstall --purge` removes it.")
    if links:
        say(f"NGINX still serves {_urls(links)} from it.")
    if ledger.user:
        say(f"The user {ledger.user} stays, since the data is its own.")


def _urls(links: list[Path]) -> str:
    count = len({link.name for link in links})
    return f"{count} URL" if count == 1 else f"{count} URLs"


def _site_links(root: Path, rules: Rules) -> list[Path]:
    """What the root helper linked: links of our naming that lead into the data folder, and nothing else."""
    places = [_at(root, str(place)) for place in (rules.sites_enabled, rules.sites_available)]
    links = [link for place in places for link in sorted(place.glob("homeport-*.conf")) if link.is_symlink()]
    return [link for link in links if os.path.dirname(os.readlink(link)) == str(rules.data / "nginx")]


def reload(root: Path, rules: Rules, say: Say) -> None:
    """Under another root only by a command that was named for it: the host's own NGINX has nothing to do with that."""
    if root != HOST and rules.reload == Settings.nginx_reload:
        return
    try:
        ok = run(rules.reload, timeout=60).ok
    except HostFailed:
        ok = False
    words = " ".join(rules.reload)
    say("NGINX has read what is left." if ok else f"Note: `{words}` failed, so NGINX reads it at its next start.")


def _at(root: Path, path: str) -> Path:
    return root / path.removeprefix("/")
