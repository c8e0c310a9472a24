"""The few things that Homeport asks of Route 53."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

from appliance.dns import marks
from appliance.dns.plan import Plan
from appliance.dns.route53 import sets
from appliance.dns.route53.refusals import refusal
from appliance.dns.route53.sets import Set
from appliance.dns.rows import Row, Zone, suffixes
from appliance.dns.zones import Zones
from appliance.errors import RemoteFailed
from appliance.machine.aws import Answer, Request, sign
from appliance.machine.http import asked
from appliance.machine.redacting import Redactor

BASE = "/2013-04-01"
REGION = "us-east-1"  # the one that signs for all of Route 53
TIMEOUT = 15.0  # seconds
MOST = 4 << 20  # bytes of an answer
MOST_PAGES = 100
TXT_TTL = 60
POINTING = ("A", "AAAA", "CNAME")
Key = tuple[str, str]  # name and type


class Api(Zones):
    """One access key's view of Route 53. Raises RemoteFailed."""

    def __init__(self, url: str, key_id: str, secret: str) -> None:
        self._url = url.rstrip("/")
        self._key_id, self._secret = key_id, secret
        self._redact = Redactor({secret})

    def find(self, host: str) -> Zone | None:
        return next((zone for zone in map(self.zone, suffixes(host)) if zone), None)

    def zone(self, name: str) -> Zone | None:
        """The zone of exactly this name; where there is a public and a private one, the public one is meant."""
        answer = self._ask("GET", "/hostedzonesbyname", {"dnsname": f"{name}.", "maxitems": "10"}, doing="find zones")
        found = [one for one in answer.inside("HostedZone") if sets.plain_name(one.tag("Name")) == name]
        public = sorted(found, key=lambda one: one.tag("PrivateZone") == "true")
        return Zone(public[0].tag("Id").rpartition("/")[2], name) if public else None

    def zones(self) -> list[Zone]:
        answer = self._ask("GET", "/hostedzone", {"maxitems": "100"}, doing="list zones")
        found = answer.inside("HostedZone")
        return [Zone(one.tag("Id").rpartition("/")[2], sets.plain_name(one.tag("Name"))) for one in found]

    def lacking(self, host: str) -> RemoteFailed:
        return RemoteFailed(
            f"Route 53 has no hosted zone for {host} in this account.",
            permanent=True,
            code="no_zone",
            todo=(
                f"Make a hosted zone for {'.'.join(host.split('.')[-2:])}, or use the access key of its account.",
                "If the zone is kept elsewhere, make the record there by hand.",
            ),
        )

    def rows(self, zone: Zone, host: str) -> list[Row]:
        found = self._named(zone, host)
        beside = self._named(zone, marks.name(host))
        return _rows(host, found, beside)

    def apply(self, zone: Zone, plan: Plan) -> None:
        """One batch: each set that changes is exchanged for what it becomes."""
        beside = marks.name(plan.host)
        before = {(one.name, one.type): one for one in self._named(zone, plan.host) + self._named(zone, beside)}
        after = dict(before)
        for row in plan.gone:
            if row.there:
                _drop(after, (plan.host, row.type), _value(row))
            _drop(after, (beside, "TXT"), sets.quoted(marks.text(row)))
        for row in plan.made:
            _add(after, (plan.host, row.type), _value(row), row.ttl)
            _add(after, (beside, "TXT"), sets.quoted(marks.text(row)), marks.TTL)
        self._exchange(zone, before, after)

    def marked(self, mark: str, known: tuple[str, ...]) -> list[Row]:
        found: list[Row] = []
        for zone in self.zones():
            everything = self._sets(zone, {})
            texts = [sets.text(value) for one in everything if one.type == "TXT" for value in one.values]
            for host in marks.hosts(texts, mark):
                here = [one for one in everything if one.name == host]
                beside = [one for one in everything if one.name == marks.name(host)]
                found += [row for row in _rows(host, here, beside) if row.mark.startswith(mark)]
        return found

    def add_txt(self, zone: Zone, name: str, value: str, mark: str) -> None:
        before = {(one.name, one.type): one for one in self._named(zone, name)}
        after = dict(before)
        _add(after, (name, "TXT"), sets.quoted(value), TXT_TTL)
        self._exchange(zone, before, after)

    def drop_txt(self, zone: Zone, name: str, value: str, mark: str) -> None:
        before = {(one.name, one.type): one for one in self._named(zone, name)}
        after = dict(before)
        _drop(after, (name, "TXT"), sets.quoted(value))
        self._exchange(zone, before, after)

    def may_change(self, zone: Zone) -> None:
        """Raises where the key may not. Asks to delete what is not there, so that nothing changes."""
        absent = Set(f"{marks.LABEL}-test.{zone.name}", "TXT", TXT_TTL, (sets.quoted("test"),))
        try:
            self._change(zone, [("DELETE", absent)])
        except RemoteFailed as why:
            if why.code != "dns_overtaken":
                raise

    def _exchange(self, zone: Zone, before: dict[Key, Set], after: dict[Key, Set]) -> None:
        changes = [each for key, one in after.items() for each in sets.exchange(before.get(key), one)]
        if changes:
            self._change(zone, sorted(changes, key=lambda each: each[0] == "CREATE"))

    def _change(self, zone: Zone, changes: list[tuple[str, Set]]) -> None:
        doing = f"change records in {zone.name}"
        self._ask("POST", f"/hostedzone/{zone.id}/rrset", {}, sets.batch(changes), doing=doing)

    def _named(self, zone: Zone, name: str) -> list[Set]:
        """Every set of exactly this name. They are listed in order from a name on."""
        return [one for one in self._sets(zone, {"name": f"{name}."}, pages=1) if one.name == name]

    def _sets(self, zone: Zone, start: dict[str, str], pages: int = MOST_PAGES) -> list[Set]:
        found: list[Set] = []
        for _ in range(pages):
            query = {**start, "maxitems": "100" if pages == 1 else "300"}
            doing = f"read records in {zone.name}"
            answer = self._ask("GET", f"/hostedzone/{zone.id}/rrset", query, doing=doing)
            found += [sets.read(one) for one in answer.inside("ResourceRecordSet")]
            if answer.tag("IsTruncated") != "true":
                break
            start = {"name": answer.tag("NextRecordName"), "type": answer.tag("NextRecordType")}
        return found

    def _ask(self, method: str, path: str, query: Mapping[str, str], body: bytes = b"", *, doing: str) -> Answer:
        words = "&".join(
            f"{name}={quote(value, safe='-_.~')}" for name, value in sorted(query.items())
        )  # as it is signed
        parts = urlsplit(self._url)
        whole = f"{parts.path}{BASE}{path}"
        headers = {"host": parts.netloc, "content-type": "application/xml"}
        request = Request(method, whole, words, headers, hashlib.sha256(body).hexdigest())
        now = datetime.now(UTC)
        signed = sign(request, now, key_id=self._key_id, secret=self._secret, region=REGION, service="route53")
        url = f"{parts.scheme}://{parts.netloc}{whole}" + (f"?{words}" if words else "")
        with asked(method, url, signed, body, timeout=TIMEOUT) as response:
            answer = Answer({name.lower(): value for name, value in response.getheaders()}, response.read(MOST))
            if response.status >= 300:
                raise refusal(response.status, self._hidden(answer), doing)
            return answer

    def _hidden(self, answer: Answer) -> Answer:
        """What is said of a refusal may say back what was sent."""
        return Answer(answer.headers, self._redact(answer.body.decode("utf-8", "replace")).encode())


def _rows(host: str, here: list[Set], beside: list[Set]) -> list[Row]:
    texts = [sets.text(value) for one in beside if one.type == "TXT" for value in one.values]
    there = [
        (one.type, sets.plain_name(value) if one.type == "CNAME" or not one.plain else value, one.ttl)
        for one in here
        if one.type in POINTING
        for value in one.values
    ]
    return marks.rows(host, there, texts)


def _add(after: dict[Key, Set], key: Key, value: str, ttl: int) -> None:
    now = after.get(key)
    if now and not now.plain:
        raise RemoteFailed(
            f"{key[0]} is answered by an alias or by one of several sets, which Homeport leaves alone.",
            permanent=True,
            code="points_elsewhere",
            todo=("Delete it in Route 53, or choose another host name.",),
        )
    after[key] = now.having(value) if now and now.values else Set(key[0], key[1], ttl, (value,))


def _drop(after: dict[Key, Set], key: Key, value: str) -> None:
    if key in after and after[key].plain:
        after[key] = after[key].without(value)


def _value(row: Row) -> str:
    return f"{row.content}." if row.type == "CNAME" else row.content
