"""The chain of activity: each entry is bound to all before it, and how far it goes is noted outside the database.

Whoever can write the database, and nothing else, can't change the record unseen: the key is in the key file, and the
note beside it tells when the end was cut off.
"""

import hmac
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from appliance.access.actor import HOMEPORT
from appliance.access.record import KEY, record
from appliance.context import Context
from appliance.machine import files
from appliance.model.activity import Flaw, Verified, link
from appliance.store import activity, saved

NAME = "activity.head"
RESTORED = "restored"  # in the place of a note: the record came with a backup
CUT, CAME = "activity.cut", "activity.restored"
MOST_FLAWS = 100
logger = logging.getLogger("homeport.activity")


@dataclass(frozen=True)
class Head:
    """How far the record went, and the hash that it went to."""

    id: int
    hash: str


def begin(ctx: Context) -> None:
    """With the database: entries of an earlier time are bound, and there is a note from the first moment on."""
    db, known = ctx.db.read(), (ctx.data / NAME).exists()
    if activity.unchained(db):
        with ctx.db.write() as writing:
            activity.chain(writing, ctx.key(KEY))
            if not known:
                _write(ctx, Head(*activity.head(writing)))
    elif not known and activity.head(db)[0] == 0:
        _write(ctx, Head(0, ""))


def see_to_it(ctx: Context) -> None:
    """On each start: what was cut off since is put on record, for good; then the note goes on from here."""
    text = _text(ctx)
    last = activity.head(ctx.db.read())[0]
    if text == RESTORED:
        with ctx.db.write() as db:
            record(ctx, db, HOMEPORT, CAME, f"#{last}")
    elif flaws := _at_the_end(ctx, _read(ctx, text), last):
        detail = flaws[0].detail
        logger.error("the record of activity is not as it was: %s", detail)
        with ctx.db.write() as db:
            record(ctx, db, HOMEPORT, CUT, f"#{last}", why=detail)
    note(ctx)


def note(ctx: Context) -> None:
    """Write down how far the record goes, once that far is on the disk: a power cut must not look like a cut."""
    now = Head(*activity.head(ctx.db.read()))
    if _read(ctx, _text(ctx)) == now:
        return
    with ctx.db.write() as db:
        saved.set_meta(db, NAME, str(now.id))  # a write that lasts takes all before it to the disk
    _write(ctx, now)


def mark_restored(data: Path) -> None:
    """Another record is about to be in the place of this one."""
    files.write_whole(data / NAME, RESTORED, mode=0o600)


def verify(ctx: Context) -> Verified:
    """Read all of it. What is added meanwhile is for the next time."""
    text, db = _text(ctx), ctx.db.read()
    last, newest = activity.head(db)
    reading = _Reading(ctx.keys(KEY))
    for values, found in activity.chained(db, until=last):
        reading.take(values, found)
    if text != RESTORED:
        reading.flaws += _at_the_end(ctx, _read(ctx, text), last)
    if (given := activity.highest(db)) > activity.head(db)[0]:
        reading.flaw(last + 1, given, "cut", "Numbers were given to entries that are gone.")
    flaws = tuple(reading.flaws[:MOST_FLAWS])
    return Verified(not flaws, reading.count, last, newest, flaws)


@dataclass
class _Reading:
    """One entry after the other, with the keys that there were, the oldest first."""

    keys: Sequence[bytes]
    flaws: list[Flaw] = field(default_factory=list)
    count: int = 0
    _last: int = 0
    _before: str = ""
    _at: int = 0  # which of the keys the record has come to: none comes back

    def take(self, values: tuple[object, ...], found: str) -> None:
        number = int(str(values[0]))
        if number > self._last + 1:
            self.flaw(self._last + 1, number - 1, "missing", "Entries are missing here.")
        elif not self._fits(values, found):
            self.flaw(number, number, "edited", "This is not what was written here, or not in its place.")
        if values[4] == CUT:
            self.flaw(number, number, "cut", str(json.loads(str(values[11])).get("why", "")))
        self._last, self._before, self.count = number, found, self.count + 1

    def flaw(self, first: int, last: int, what: str, detail: str) -> None:
        """One that goes on is one."""
        before = self.flaws[-1] if self.flaws else None
        if before and (before.what, before.detail, before.last + 1) == (what, detail, first):
            self.flaws[-1] = Flaw(before.first, last, what, detail)
        else:
            self.flaws.append(Flaw(first, last, what, detail))

    def _fits(self, values: tuple[object, ...], found: str) -> bool:
        for at in range(self._at, len(self.keys)):
            if hmac.compare_digest(link(self.keys[at], self._before, values), found):
                self._at = at
                return True
        return False


def _at_the_end(ctx: Context, noted: Head | None, last: int) -> list[Flaw]:
    """Whether the record still goes as far as it went when that was noted."""
    if noted is None:
        return [Flaw(last, last, "head", f"The note of how far the record goes, {NAME}, is gone or was edited.")]
    there = activity.hash_of(ctx.db.read(), noted.id)
    if noted.id > last:
        detail = f"The record went as far as #{noted.id}, and now ends with #{last}."
        return [Flaw(last + 1, noted.id, "cut", detail)]
    if noted.id and (there is None or not hmac.compare_digest(there, noted.hash)):
        return [Flaw(noted.id, noted.id, "edited", f"#{noted.id} is not the entry that was noted when it was newest.")]
    return []


def _write(ctx: Context, head: Head) -> None:
    text = json.dumps({"id": head.id, "hash": head.hash, "sign": _sign(ctx.key(KEY), head)})
    files.write_whole(ctx.data / NAME, text, mode=0o600)


def _text(ctx: Context) -> str:
    try:
        return (ctx.data / NAME).read_text("utf-8").strip()
    except (FileNotFoundError, UnicodeDecodeError):
        return ""


def _read(ctx: Context, text: str) -> Head | None:
    """Nothing where it isn't ours."""
    try:
        raw = json.loads(text)
        head, sign = Head(int(raw["id"]), str(raw["hash"])), str(raw["sign"])
    except (ValueError, KeyError, TypeError):
        return None
    return head if any(hmac.compare_digest(_sign(key, head), sign) for key in ctx.keys(KEY)) else None


def _sign(key: bytes, head: Head) -> str:
    return hmac.new(key, f"head {head.id} {head.hash}".encode(), "sha256").hexdigest()
