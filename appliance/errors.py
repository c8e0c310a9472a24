"""What can go wrong, each with its HTTP status.

HomeportError
├── BadRequest 400
├── NotSignedIn 401
│   └── HalfWay 401       the second factor comes next
├── Forbidden 403
├── NotFound 404
├── Conflict 409
│   └── Lacking 409       contents have to be sent first
├── OtherVersion 412       of a protocol
├── TooLarge 413
├── WrongKind 415
├── OtherHost 421         this appliance doesn't answer by the name that was asked for
├── Invalid 422
│   └── BadBundle 422
├── BadBackup 422
├── Locked 423
├── TooMany 429
├── Garbled 460           what arrived is not what was sent
├── OutOfRoom 507
├── RemoteFailed 502      somebody else's API said no; says whether trying again can help
├── HostFailed 500        this host said no: a file, a permission, a command
├── Cancelled 409         someone asked for this to stop
└── StartFailed 500       the program can't start
"""

from collections.abc import Mapping


class HomeportError(Exception):
    """What happened, to what, why, and what to do now, in words for a person."""

    status = 500
    code = "error"
    title = "Something went wrong"
    refused = ""  # the permission that was missing, where somebody was turned away

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        todo: tuple[str, ...] = (),
        said: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or type(self).code
        self.todo = todo
        self.said = said
        self.headers = dict(headers or {})


class BadRequest(HomeportError):
    status = 400
    code = "bad_request"
    title = "The request can't be read"


class NotSignedIn(HomeportError):
    status = 401
    code = "not_signed_in"
    title = "Not signed in"


class HalfWay(NotSignedIn):
    """The password was right, and a second factor is set: `ticket` goes on with one of `ways`."""

    code = "second_factor"

    def __init__(self, ticket: str, ways: tuple[str, ...]) -> None:
        super().__init__(
            "The password is right. Now the second factor.",
            todo=("`POST /api/v1/login/second` with the ticket and a code.",),
        )
        self.ticket = ticket
        self.ways = ways


class Forbidden(HomeportError):
    status = 403
    code = "forbidden"
    title = "Not allowed"


class NotFound(HomeportError):
    status = 404
    code = "not_found"
    title = "Not found"


class Conflict(HomeportError):
    status = 409
    code = "conflict"
    title = "In the way"


class Lacking(Conflict):
    """Contents are missing: `missing` names them, or as many of them as fit; `more` is how many there are besides."""

    code = "contents_missing"
    title = "Some contents have to be sent first"

    def __init__(self, detail: str, missing: tuple[str, ...], more: int, *, todo: tuple[str, ...] = ()) -> None:
        super().__init__(detail, todo=todo)
        self.missing = missing
        self.more = more


class TooLarge(HomeportError):
    status = 413
    code = "too_large"
    title = "Too large"


class OtherVersion(HomeportError):
    status = 412
    code = "other_version"
    title = "Another version of the protocol"


class Locked(HomeportError):
    status = 423
    code = "locked"
    title = "In use"


class Garbled(HomeportError):
    status = 460
    code = "garbled"
    title = "What arrived is not what was sent"


class WrongKind(HomeportError):
    status = 415
    code = "wrong_kind"
    title = "Another kind of body is needed"


class OtherHost(HomeportError):
    status = 421
    code = "other_host"
    title = "Not the name of this appliance"


class Invalid(HomeportError):
    """One or more fields are not well formed; `errors` has a sentence for each."""

    status = 422
    code = "invalid"
    title = "Some fields need correcting"

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(" ".join(f"{_sentence(text)}" for text in errors.values()))
        self.errors = dict(errors)


class BadBundle(HomeportError):
    """The upload is not a bundle; `entry` is the name inside it that is to blame."""

    status = 422
    code = "bad_bundle"
    title = "The bundle was not taken"

    def __init__(self, code: str, detail: str, *, entry: str | None = None, todo: tuple[str, ...] = ()) -> None:
        super().__init__(detail, code=code, todo=todo)
        self.entry = entry


class BadBackup(HomeportError):
    """The file is not a backup, or not a whole one."""

    status = 422
    code = "bad_backup"
    title = "The backup was not taken"


class TooMany(HomeportError):
    status = 429
    code = "too_many"
    title = "Too many tries"


class OutOfRoom(HomeportError):
    status = 507
    code = "out_of_room"
    title = "No room on the disk"


class RemoteFailed(HomeportError):
    """A service elsewhere said no. `permanent` says that trying again can't help; `retry_after`, from when it may."""

    status = 502
    code = "remote_failed"
    title = "A service elsewhere said no"

    def __init__(
        self,
        detail: str,
        *,
        permanent: bool,
        retry_after: float = 0,
        code: str | None = None,
        todo: tuple[str, ...] = (),
        said: str = "",
    ) -> None:
        super().__init__(detail, code=code, todo=todo, said=said)
        self.permanent = permanent
        self.retry_after = retry_after  # seconds, where the other side named them


class HostFailed(HomeportError):
    status = 500
    code = "host_failed"
    title = "This host said no"


class Cancelled(HomeportError):
    status = 409
    code = "cancelled"
    title = "Cancelled"


class StartFailed(HomeportError):
    status = 500
    code = "start_failed"
    title = "Homeport can't start"


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."
