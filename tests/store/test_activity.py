"""What was recorded stays recorded."""

import sqlite3

import pytest

from appliance.store.db import Database
from tests.appliance import Appliance


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE activity SET actor = 'someone else'",
        "UPDATE activity SET at = '2020-01-01T00:00:00.000Z' WHERE id = 1",
        "DELETE FROM activity",
        "DELETE FROM activity WHERE id = (SELECT max(id) FROM activity)",
        "INSERT OR REPLACE INTO activity SELECT * FROM activity",
        "REPLACE INTO activity (id, at, actor, actor_kind, verb, subject, door, data) "
        "VALUES (1, '', '', '', '', '', '', '{}')",
    ],
)
def test_it_can_not_be_edited_or_removed(server: Appliance, change: str) -> None:
    database = Database(server.data / "homeport.db")
    before = rows(database)
    assert before
    with pytest.raises(sqlite3.DatabaseError, match="activity is never"), database.write() as db:
        db.execute(change)
    assert rows(database) == before
    database.close()


def test_deleting_a_project_leaves_its_record(server: Appliance) -> None:
    server.project("recorded")
    server.deploy("recorded", {"index.html": "x"})
    server.ask("DELETE", "/projects/recorded")
    verbs = [one["verb"] for one in server.get("/activity?project=recorded")["items"]]
    assert verbs == ["project.delete", "deployment.live", "deployment.create", "project.create"]


def rows(database: Database) -> list[tuple[object, ...]]:
    return [tuple(row) for row in database.read().execute("SELECT * FROM activity ORDER BY id LIMIT 50")]
