"""What an installation finds: how each file of the plan stands to what is there."""

import os
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import Conflict
from appliance.installer import accounts
from appliance.installer.ledger import Ledger, is_as_written
from appliance.installer.plan import File, Link, Plan
from appliance.machine import trust

WORDS = {
    "new": "new",
    "same": "as it is",
    "changed": "changed",
    "edited": "edited since it was installed, and left as it is",
    "merged": "changed, with what someone wrote in it kept",
    "foreign": "in the way: Homeport did not write it",
}


@dataclass(frozen=True)
class Found:
    """The host before anything is done."""

    plan: Plan
    ledger: Ledger
    states: dict[Path, str]
    user_is_new: bool
    made: tuple[str, ...]  # folders that will be made

    @property
    def to_write(self) -> tuple[File, ...]:
        return tuple(file for file in self.plan.files if self.states[file.path] in ("new", "changed", "merged"))

    @property
    def is_upgrade(self) -> bool:
        """Whether another program is to take the place of the one that is here."""
        return any(file.path == self.plan.program and self.states[file.path] == "changed" for file in self.to_write)

    @property
    def wants_restart(self) -> bool:
        return any(file.path != self.plan.program or not self.is_upgrade for file in self.to_write)

    def is_ours(self, file: File) -> bool:
        """Whether what is there after writing is all our own, and uninstall may remove it."""
        return self.states[file.path] in ("new", "changed")


def look(plan: Plan) -> Found:
    """What is there, and whether the plan can be carried out; Conflict names what is in the way."""
    ledger = Ledger.read(plan.root) or Ledger()
    states = {file.path: _state(plan, ledger, file) for file in plan.every_file}
    return Found(plan, ledger, states, accounts.uid_of(plan.root, plan.user) is None, tuple(_missing_folders(plan)))


def refuse_conflicts(found: Found) -> None:
    plan, ledger = found.plan, found.ledger
    foreign = [path for path, state in found.states.items() if state == "foreign"]
    if foreign:
        raise _in_the_way(f"{foreign[0]} is there already, and Homeport did not write it.", f"Move {foreign[0]} away.")
    if plan.page and _is_foreign(plan, plan.page.link):
        raise _in_the_way(
            f"{plan.page.link.path} is there already, and leads elsewhere.", f"Move {plan.page.link.path} away."
        )
    if ledger.data and ledger.data != str(plan.data):
        raise _in_the_way(
            f"Homeport is installed with its data in {ledger.data}, and install moves nothing to {plan.data}.",
            f"Use --data {ledger.data}, or run `homeport install --uninstall` first.",
        )
    _refuse_open_ways(plan)
    _refuse_owners(plan)


def _state(plan: Plan, ledger: Ledger, file: File) -> str:
    there, hashes = plan.at(file.path), ledger.files.get(str(file.path))
    if not there.exists() and not there.is_symlink():
        return "new"
    if there.is_symlink() or not there.is_file():
        return "foreign"
    if there.read_bytes() == file.content:
        return "same"
    if hashes is not None and (file.edits == "replace" or is_as_written(there, hashes)):
        return "changed"
    if file.edits == "merge":
        return "merged"
    return "foreign" if hashes is None else "edited"


def _is_foreign(plan: Plan, link: Link) -> bool:
    there = plan.at(link.path)
    if not os.path.lexists(there):
        return False
    return not there.is_symlink() or os.readlink(there) != link.target


def _missing_folders(plan: Plan) -> list[str]:
    wanted = [part for folder in plan.folders for part in (*reversed(folder.path.parents), folder.path)]
    wanted += [part for file in plan.files for part in reversed(file.path.parents)]
    return [str(path) for path in dict.fromkeys(wanted) if not plan.at(path).exists()]


def _refuse_open_ways(plan: Plan) -> None:
    """Root is about to keep NGINX's files there: nobody else may be able to swap what is above them."""
    above = next(path for path in plan.data.parents if plan.at(path).exists())
    flaw = trust.flaw(plan.at(above))
    if flaw:
        raise _in_the_way(
            f"{plan.data} is no place for the data folder of a service: {flaw}.", "Choose one below /var/lib or /srv."
        )


def _refuse_owners(plan: Plan) -> None:
    data, nginx = plan.at(plan.data), plan.at(plan.data / "nginx")
    allowed = (0, accounts.uid_of(plan.root, plan.user))
    for place, owners in ((data, allowed), (nginx, (0,))):
        if place.is_symlink():
            raise _in_the_way(f"{place} is a symbolic link.", f"Name the folder itself: {place.resolve()}.")
        if place.exists() and place.stat().st_uid not in owners:
            owner = trust.user_name(place.stat().st_uid)
            raise _in_the_way(f"{place} belongs to {owner}.", f"Stop what uses it, then `chown root {place}`.")


def _in_the_way(detail: str, *todo: str) -> Conflict:
    return Conflict(
        f"{detail} Nothing was changed.", code="install_conflict", todo=(*todo, "Run `homeport install` again.")
    )
