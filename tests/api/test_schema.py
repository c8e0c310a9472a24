"""What the document of the API says, held against what answers: made-up requests of every kind, as each role."""

import hashlib
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.appliance import Appliance

pytestmark = pytest.mark.slow
EXAMPLES = 8
# What a schema can't say (a name is taken, a moment has passed) is refused all the same.
OVER_STRICT = [positive_data_acceptance]
ROLES = ("owner", "admin", "developer", "viewer", "none", "nobody")


@schemathesis.serializer(
    "application/zip",
    "application/octet-stream",
    "application/offset+octet-stream",
    "application/vnd.homeport.contents",
)
def as_it_is(_: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    with Appliance(tmp_path_factory.mktemp("schema")) as server:
        server.project("blog")
        server.deploy("blog", {"index.html": "hello"})
        yield server


def _key(server: Appliance, role: str) -> str:
    person, key = hashlib.sha256(role.encode()).hexdigest()[:20], f"hp_schema-{role}-{'x' * 20}"
    with sqlite3.connect(server.data / "homeport.db", timeout=20) as db:
        row = [person, f"{role}@schema.example.com", "-", role, "2027-01-31T00:00:00.000Z"]
        db.execute("INSERT OR IGNORE INTO people (id, email, password, role, created_at) VALUES (?, ?, ?, ?, ?)", row)
        hashed = hashlib.sha256(key.encode()).hexdigest()
        db.execute(
            "INSERT OR IGNORE INTO keys (id, person_id, name, prefix, hash, created_at) VALUES (?, ?, ?, ?, ?, ?)",
            [person, person, role, "hp_schem", hashed, "2027-01-31T00:00:00.000Z"],
        )
    db.close()
    return key


@pytest.mark.parametrize("role", ROLES)
def test_it_keeps_its_word(alone: Appliance, role: str) -> None:
    headers = {"Authorization": f"Bearer {_key(alone, role)}"} if role != "nobody" else {}
    document = schemathesis.openapi.from_url(f"{alone.url}/api/v1/openapi.json")
    wrong = []
    for found in document.get_all_operations():
        operation = found.ok()  # type: ignore[union-attr]
        try:
            _ask(operation, alone.url, headers)
        except (FailureGroup, Failure) as why:
            wrong.append(f"{operation.label}: {why}")
    assert not wrong, "\n\n".join(wrong)


def _ask(operation: Any, base: str, headers: dict[str, str]) -> None:
    @seed(0)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def each(case: Any) -> None:
        case.call_and_validate(base_url=base, headers=headers, timeout=30, excluded_checks=OVER_STRICT)

    each()
