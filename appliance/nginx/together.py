"""Many URLs in one reload. One that can't be put in force is found, and fails alone with its own words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from appliance.errors import HomeportError
from appliance.machine import files
from appliance.nginx import force
from appliance.nginx.hands import Hands, Texts, hands_for
from appliance.nginx.template import SiteConf, render
from appliance.settings import Settings

OF_ONE = frozenset({"nginx_refused", "nginx_taken", "nginx_hash", "nginx_file"})  # a test's no that may be about one
TRIES = 24  # reloads, before those that are left share what was said last
T = TypeVar("T")
Changes = Mapping[str, SiteConf | None]
Refusals = dict[str, HomeportError]


def put_each(settings: Settings, changes: Changes, log: force.Log, hands: Hands | None = None) -> Refusals:
    """Put these URLs in force, or out of it, all together; says which were refused, each with why."""
    batch = _Batch(settings, log, hands or hands_for(settings))
    batch.put(changes)
    return batch.refused


@dataclass
class _Batch:
    settings: Settings
    log: force.Log
    hands: Hands
    refused: Refusals = field(default_factory=dict)
    tries: int = 0

    def put(self, changes: Changes) -> None:
        """What is to blame is taken out, until the rest is in force."""
        while changes:
            self.tries += 1
            try:
                with files.refusals():
                    force.put(self.settings, changes, self.log, self.hands)
                return
            except HomeportError as why:
                bad = self._to_blame(changes, why)
                if bad is None:
                    for half in _halves(changes):
                        self.put(half)
                    return
            self.refused |= bad
            changes = {host: conf for host, conf in changes.items() if host not in bad}

    def _to_blame(self, changes: Changes, why: HomeportError) -> Refusals | None:
        """Who it is, each with its own words; None when only trying them apart can tell."""
        everyone = dict.fromkeys(changes, why)
        if len(changes) == 1 or self.tries >= TRIES:
            return everyone
        if isinstance(why, force.NotSeen):
            return {host: force.no_answer({host: wrong}) for host, wrong in why.red.items() if host in changes} or None
        if why.code in OF_ONE and self._passes({}):
            return self._refused_alone(_texts(changes)) or everyone
        return everyone

    def _refused_alone(self, texts: Texts) -> Refusals:
        """Found by halves, without a reload."""
        try:
            self.hands.test(texts)
        except HomeportError as why:
            if len(texts) == 1:
                return dict.fromkeys(texts, why)
            first, second = _halves(texts)
            return self._refused_alone(first) | self._refused_alone(second)
        return {}

    def _passes(self, texts: Texts) -> bool:
        try:
            self.hands.test(texts)
        except HomeportError:
            return False
        return True


def _texts(changes: Changes) -> Texts:
    return {host: render(conf) if conf else None for host, conf in changes.items()}


def _halves(those: Mapping[str, T]) -> tuple[dict[str, T], dict[str, T]]:
    hosts = list(those)
    middle = len(hosts) // 2
    return {host: those[host] for host in hosts[:middle]}, {host: those[host] for host in hosts[middle:]}
