"""The process log from within: what is kept of what our own loggers say, and for how long."""

import logging
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from appliance import process_log
from appliance.context import Context
from appliance.machine import clock
from appliance.model.process_log import LogAsked, LogLine
from appliance.store import process_log as kept
from tests.inside import context


def lines(ctx: Context) -> list[LogLine]:
    """The oldest first."""
    return list(kept.after(ctx.db.read(), LogAsked(), 0, 1000))


def test_our_own_warnings_are_in_it_once_and_without_secrets(tmp_path: Path) -> None:
    with context(tmp_path / "data") as ctx:
        ctx.base = replace(ctx.base, cloudflare_token="not-for-the-log")
        end = process_log.keep(ctx)
        try:
            raise ValueError("it was not-for-the-log")
        except ValueError:
            logging.getLogger("homeport.worker").exception("job %s failed", "x")
        logging.getLogger("homeport.mail").warning("in other words", extra=process_log.TOLD)
        logging.getLogger("homeport.mail").info("nothing to worry about")
        logging.getLogger("someone.else").warning("not ours")
        with ctx.db.write() as db:  # whoever logs may be in the middle of writing
            logging.getLogger("homeport.mail").warning("in the middle")
            kept.last_number(db)
        end()
        assert [(one.area, one.level, one.text) for one in lines(ctx)] == [
            ("homeport", "error", "job x failed: ValueError: it was (secret)"),
            ("mail", "warn", "in the middle"),
        ]


def test_it_stops_nothing_of_what_it_tells(tmp_path: Path) -> None:
    with context(tmp_path / "data") as ctx:
        with ctx.db.write() as db:
            process_log.tell(ctx, "dns", "in a transaction of somebody else")
            assert kept.last_number(db) == 0
        process_log.tell(ctx, "dns", "afterwards")
        assert [one.text for one in lines(ctx)] == ["afterwards"]
    process_log.tell(ctx, "dns", "after the end")


def test_old_lines_go_and_the_oldest_of_too_many(tmp_path: Path) -> None:
    with context(tmp_path / "data") as ctx:
        ctx.base = replace(ctx.base, log_days=2, log_lines=3)
        now = clock.now()
        ctx.now = lambda: now - timedelta(days=3)
        process_log.tell(ctx, "nginx", "too old")
        ctx.now = lambda: now
        process_log.tell(ctx, "nginx", "new")
        process_log.forget_old(ctx)
        assert [one.text for one in lines(ctx)] == ["new"]
        for number in range(4):
            process_log.tell(ctx, "nginx", f"number {number}")
        process_log.forget_old(ctx)
        assert [one.text for one in lines(ctx)] == ["number 1", "number 2", "number 3"]
        process_log.tell(ctx, "nginx", "two\nlines", todo=("Do this.",))
        *_, above, last = lines(ctx)
        assert (above.text, above.todo, last.text, last.todo) == ("two", (), "lines", ("Do this.",))
        assert last.id == 8, "a number is not given out twice"
