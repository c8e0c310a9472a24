"""What rollbacks lead back to: chains of deployments, followed in one look."""

from collections.abc import Sequence

from appliance.store.db import Connection

LONGEST = 1000  # of a chain that is followed
_CHAIN = """WITH RECURSIVE chain (start, id, source, depth) AS (
        SELECT id, id, source, 0 FROM deployments WHERE id IN ({marks})
        UNION ALL
        SELECT c.start, d.id, d.source, c.depth + 1 FROM chain c JOIN deployments this ON this.id = c.id
        JOIN deployments d ON d.id = this.{column} WHERE c.source = 'rollback' AND c.depth < {longest}
    ) SELECT start, id FROM chain WHERE source <> 'rollback'"""


def ends(db: Connection, ids: Sequence[str]) -> dict[str, tuple[str, str]]:
    """For rollbacks: what was live before anyone rolled back, and what it was rolled back to in the end."""
    before, after = _follow(db, "replaced", ids), _follow(db, "origin", ids)
    return {one: (before[one], after[one]) for one in ids if one in before and one in after}


def _follow(db: Connection, column: str, ids: Sequence[str]) -> dict[str, str]:
    sql = _CHAIN.format(marks=",".join("?" * len(ids)), column=column, longest=LONGEST)
    return {row["start"]: row["id"] for row in db.execute(sql, list(ids))}
