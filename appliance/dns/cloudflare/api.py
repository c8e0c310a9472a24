"""The few things that Homeport asks of Cloudflare, with the official SDK. Importing this imports the SDK."""

import re
from collections.abc import Callable
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import urlsplit

import cloudflare

from appliance.dns.cloudflare.refusals import (
    EDIT_DNS,
    READ_ZONES,
    Answer,
    Asking,
    BadToken,
    Down,
    Gone,
    NotPermitted,
    Refused,
    codes,
    refusal,
    words,
)
from appliance.dns.plan import Plan
from appliance.dns.rows import Row, Zone, suffixes
from appliance.dns.zones import Zones
from appliance.errors import RemoteFailed

if TYPE_CHECKING:
    from cloudflare.pagination import SyncV4PagePaginationArray

TIMEOUT = 10.0  # seconds
MOST = 1000  # things read in a row; the SDK by itself asks on until a page is empty
TOKEN = re.compile(r"[!-~]+")
SAID_MOST = 500
TXT_TTL = 60  # the least that there is
SUFFIXES_MOST = 8
MOST_MARKED = 20_000
POINTING = ("A", "AAAA", "CNAME")
NO_RECORD = "0" * 32  # an id that no record has
T = TypeVar("T")


class Api(Zones):
    """One token's view of Cloudflare. Raises the errors of `refusals`, and no other."""

    def __init__(self, token: str, url: str) -> None:
        self._token = token.strip()
        self._url = url

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if "_client" in vars(self):
            self._client.close()

    def token_status(self) -> tuple[str, str]:
        """`active`, `disabled` or `expired`, and until when it lasts. A token owned by an account is unknown here."""
        asking = Asking.about_zones("look at the token", "your zones")
        # Not `client.user.tokens`: importing that room of the SDK doubles its price.
        found = self._ask(asking, lambda: self._client.get("/user/tokens/verify", cast_to=object))
        result = found.get("result") if isinstance(found, dict) else None
        if not isinstance(result, dict):
            raise self._unreadable()
        return str(result.get("status") or "not active"), str(result.get("expires_on") or "")

    def zones(self) -> list[Zone]:
        """Every zone that the token may read."""
        asking = Asking.about_zones("list your zones", "your zones")
        return self._ask(asking, lambda: [_zone(each) for each in _all(self._client.zones.list(per_page=50), 50)])

    def zone(self, name: str) -> Zone | None:
        """The zone of exactly this name. Two accounts may each have it: the active one is meant."""
        asking = Asking.about_zones(f"look for the zone {name}", name)
        found = self._ask(asking, lambda: [_zone(each) for each in self._client.zones.list(name=name).result])
        return min(found, key=lambda zone: zone.status != "active", default=None)

    def find(self, host: str) -> Zone | None:
        return next((zone for zone in map(self.zone, suffixes(host)[-SUFFIXES_MOST:]) if zone), None)

    def lacking(self, host: str) -> RemoteFailed:
        names = suffixes(host)[-SUFFIXES_MOST:]
        where = names[-1] if names else host
        return RemoteFailed(
            f"This Cloudflare token can read no zone for {host}. Looked for: {', '.join(names) or 'none'}.",
            permanent=True,
            code="no_zone",
            todo=(
                f"In Cloudflare, add {READ_ZONES} and {EDIT_DNS} for {where} to this token.",
                "If the zone is kept elsewhere, make the record there by hand.",
            ),
        )

    def apply(self, zone: Zone, plan: Plan) -> None:
        """A record's type can't be changed, so it is exchanged in one transaction: no moment is without one."""
        gone, made = [change.row for change in plan.of("delete")], [change.row for change in plan.of("create")]
        for change in plan.of("update"):
            self.edit(zone, change.row)
        if gone and made:
            self.exchange(zone, gone, made[0])
            return
        deleted = [self.delete(zone, row) for row in gone]
        if gone and not any(deleted):
            raise Gone(f"The record for {plan.host} is gone already.", permanent=False)
        for row in made:
            self.create(zone, row)

    def marked(self, mark: str, known: tuple[str, ...]) -> list[Row]:
        return [row for zone in self._readable(known) for row in self._marked_in(zone, mark)]

    def _readable(self, hosts: tuple[str, ...]) -> list[Zone]:
        """A token for some zones only may be refused the list, and still read each by its name."""
        try:
            return self.zones()
        except NotPermitted:
            return list({zone.id: zone for zone in map(self.find, hosts) if zone}.values())

    def add_txt(self, zone: Zone, name: str, value: str, mark: str) -> None:
        if not any(row.content == value for row in self._texts(zone, name)):
            self.create(zone, Row("", name, "TXT", value, False, mark, TXT_TTL))

    def drop_txt(self, zone: Zone, name: str, value: str, mark: str) -> None:
        for row in self._texts(zone, name):
            if (row.content, row.mark) == (value, mark):
                self.delete(zone, row)

    def rows(self, zone: Zone, host: str) -> list[Row]:
        """The A, AAAA and CNAME records of exactly this host name."""
        asking = Asking.about_dns(f"read the records of {host}", zone.name)
        records = self._client.dns.records

        def read() -> list[Row]:
            found = _all(records.list(zone_id=zone.id, name={"exact": host}, per_page=100), 100)
            return [_row(each, host) for each in found if each.type in POINTING]

        return self._ask(asking, read)

    def _texts(self, zone: Zone, name: str) -> list[Row]:
        asking = Asking.about_dns(f"read the records of {name}", zone.name)
        records = self._client.dns.records

        def read() -> list[Row]:
            found = _all(records.list(zone_id=zone.id, name={"exact": name}, type="TXT", per_page=100), 100)
            return [_row(each, name) for each in found]

        return self._ask(asking, read)

    def _marked_in(self, zone: Zone, mark: str) -> list[Row]:
        asking = Asking.about_dns(f"read the records of {zone.name}", zone.name)
        records = self._client.dns.records

        def read() -> list[Row]:
            page = records.list(zone_id=zone.id, comment={"startswith": mark}, per_page=500)
            found = _all(page, 500, MOST_MARKED)
            rows = [_row(each, each.name) for each in found if each.type in POINTING]
            return [row for row in rows if row.mark.startswith(mark)]

        return self._ask(asking, read)

    def create(self, zone: Zone, row: Row) -> None:
        asking = Asking.about_dns(f"make the record for {row.host}", zone.name)
        self._done(asking, lambda: self._client.dns.records.create(zone_id=zone.id, **_fields(row)))

    def edit(self, zone: Zone, row: Row) -> None:
        asking = Asking.about_dns(f"change the record for {row.host}", zone.name)
        records = self._client.dns.records
        self._done(asking, lambda: records.edit(row.id, zone_id=zone.id, **_fields(row)))

    def exchange(self, zone: Zone, old: list[Row], row: Row) -> None:
        """Delete and create in one transaction: a record's type can't be changed, and no moment is without one."""
        asking = Asking.about_dns(f"change the record for {row.host}", zone.name)
        posts: Any = [_fields(row)]
        batch = self._client.dns.records.batch
        self._done(asking, lambda: batch(zone_id=zone.id, deletes=[{"id": each.id} for each in old], posts=posts))

    def delete(self, zone: Zone, row: Row) -> bool:
        """Says whether it was there."""
        asking = Asking.about_dns(f"delete the record for {row.host}", zone.name)
        try:
            self._ask(asking, lambda: self._client.dns.records.delete(row.id, zone_id=zone.id))
        except Gone:
            return False
        return True

    def may_edit(self, zone: Zone) -> bool | None:
        """Whether the token may edit DNS here, None when that can't be told.

        Asks to change a record that can't exist. Cloudflare looks at the permission first, so it answers "not
        allowed" or "no such record", and nothing changes.
        """
        asking = Asking.about_dns("say whether DNS may be edited", zone.name)
        row = Row(NO_RECORD, zone.name, "A", "192.0.2.1", False, "")
        try:
            self._ask(asking, lambda: self._client.dns.records.edit(row.id, zone_id=zone.id, **_fields(row)))
        except Gone:
            return True
        except NotPermitted:
            return False
        except Refused:
            return None
        return None

    @cached_property
    def _client(self) -> cloudflare.Cloudflare:
        if not TOKEN.fullmatch(self._token):
            raise BadToken(
                "The Cloudflare API token holds a space, a line break or a letter that no token has.",
                permanent=True,
                todo=("Copy the token from Cloudflare again, with nothing around it.",),
            )
        self._check_url()
        # No retries here: the journal decides when to try again, and the SDK would sleep for up to a minute.
        client = cloudflare.Cloudflare(api_token=self._token, base_url=self._url, timeout=TIMEOUT, max_retries=0)
        # The SDK picks these up from the environment, and would then send them instead of the token.
        client.api_email = client.api_key = client.user_service_key = None
        return client

    def _check_url(self) -> None:
        try:
            parts = urlsplit(self._url)
            usable = parts.scheme in ("http", "https") and bool(parts.hostname)
        except ValueError:
            usable = False
        if not usable:
            raise Refused(
                f"HOMEPORT_CLOUDFLARE_API is {self._url!r}, which is no address of an API.",
                permanent=True,
                todo=("Leave HOMEPORT_CLOUDFLARE_API out to use the official address.",),
            )

    def _ask(self, asking: Asking, call: Callable[[], T]) -> T:
        """Every request goes through here. `from None`: the SDK's errors hold the request, and with it the token."""
        try:
            return call()
        except cloudflare.APITimeoutError:
            raise Down(f"Cloudflare did not answer within {TIMEOUT:g} seconds.", permanent=False) from None
        except cloudflare.APIStatusError as why:
            raise self._refusal(why, asking) from None
        except cloudflare.APIError as why:
            reason = self._hidden(str(why.__cause__ or why)).rstrip(".")
            where = urlsplit(self._url).hostname
            raise Down(f"Cloudflare could not be reached at {where}: {reason}.", permanent=False) from None
        except (AttributeError, TypeError, ValueError):
            # What the SDK does when an answer is a web page, or JSON of another shape.
            raise self._unreadable() from None

    def _refusal(self, why: cloudflare.APIStatusError, asking: Asking) -> RemoteFailed:
        said = self._hidden(words(why.body))[:SAID_MOST]
        retry_after = why.response.headers.get("retry-after", "")
        no = refusal(Answer(why.status_code, codes(why.body), said, retry_after), asking)
        if no.permanent and not isinstance(why.body, dict):
            return self._unreadable()  # a page from a proxy is no verdict on a token
        return no

    def _done(self, asking: Asking, call: Callable[[], object]) -> None:
        if self._ask(asking, call) is None:
            raise self._unreadable()

    def _unreadable(self) -> Down:
        return Down(
            f"What answered at {urlsplit(self._url).hostname} is not Cloudflare's API.",
            permanent=False,
            todo=("See whether a proxy stands between, and whether HOMEPORT_CLOUDFLARE_API is right.",),
        )

    def _hidden(self, text: str) -> str:
        return text.replace(self._token, "(token)")


def _all(page: "SyncV4PagePaginationArray[T]", size: int, most: int = MOST) -> list[T]:
    """Follow pages to one that isn't full."""
    found = list(page.result)
    while len(page.result) >= size and len(found) < most:
        page = page.get_next_page()
        found += page.result
    return found


def _zone(found: Any) -> Zone:
    return Zone(found.id, found.name, found.status or "")


def _row(found: Any, host: str) -> Row:
    content = found.content
    if found.type == "CNAME":
        content = content.lower().rstrip(".")
    elif found.type == "TXT":
        content = content.removeprefix('"').removesuffix('"')  # as it comes back
    return Row(found.id, host, found.type, content, bool(found.proxied), found.comment or "")


def _fields(row: Row) -> dict[str, Any]:
    return {
        "name": row.host,
        "type": row.type,
        "content": f'"{row.content}"' if row.type == "TXT" else row.content,
        "ttl": 1 if row.proxied else row.ttl,  # 1 is "automatic", the only one that a proxied record may have
        "proxied": row.proxied,
        "comment": row.mark,
    }
