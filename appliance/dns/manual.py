"""DNS by hand: says exactly what to type, and looks until it is there."""

from appliance.dns.base import Config, Provider, Record, Target
from appliance.errors import RemoteFailed
from appliance.model.checks import Check

BY_HAND = "dns_by_hand"


class Manual(Provider):
    """Makes nothing and removes nothing."""

    name = "manual"
    title = "By hand"
    config = Config

    def point(self, host: str, target: str, *, proxied: bool) -> Record:
        wanted = Target.parse(target)
        if not self._leads(host, wanted):
            line = f"{host}. {self.settings.dns_ttl} IN {wanted.type} {_dotted(wanted)}"
            raise _waiting(f"{host} does not lead to {wanted.content} yet.", line)
        return Record(host, wanted.type, wanted.content, ours=False)

    def remove(self, host: str) -> bool:
        return False

    def ours(self, known: tuple[str, ...]) -> list[Record]:
        return []

    def set_txt(self, name: str, value: str) -> None:
        if not self.served(name, value):
            raise _waiting(f"{name} has no TXT record {value} yet.", f'{name}. 60 IN TXT "{value}"')

    def remove_txt(self, name: str, value: str) -> None:
        pass

    def check(self, hosts: tuple[str, ...]) -> list[Check]:
        try:
            wanted = Target.parse(self.settings.dns_target)
        except RemoteFailed as why:
            return [Check("dns.target", "failed", why.detail, " ".join(why.todo))]
        if not hosts:
            return [Check("dns.manual", "ok", "Nothing to look for yet: there are no URLs.")]
        return [self._looked(host, wanted) for host in hosts]

    def _looked(self, host: str, wanted: Target) -> Check:
        if self._leads(host, wanted):
            return Check(f"dns.{host}", "ok", f"{host} leads to {wanted.content}.")
        line = f"{host}. {self.settings.dns_ttl} IN {wanted.type} {_dotted(wanted)}"
        return Check(
            f"dns.{host}", "failed", f"{host} does not lead to {wanted.content}.", f"Make the record “{line}”."
        )

    def _leads(self, host: str, wanted: Target) -> bool:
        from appliance.machine import nameservers  # and with it a resolver

        through = self.settings.dns_resolver
        name = host.replace("*", "homeport-looks", 1)  # a wildcard is seen at a name that it stands for
        servers = nameservers.of_zone(name, through)
        if nameservers.serve(servers, name, wanted.type, wanted.content):
            return True
        goals = {wanted.content} if wanted.type != "CNAME" else nameservers.addresses(wanted.content, through)
        return not goals.isdisjoint(nameservers.addresses(name, through))


def _dotted(wanted: Target) -> str:
    return f"{wanted.content}." if wanted.type == "CNAME" else wanted.content


def _waiting(detail: str, line: str) -> RemoteFailed:
    return RemoteFailed(
        detail,
        permanent=False,
        code=BY_HAND,
        todo=(f"Where its zone is kept, make the record “{line}”.", "Homeport looks until it is there."),
    )
