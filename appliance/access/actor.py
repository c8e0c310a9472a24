"""Who is doing something, and through which door."""

from dataclasses import dataclass, field

from appliance.access.powers import Powers


@dataclass(frozen=True)
class Actor:
    kind: str  # person, key, homeport, nobody
    name: str
    role: str = ""
    person_id: str = ""
    session: str = ""
    door: str = "api"  # browser, api, host, job
    ip: str | None = None
    key_id: str = ""
    confirmed_at: str = field(default="", compare=False)  # when a session last showed who it is
    lacks_factor: bool = field(default=False, compare=False)  # one is required here, and there is none yet
    cut_key: bool = field(default=False, compare=False)  # nobody, who sent part of a key
    powers: Powers | None = field(default=None, compare=False, repr=False)  # where they differ from what the role gives

    @property
    def signed_in(self) -> bool:
        return self.kind != "nobody"

    @property
    def id(self) -> str:
        """Tells actors apart, also two keys of one person."""
        return f"{self.kind}:{self.person_id}:{self.key_id or self.name}"


HOMEPORT = Actor("homeport", "Homeport", door="job")
OPERATOR = Actor("homeport", "Homeport", door="host")


def nobody(ip: str | None = None) -> Actor:
    return Actor("nobody", "nobody", ip=ip)
