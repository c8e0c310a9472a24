"""The record of activity can't be quietly changed."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.access import chain, secrets
from appliance.access.actor import OPERATOR
from appliance.access.record import record
from appliance.app import open_context
from appliance.context import Context
from appliance.model.activity import Flaw, Verified
from appliance.settings import Settings
from appliance.store import activity
from tests.inside import context

COUNT = 12


@pytest.fixture
def ctx(tmp_path: Path) -> Iterator[Context]:
    with context(tmp_path / "data") as ctx:
        for number in range(COUNT):
            with ctx.write() as db:
                record(ctx, db, OPERATOR, "project.create", f"site-{number}", number=number)
        chain.note(ctx)
        yield ctx


def meddle(ctx: Context, *statements: str) -> None:
    """As somebody who can write the database, and has taken its triggers away."""
    meddle_at(ctx.data / "homeport.db", *statements)


def meddle_at(path: Path, *statements: str) -> None:
    db = sqlite3.connect(path, isolation_level=None)
    for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'activity'"):
        db.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        db.execute(statement)
    db.close()


def seen(found: Verified) -> list[tuple[str, int, int]]:
    assert found.whole == (not found.flaws)
    return [(flaw.what, flaw.first, flaw.last) for flaw in found.flaws]


def test_what_was_left_alone_is_whole(ctx: Context) -> None:
    found = chain.verify(ctx)
    assert found.whole and found.flaws == () and found.entries == found.last == COUNT
    assert found.hash == activity.head(ctx.db.read())[1]


@pytest.mark.parametrize(
    "column", ["at", "actor", "actor_kind", "verb", "subject", "project", "door", "ip", "data", "person", "key_id"]
)
def test_an_edit_of_any_column_is_found(ctx: Context, column: str) -> None:
    meddle(ctx, f"UPDATE activity SET {column} = '{{}}' WHERE id = 5")
    assert seen(chain.verify(ctx)) == [("edited", 5, 5)]


def test_an_edit_with_a_hash_of_ones_own_is_found(ctx: Context) -> None:
    meddle(ctx, f"UPDATE activity SET actor = 'someone else', hash = '{'0' * 64}' WHERE id = 5")
    assert seen(chain.verify(ctx)) == [("edited", 5, 6)]


def test_one_that_is_gone_from_the_middle_is_found(ctx: Context) -> None:
    meddle(ctx, "DELETE FROM activity WHERE id IN (4, 5)")
    assert seen(chain.verify(ctx)) == [("missing", 4, 5)]


def test_one_that_is_gone_and_its_number_given_to_the_next_is_found(ctx: Context) -> None:
    meddle(
        ctx,
        "DELETE FROM activity WHERE id = 4",
        *(f"UPDATE activity SET id = id - 1 WHERE id = {it}" for it in range(5, 13)),
    )
    assert ("edited", 4, 11) in seen(chain.verify(ctx))


@pytest.mark.parametrize("more", [(), (f"UPDATE sqlite_sequence SET seq = {COUNT - 3} WHERE name = 'activity'",)])
def test_an_end_that_was_cut_off_is_found(ctx: Context, more: tuple[str, ...]) -> None:
    meddle(ctx, f"DELETE FROM activity WHERE id > {COUNT - 3}", *more)
    assert ("cut", COUNT - 2, COUNT) in seen(chain.verify(ctx))


def test_all_of_it_gone_is_found(ctx: Context) -> None:
    meddle(ctx, "DELETE FROM activity", "DELETE FROM sqlite_sequence WHERE name = 'activity'")
    assert seen(chain.verify(ctx)) == [("cut", 1, COUNT)]


def test_a_cut_stays_on_record_whatever_is_written_after_it(ctx: Context) -> None:
    meddle(ctx, "DELETE FROM activity WHERE id > 9", "UPDATE sqlite_sequence SET seq = 9 WHERE name = 'activity'")
    chain.see_to_it(ctx)
    for number in range(5):
        with ctx.write() as db:
            record(ctx, db, OPERATOR, "project.create", f"later-{number}")
    chain.note(ctx)
    chain.see_to_it(ctx)
    (flaw,) = chain.verify(ctx).flaws
    assert (flaw.what, flaw.first) == ("cut", 10) and "as far as #12, and now ends with #9" in flaw.detail


def test_one_that_was_added_is_found(ctx: Context) -> None:
    columns = ", ".join(activity.COLUMNS[1:])
    meddle(ctx, f"INSERT INTO activity ({columns}, hash) SELECT {columns}, hash FROM activity WHERE id = 3")
    assert seen(chain.verify(ctx)) == [("edited", COUNT + 1, COUNT + 1)]


def test_two_that_changed_places_are_found(ctx: Context) -> None:
    meddle(ctx, *(f"UPDATE activity SET id = {to} WHERE id = {it}" for it, to in ((4, 99), (7, 4), (99, 7))))
    assert {4, 7} <= {flaw.first for flaw in chain.verify(ctx).flaws}


def test_a_note_that_is_gone_or_made_up_is_found(ctx: Context) -> None:
    note = ctx.data / chain.NAME
    assert note.stat().st_mode & 0o077 == 0
    text = json.loads(note.read_text())
    early = activity.hash_of(ctx.db.read(), 5)
    meddle(ctx, "DELETE FROM activity WHERE id > 5", "UPDATE sqlite_sequence SET seq = 5 WHERE name = 'activity'")
    for wrong in (json.dumps({**text, "id": 5, "hash": early}), "", "[]", '{"id": 5}'):
        note.write_text(wrong)
        assert seen(chain.verify(ctx)) == [("head", 5, 5)]
    note.unlink()
    assert seen(chain.verify(ctx)) == [("head", 5, 5)]


def test_the_record_goes_on_over_restarts_and_what_a_power_cut_left(ctx: Context, tmp_path: Path) -> None:
    """The note may be behind what is in the database, never ahead of it."""
    with ctx.write() as db:
        record(ctx, db, OPERATOR, "project.delete", "site-1")
    shutil.copytree(ctx.data, tmp_path / "after")
    again = open_context(Settings(data=tmp_path / "after"))
    assert chain.verify(again).whole
    chain.see_to_it(again)
    assert chain.verify(again).whole and chain.verify(again).entries == COUNT + 1
    again.db.close()


def test_entries_under_an_earlier_key_can_still_be_verified(ctx: Context) -> None:
    secrets.rotate(ctx)
    with ctx.write() as db:
        record(ctx, db, OPERATOR, "project.create", "later")
    chain.note(ctx)
    assert chain.verify(ctx).whole
    meddle(ctx, "UPDATE activity SET subject = 'other' WHERE id IN (2, 14)")
    assert seen(chain.verify(ctx)) == [("edited", 2, 2), ("edited", 14, 14)]


def test_after_a_restore_it_goes_on_from_what_came(ctx: Context) -> None:
    meddle(ctx, "DELETE FROM activity WHERE id > 8", "UPDATE sqlite_sequence SET seq = 8 WHERE name = 'activity'")
    chain.mark_restored(ctx.data)
    chain.see_to_it(ctx)
    assert chain.verify(ctx).whole
    assert activity.newest(ctx.db.read(), limit=1).items[0].verb == chain.CAME


def test_what_an_earlier_version_recorded_is_bound_on_the_first_start(ctx: Context) -> None:
    meddle(ctx, "UPDATE activity SET hash = ''")
    (ctx.data / chain.NAME).unlink()
    again = open_context(ctx.base)
    assert chain.verify(again).whole
    again.db.close()


def test_going_back_to_an_earlier_form_hides_no_edit(ctx: Context) -> None:
    """With the note there, rows are bound again only as they were."""
    meddle(ctx, "UPDATE activity SET hash = '', actor = 'someone else'")
    again = open_context(ctx.base)
    chain.see_to_it(again)
    assert (
        Flaw(COUNT + 1, COUNT + 1, "cut", "#12 is not the entry that was noted when it was newest.")
        in chain.verify(again).flaws
    )
    again.db.close()
