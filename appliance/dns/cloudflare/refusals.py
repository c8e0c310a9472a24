"""Cloudflare's refusals, turned into a decision and words for a person."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

from appliance.dns.rows import Overtaken
from appliance.errors import RemoteFailed
from appliance.machine import clock

READ_ZONES = "Zone, Zone, Read"
EDIT_DNS = "Zone, DNS, Edit"
NEW_TOKEN = f"Make a token in Cloudflare with {READ_ZONES} and {EDIT_DNS}, and save it in Settings."

# Cloudflare publishes no list of these. docs/dns.md has the ones that people meet.
BAD_TOKEN = frozenset({1000, 1001, 6003, 6103, 6111, 9103, 9106, 9107})
NOT_THIS_TOKEN = 9109  # a token that it doesn't know, that may not be used from here, or that may not do this
TOO_MANY = frozenset({971, 10429, 10502})
CLASHES = frozenset({81053, 81054, 81055, 81056, 81057, 81058})
GONE = 81044
NOT_PROXIABLE = frozenset({9003, 9004, 9041})
TRY_AGAIN = frozenset({408, 409, 425})


class BadToken(RemoteFailed):
    """Cloudflare does not accept the token at all."""

    code = "cloudflare_token"


class NotPermitted(RemoteFailed):
    """The token is good, but not for this."""

    code = "cloudflare_permission"


class Clash(Overtaken):
    """There is a record already that this one can't stand beside."""

    code = "cloudflare_clash"


class Gone(Overtaken):
    """The record that was to be changed isn't there."""

    code = "cloudflare_gone"


class Refused(RemoteFailed):
    """Cloudflare won't have it like this."""

    code = "cloudflare_refused"


class Busy(RemoteFailed):
    """Too many requests; later it will do."""

    code = "cloudflare_busy"


class Down(RemoteFailed):
    """No answer, or none that helps; later it may do."""

    code = "cloudflare_down"


@dataclass(frozen=True)
class Asking:
    """What is being asked, for the words of a refusal."""

    act: str  # make the record for shop.example.com
    may: str  # edit DNS in example.com
    permission: str
    where: str

    @classmethod
    def about_zones(cls, act: str, where: str) -> "Asking":
        return cls(act, "read zones", READ_ZONES, where)

    @classmethod
    def about_dns(cls, act: str, zone: str) -> "Asking":
        return cls(act, f"edit DNS in {zone}", EDIT_DNS, zone)


@dataclass(frozen=True)
class Answer:
    """A refusal as it came: its status, every code in it, its words, and when to come back."""

    status: int
    codes: frozenset[int]
    said: str
    retry_after: str = ""


def refusal(answer: Answer, asking: Asking) -> RemoteFailed:
    """Which of the errors above it is."""
    if answer.status == 429 or answer.codes & TOO_MANY:
        return _busy(answer)
    if answer.status >= 500 or answer.status in TRY_AGAIN:
        return Down(
            f"Cloudflare could not {asking.act} (it answered {answer.status}).", permanent=False, said=answer.said
        )
    if answer.codes & CLASHES:
        return Clash(f"Cloudflare refused to {asking.act}: {answer.said}.", permanent=True, said=answer.said)
    if GONE in answer.codes:
        return Gone(f"Cloudflare could not {asking.act}: the record is gone.", permanent=False, said=answer.said)
    return _about_token(answer, asking) or _about_record(answer, asking)


def codes(body: object) -> frozenset[int]:
    """Every error code in an answer, those inside others too."""
    return frozenset(code for code, _ in _errors(body))


def words(body: object) -> str:
    """What Cloudflare said, on one line."""
    said = "; ".join(f"{message.rstrip('. ')} ({code})" for code, message in _errors(body))
    return " ".join(said.split())


def _about_token(answer: Answer, asking: Asking) -> RemoteFailed | None:
    said = answer.said.lower()
    if NOT_THIS_TOKEN in answer.codes and "location" in said:
        return BadToken(
            "Cloudflare does not let this token be used from this host's address.",
            permanent=True,
            todo=(
                "In Cloudflare, add the address to the token's Client IP Address Filtering, or take the filter out.",
            ),
            said=answer.said,
        )
    unknown = answer.codes & BAD_TOKEN or (NOT_THIS_TOKEN in answer.codes and "invalid" in said)
    if unknown or (answer.status == 401 and asking.permission == READ_ZONES):
        return BadToken(
            "Cloudflare does not accept the API token.", permanent=True, todo=(NEW_TOKEN,), said=answer.said
        )
    # 1038 is a 403 too, about free top-level domains: no permission would help.
    if answer.status in (401, 403) and 1038 not in answer.codes:
        return NotPermitted(
            f"The Cloudflare token may not {asking.may}.",
            permanent=True,
            todo=(f"In Cloudflare, add {asking.permission} for {asking.where} to this token.",),
            said=answer.said,
        )
    return None


def _about_record(answer: Answer, asking: Asking) -> RemoteFailed:
    todo: tuple[str, ...] = ()
    if answer.codes & NOT_PROXIABLE:
        todo = ("Turn the proxy off for this URL, or let records point to an address that the internet can reach.",)
    said = answer.said or f"it answered {answer.status}"
    return Refused(f"Cloudflare refused to {asking.act}: {said}.", permanent=True, todo=todo, said=answer.said)


def _errors(body: object) -> Iterator[tuple[int, str]]:
    found = body.get("errors", body.get("error_chain")) if isinstance(body, dict) else None
    for error in found if isinstance(found, list) else ():
        if isinstance(error, dict) and isinstance(error.get("code"), int):
            yield error["code"], str(error.get("message", ""))
            yield from _errors(error)


def _busy(answer: Answer) -> Busy:
    """`Retry-After`: seconds, or a date."""
    seconds, when = 0.0, "It counts 1,200 requests in five minutes; try again then"
    if answer.retry_after.isdigit():
        seconds = float(answer.retry_after)
        when = f"It takes requests again in {seconds:.0f} seconds"
    elif at := _date(answer.retry_after):
        seconds = (at - clock.now()).total_seconds()
        when = f"It takes requests again at {clock.text(at)}"
    detail = f"Cloudflare asks for a pause. {when}."
    return Busy(detail, permanent=False, retry_after=max(seconds, 0), said=answer.said)


def _date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except ValueError:
        return None
