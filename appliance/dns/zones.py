"""What is asked of whoever keeps zones. A provider that answers this needs little more."""

from abc import ABC, abstractmethod

from appliance.dns.plan import Plan
from appliance.dns.rows import Row, Zone
from appliance.errors import RemoteFailed


class Zones(ABC):
    """Raises RemoteFailed, permanent or not; Overtaken where somebody else was faster."""

    @abstractmethod
    def find(self, host: str) -> Zone | None:
        """The zone with the longest name that holds this host."""

    @abstractmethod
    def lacking(self, host: str) -> RemoteFailed:
        """The words for a host that no zone holds."""

    @abstractmethod
    def rows(self, zone: Zone, host: str) -> list[Row]:
        """The A, AAAA and CNAME records of exactly this host name, each with its mark."""

    @abstractmethod
    def apply(self, zone: Zone, plan: Plan) -> None:
        """Carry a plan out, all of it or none where that can be had."""

    @abstractmethod
    def marked(self, mark: str, known: tuple[str, ...]) -> list[Row]:
        """Every row whose mark begins so. `known` are names to look at where nothing is listed."""

    @abstractmethod
    def add_txt(self, zone: Zone, name: str, value: str, mark: str) -> None:
        """One more value among the TXT records of a name; nothing where it is there already."""

    @abstractmethod
    def drop_txt(self, zone: Zone, name: str, value: str, mark: str) -> None:
        """Only this value goes."""
