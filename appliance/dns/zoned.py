"""The part that every provider with zones of its own has in common."""

from abc import abstractmethod
from contextlib import AbstractContextManager

from appliance.dns.base import Provider, Record, Target
from appliance.dns.records import Records
from appliance.errors import RemoteFailed
from appliance.model.checks import Check


class Zoned(Provider):
    """A provider says how its zones are reached and what its Test looks at; the rest is the same for all."""

    @abstractmethod
    def records(self) -> AbstractContextManager[Records]:
        """The records as this provider keeps them, for the length of one call."""

    @abstractmethod
    def look(self, hosts: tuple[str, ...]) -> list[Check]:
        """What the Test finds once everything that is needed has been set."""

    def point(self, host: str, target: str, *, proxied: bool) -> Record:
        wanted = Target.parse(target)
        with self.records() as records:
            return records.point(host, wanted, proxied=proxied and self.proxies)

    def remove(self, host: str) -> bool:
        with self.records() as records:
            return records.remove(host)

    def ours(self, known: tuple[str, ...]) -> list[Record]:
        with self.records() as records:
            return records.ours(known)

    def set_txt(self, name: str, value: str) -> None:
        with self.records() as records:
            records.set_txt(name, value)

    def remove_txt(self, name: str, value: str) -> None:
        with self.records() as records:
            records.remove_txt(name, value)

    def check(self, hosts: tuple[str, ...]) -> list[Check]:
        missing = self.config.of(self.settings).missing()
        if missing:
            mend = "Enter it in Settings, DNS."
            return [Check(f"dns.{self.name}", "failed", f"{one.label} is missing.", mend) for one in missing]
        try:
            return self.look(hosts)
        except RemoteFailed as why:
            return [Check(f"dns.{self.name}", "failed", why.detail, " ".join(why.todo))]
