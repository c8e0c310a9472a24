"""A search finds what has the text in its name, by either way of looking, and in pages."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.context import Context
from appliance.store import projects
from tests import inside

AT = "2026-01-01T00:00:00Z"
NAMES = [*(f"site-{number}" for number in range(300)), "abababab", "z", "shop", "a-shop-of-shops"]
TEXTS = ("site", "s", "-", "shop", "SHOP", "ab", "z", "ite-29", "site-299", "te-1", "{", "_", "%", "nothing", "é", "")


@pytest.mark.parametrize("text", TEXTS)
def test_what_is_found(ctx: Context, text: str) -> None:
    assert found(ctx, text) == sorted(name for name in NAMES if text.lower() in name)


def test_what_was_renamed_or_deleted_is_found_as_it_is_now(ctx: Context) -> None:
    with ctx.db.write() as db:
        for name, new in (("shop", "market"), ("z", "market-2")):
            project = projects.find(db, name)
            assert project
            projects.rename(db, project.id, new)
        gone = projects.find(db, "a-shop-of-shops")
        assert gone
        projects.remove(db, gone.id)
    assert found(ctx, "market") == ["market", "market-2"]
    assert found(ctx, "shop") == found(ctx, "z") == []


@pytest.fixture
def ctx(tmp_path: Path) -> Iterator[Context]:
    with inside.context(tmp_path / "data") as made:
        with made.db.write() as db:
            for name in NAMES:
                projects.add(db, name, AT, "owner")
        yield made


def found(ctx: Context, text: str) -> list[str]:
    names, cursor = list[str](), None
    while True:
        page = projects.search(ctx.db.read(), text, cursor=cursor, limit=40)
        names += [one.name for one in page.items]
        if page.next is None:
            return names
        cursor = page.next
