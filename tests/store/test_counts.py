"""What is counted as it comes and goes is what there is."""

import sqlite3
from contextlib import closing

from tests.appliance import Appliance

COUNTED = (
    ("SELECT status, n FROM url_counts WHERE n > 0", "SELECT status, count(*) FROM urls GROUP BY status"),
    ("SELECT status, n FROM deployment_counts WHERE n > 0", "SELECT status, count(*) FROM deployments GROUP BY status"),
)


def counted(server: Appliance) -> list[dict[str, int]]:
    """Each kept count, after it was compared with the rows."""
    with closing(sqlite3.connect(server.data / "homeport.db")) as db:
        found = [(dict(db.execute(kept)), dict(db.execute(rows))) for kept, rows in COUNTED]
    for kept, there in found:
        assert kept == there
    return [kept for kept, _ in found]


def test_urls_and_deployments_that_come_and_go(fresh: Appliance) -> None:
    fresh.project("counted")
    urls = "/projects/counted/environments/production/urls"
    for host in ("a.example.com", "b.example.com"):
        assert fresh.ask("POST", urls, json={"host": host}).status_code == 201
    fresh.deploy("counted", {"index.html": "x"})
    of_urls, of_deployments = counted(fresh)
    assert sum(of_urls.values()) == 2 and of_deployments == {"succeeded": 1}
    assert fresh.ask("DELETE", "/projects/counted").status_code == 204
    assert counted(fresh) == [{}, {}]
