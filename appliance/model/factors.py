"""Second factors: what somebody shows besides the password."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Self

from appliance.model.fields import Reader
from appliance.model.keys import one_line
from appliance.model.people import new_password


@dataclass(frozen=True)
class Totp:
    """An authenticator app. It counts once a right code has switched it on."""

    person_id: str
    sealed: str
    created_at: str
    on_since: str | None
    step: int  # of the last code that worked


@dataclass(frozen=True)
class Passkey:
    id: str
    person_id: str
    name: str
    credential: str  # its id, as the browser calls it
    public_key: bytes
    counter: int
    created_at: str
    used_at: str | None


@dataclass(frozen=True)
class Factors:
    """What somebody has set up."""

    totp_since: str | None
    passkeys: tuple[Passkey, ...]
    recovery_codes: int

    @property
    def any(self) -> bool:
        return self.totp_since is not None or bool(self.passkeys)


@dataclass(frozen=True)
class Code:
    code: Annotated[str, "Six digits from the authenticator app"]

    @classmethod
    def parse(cls, raw: object) -> Self:
        reader = Reader(raw)
        code = reader.text("code", missing="Enter the code that the app shows", most=40)
        reader.done()
        return cls(code)


@dataclass(frozen=True)
class NewPasskey:
    credential: Annotated[dict[str, object], "What `navigator.credentials.create()` gave, as its `toJSON()`"]
    name: Annotated[str, "What to call it, such as `laptop`"]

    @classmethod
    def parse(cls, raw: object) -> Self:
        reader = Reader(raw)
        credential = reader.thing("credential", missing="Let the browser make a passkey first")
        name = reader.checked("name", one_line, missing="Enter a name for the passkey")
        reader.done()
        return cls(dict(credential), name or "")


@dataclass(frozen=True)
class Shown:
    """A passkey, shown."""

    credential: Annotated[dict[str, object], "What `navigator.credentials.get()` gave, as its `toJSON()`"]

    @classmethod
    def parse(cls, raw: object) -> Self:
        reader = Reader(raw)
        credential = reader.thing("credential", missing="Let the browser ask for the passkey first")
        reader.done()
        return cls(dict(credential))


@dataclass(frozen=True)
class SecondStep:
    """What follows the password: a code from the app, a recovery code, or a passkey."""

    ticket: Annotated[str, "From the answer to the password"]
    code: Annotated[str | None, "From the authenticator app, or a recovery code"] = None
    credential: Annotated[dict[str, object] | None, "Or a passkey: the `toJSON()` of what the browser gave"] = None

    @classmethod
    def parse(cls, raw: object) -> Self:
        reader = Reader(raw)
        ticket = reader.text("ticket", missing="Sign in with the password first", most=200)
        code, credential = _one_of(reader)
        reader.done()
        return cls(ticket, code, credential)


@dataclass(frozen=True)
class Ticket:
    ticket: Annotated[str, "From the answer to the password"]

    @classmethod
    def parse(cls, raw: object) -> Self:
        reader = Reader(raw)
        ticket = reader.text("ticket", missing="Sign in with the password first", most=200)
        reader.done()
        return cls(ticket)


@dataclass(frozen=True)
class Proof:
    """That it is still the same person: the password, a code, or a passkey."""

    password: Annotated[str | None, "The password"] = None
    code: Annotated[str | None, "Or a code from the authenticator app, or a recovery code"] = None
    credential: Annotated[dict[str, object] | None, "Or a passkey: the `toJSON()` of what the browser gave"] = None

    @classmethod
    def parse(cls, raw: object) -> Self:
        reader = Reader(raw)
        password = reader.text("password", optional=True) or None
        code, credential = _one_of(reader, enough=password is not None)
        reader.done()
        return cls(password, code, credential)


@dataclass(frozen=True)
class PasswordChange:
    old: Annotated[str, "The password so far"]
    password: Annotated[str, "The new one: at least 12 characters, at most 72 bytes"]

    @classmethod
    def parse(cls, raw: object) -> Self:
        reader = Reader(raw)
        old = reader.text("old", missing="Enter the password that you have now")
        password = reader.checked("password", new_password, missing="Enter a new password")
        reader.done()
        return cls(old, password or "")


def _one_of(reader: Reader, *, enough: bool = False) -> tuple[str | None, dict[str, object] | None]:
    code = reader.text("code", optional=True, most=40) or None
    credential: Mapping[str, object] = reader.thing("credential", optional=True)
    if not (enough or code or credential):
        reader.wrong("code", "Enter a code")
    return code, dict(credential) or None
