"""An invitation: a link by which one person can make one account."""

from dataclasses import dataclass
from typing import Annotated, Self

from appliance.model.fields import Reader
from appliance.model.grants import grantable
from appliance.model.people import ROLES, email_address, new_password, role_name
from appliance.model.places import Place


@dataclass(frozen=True)
class Promised:
    """What will be granted to whoever accepts."""

    project: str
    environment: Annotated[str | None, "The environment; none for the whole project"]
    role: Annotated[str, "`viewer`, `developer` or `admin`"]
    at: Place


@dataclass(frozen=True)
class Invitation:
    id: str
    email: str
    role: str
    grants: tuple[Promised, ...]
    created_at: str
    created_by: str
    maker_id: str | None  # none for one that Homeport made: it can't be taken to hold more than a person
    expires_at: str
    joining: bool = False  # asked for by somebody with an address in a domain that may join


@dataclass(frozen=True)
class NewPromise:
    project: Annotated[str, "The project"]
    role: Annotated[str, "`viewer`, `developer` or `admin`"]
    environment: Annotated[str | None, "The environment; the whole project when left out"] = None

    @classmethod
    def parse(cls, raw: object) -> Self:
        reader = Reader(raw)
        project = reader.checked("project", str.strip, missing="Name a project")
        role = reader.checked("role", grantable, missing="Choose a role")
        environment = reader.checked("environment", str.strip, optional=True)
        reader.done()
        return cls(project or "", role or "", environment)


@dataclass(frozen=True)
class NewInvitation:
    email: Annotated[str, "Whom it is for: no other address can be entered with it"]
    role: Annotated[str, "`owner`, `admin`, `developer`, `viewer` or `none`"]
    grants: Annotated[tuple[NewPromise, ...], "What is granted besides, in single projects"] = ()

    @classmethod
    def parse(cls, raw: object) -> Self:
        reader = Reader(raw)
        email = reader.checked("email", email_address, missing="Enter an e-mail address")
        role = reader.checked("role", role_name, missing=f"Choose one of {', '.join(ROLES)}")
        grants = reader.each("grants", NewPromise.parse)
        if len({(one.project, one.environment) for one in grants}) < len(grants):
            reader.wrong("grants", "Name each place once")
        reader.done()
        return cls(email or "", role or "", grants)


@dataclass(frozen=True)
class Acceptance:
    token: Annotated[str, "What the link has after `token=`"]
    password: Annotated[str, "At least 12 characters, at most 72 bytes"]

    @classmethod
    def parse(cls, raw: object) -> Self:
        reader = Reader(raw)
        token = reader.text("token", missing="The link is incomplete; open it again", most=200)
        password = reader.checked("password", new_password, missing="Enter a password")
        reader.done()
        return cls(token, password or "")


@dataclass(frozen=True)
class Joining:
    email: Annotated[str, "An address in a domain that may join"]

    @classmethod
    def parse(cls, raw: object) -> Self:
        reader = Reader(raw)
        email = reader.checked("email", email_address, missing="Enter your e-mail address")
        reader.done()
        return cls(email or "")
