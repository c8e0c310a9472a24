"""Putting Homeport on this host: the story, step by step. Running it again is an upgrade."""

import os
from collections.abc import Callable
from pathlib import Path

from appliance.installer import accounts
from appliance.installer.env import ENV
from appliance.installer.layout import Asked, plan
from appliance.installer.ledger import OLD, Ledger
from appliance.installer.page import keep_page
from appliance.installer.plan import Access, Plan, account_commands, start_commands
from appliance.installer.removal import reload, remove_files
from appliance.installer.show import described
from appliance.installer.state import WORDS, Found, look, refuse_conflicts
from appliance.installer.steps import Say, do, give, ids, refuse_all_but_root, tell_systemd, write
from appliance.machine import trust

ROOTS_OWN = frozenset({"nginx", "runtime", "lost+found"})  # what stays root's in the data folder


def dry_run(asked: Asked, say: Say) -> None:
    """Say everything that `install` would do, and do nothing."""
    found = look(plan(asked))
    for line in (*described(found), *_notes(found.plan)):
        say(line)
    refuse_conflicts(found)
    say("Nothing was changed.")


def install(asked: Asked, say: Say, take_over: Callable[[Path, Path], bool] = lambda data, program: False) -> None:
    """Make the host as planned. What is about to be written is noted first, so that it can always be undone.

    Where an appliance runs from an older program, `take_over` has it go on as the new one, with nothing dropped.
    """
    refuse_all_but_root()
    found = look(plan(asked))
    refuse_conflicts(found)
    if found.is_upgrade and take_over(found.plan.at(found.plan.data), found.plan.at(found.plan.program)):
        note_program(found.plan.root, found.plan.program)
        found = look(found.plan)
    ledger = _note_intent(found)
    _make_account(found, say)
    _make_folders(found, say)
    _write_files(found, say)
    ledger = _remove_obsolete(found.plan, ledger.settled(filter(found.is_ours, found.to_write)), say)
    ledger.write(found.plan.root)
    for note in _notes(found.plan):
        say(note)
    tell_systemd(found.plan.root, start_commands(found.plan.units, changed=bool(found.to_write)), say)
    say(f"Homeport is installed: its settings are in {ENV}, its data is in {found.plan.data}.")
    keep_page(found, ledger, say)


def note_program(root: Path, program: Path) -> None:
    """What an upgrade put there is ours to take off."""
    ledger = Ledger.read(root)
    if ledger:
        ledger.with_program(root, program).write(root)


def _note_intent(found: Found) -> Ledger:
    plan = found.plan
    plan.at(ENV.parent).mkdir(mode=0o755, parents=True, exist_ok=True)
    ours = filter(found.is_ours, found.to_write)
    ledger = found.ledger.intending(plan, ours, found.made, user_is_new=found.user_is_new)
    ledger.write(plan.root)
    return ledger


def _make_account(found: Found, say: Say) -> None:
    if not found.user_is_new:
        return
    plan = found.plan
    group, user = account_commands(plan.root, plan.user, plan.data)
    if accounts.gid_of(plan.root, plan.user) is None:
        do(group)
    do(user)
    say(f"The system user {plan.user} is new; nobody can sign in as it.")


def _make_folders(found: Found, say: Say) -> None:
    plan = found.plan
    _adopt(plan, say)
    for folder in plan.folders:
        there = plan.at(folder.path)
        if not there.exists():
            there.mkdir(mode=0o700, parents=True)
        give(plan, there, folder.access)
        if str(folder.path) in found.made:
            say(f"{folder.path} is new ({folder.access}).")


def _adopt(plan: Plan, say: Say) -> None:
    """The data of an appliance that ran as root becomes the new user's. Links are given away, never followed."""
    data = plan.at(plan.data)
    if not (data / "homeport.db").exists() or trust.keeper(data) != 0:
        return
    uid, gid = ids(plan, Access(0, plan.user, plan.user))
    for here, folders, files in os.walk(data):
        if here == str(data):
            folders[:] = [name for name in folders if name not in ROOTS_OWN]
        for name in (*folders, *files):
            os.chown(Path(here, name), uid, gid, follow_symlinks=False)
    say(f"What is in {plan.data} now belongs to {plan.user}.")


def _write_files(found: Found, say: Say) -> None:
    for file in found.plan.files:
        state = found.states[file.path]
        if file in found.to_write:
            write(found.plan, file)
        elif state == "same":
            give(found.plan, found.plan.at(file.path), file.access)
        if state != "same":
            say(f"{file.path} is {WORDS[state]}.")


def _remove_obsolete(plan: Plan, ledger: Ledger, say: Say) -> Ledger:
    """What an earlier install wrote and this one doesn't."""
    planned = {*(str(file.path) for file in plan.every_file), f"{plan.program}{OLD}"}
    links = [] if plan.page else list(ledger.links)
    obsolete = [*links, *(path for path in ledger.files if path not in planned)]
    remove_files(plan.root, ledger, obsolete, say)
    if links:
        reload(plan.root, plan.rules, say)
    return ledger.without(obsolete)


def _notes(plan: Plan) -> list[str]:
    """What an operator should know, and what would keep the root helper from its work."""
    places = (plan.rules.sites_available, plan.rules.sites_enabled)
    flaws = [trust.flaw(plan.at(place)) for place in places if plan.at(place).exists()]
    held_up = [f"No URL can be put in force by NGINX while {flaw}." for flaw in flaws if flaw]
    return [f"Note: {text}" for text in (*plan.notes, *held_up)]
