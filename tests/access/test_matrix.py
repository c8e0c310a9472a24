"""Every route, asked by each of the cast about what is theirs and what is not."""

import hashlib
import re
import sqlite3
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from appliance.access.permissions import OF_THE_APPLIANCE, PERMISSIONS, PUBLIC, SIGNED_IN
from appliance.api.routes import routes as api_routes
from appliance.ui.routes import routes as ui_routes
from appliance.web.routes import Declared
from tests.appliance import Appliance
from tests.servers import eventually

ROUTES = [one for one in (*api_routes(), *ui_routes()) if isinstance(one, Declared)]
RANK = ("none", "viewer", "developer", "admin", "owner")

# Written by hand: who is the least to hold each permission. A permission that is not here has not been thought about.
LEAST = {
    "projects.read": "viewer",
    "deployments.read": "viewer",
    "bundles.read": "viewer",
    "urls.read": "viewer",
    "activity.read": "viewer",
    "projects.create": "developer",
    "environments.create": "developer",
    "environments.update": "developer",
    "environments.freeze": "developer",
    "deployments.create": "developer",
    "deployments.cancel": "developer",
    "deployments.approve": "admin",
    "deployments.rollback": "developer",
    "deployments.promote": "developer",
    "variables.read": "developer",
    "variables.update": "developer",
    "urls.create": "developer",
    "urls.delete": "developer",
    "projects.update": "admin",
    "projects.delete": "admin",
    "environments.delete": "admin",
    "settings.read": "admin",
    "settings.update": "admin",
    "activity.verify": "admin",
    "notifications.read": "admin",
    "notifications.update": "admin",
    "backups.read": "owner",
    "backups.create": "owner",
    "backups.delete": "owner",
    "keys.own": "none",
    "keys.read": "admin",
    "keys.delete": "admin",
    "account.own": "none",
    "sign_in.update": "owner",
    "people.read": "admin",
    "people.create": "admin",
    "people.update": "admin",
    "people.delete": "admin",
    "people.owners": "owner",
    "teams.read": "admin",
    "teams.create": "admin",
    "teams.update": "admin",
    "teams.delete": "admin",
    "grants.read": "admin",
    "grants.update": "admin",
}
OF_A_WHOLE_PROJECT = {"projects.update", "projects.delete", "environments.create", "grants.read", "grants.update"}
PLACED = re.compile(r"\{(project|environment|deployment|host|sha256)\}")


@dataclass(frozen=True)
class One:
    """Somebody, and what was granted to them: by project, or by project and environment."""

    role: str
    granted: Mapping[tuple[str, str | None], str] = field(default_factory=dict)
    key: str = ""

    def rank_at(self, project: str, environment: str | None) -> int:
        given = [self.role, self.granted.get((project, None), "none")]
        if environment:
            given.append(self.granted.get((project, environment), "none"))
        return max(map(RANK.index, given))

    def rank_within(self, project: str) -> int:
        return max(self.rank_at(project, environment) for environment in (None, "production", "staging"))

    def rank_anywhere(self) -> int:
        return max(map(RANK.index, [self.role, *self.granted.values()]))


CAST = {
    "owner": One("owner"),
    "admin": One("admin"),
    "developer": One("developer"),
    "viewer": One("viewer"),
    "none": One("none"),
    "developer of own": One("none", {("own", None): "developer"}),
    "admin of own": One("viewer", {("own", None): "admin"}),
    "deployer of own staging": One("none", {("own", "staging"): "developer"}),
}


@dataclass(frozen=True)
class Where:
    """A place, and the names of what is in it."""

    project: str
    environment: str
    names: Mapping[str, str]


@dataclass(frozen=True)
class Stage:
    server: Appliance
    places: tuple[Where, ...]
    keys: Mapping[str, str]


@pytest.fixture(scope="module")
def stage(alone: Appliance) -> Stage:
    server = alone
    places = tuple(
        _place(server, project, kind) for project in ("own", "foreign") for kind in ("production", "staging")
    )
    with sqlite3.connect(server.data / "homeport.db", timeout=20) as db:
        keys = {name: _come_in(db, name, one) for name, one in CAST.items()}
        keys["expired"] = _come_in(db, "expired", One("owner"), expires="2020-01-01T00:00:00.000Z")
    db.close()
    return Stage(server, places, keys)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    with Appliance(tmp_path_factory.mktemp("matrix")) as server:
        yield server


def _place(server: Appliance, project: str, environment: str) -> Where:
    if environment == "production":
        server.project(project)
    else:
        server.ask("POST", f"/projects/{project}/environments", json={"name": environment})
    made = server.deploy(project, {"index.html": f"{project} {environment}"}, environment=environment)
    host = f"{environment}.{project}.example.com"
    server.ask("POST", f"/projects/{project}/environments/{environment}/urls", json={"host": host})
    names = {"project": project, "environment": environment, "deployment": made["id"], "host": host}
    return Where(project, environment, {**names, "sha256": made["bundle"]})


def _come_in(db: sqlite3.Connection, name: str, one: One, expires: str | None = None) -> str:
    """A person with a key. By hand, so that this does not lean on what it tests."""
    person = hashlib.sha256(name.encode()).hexdigest()[:20]
    key, at = f"hp_matrix-{person}", "2027-01-31T00:00:00.000Z"
    mail = f"{name.replace(' ', '-')}@matrix.example.com"
    _insert(db, "people", id=person, email=mail, password="-", role=one.role, created_at=at)
    _insert(
        db,
        "keys",
        id=person,
        person_id=person,
        name=name,
        prefix=key[:8],
        hash=hashlib.sha256(key.encode()).hexdigest(),
        created_at=at,
        expires_at=expires,
    )
    for number, ((project, environment), role) in enumerate(one.granted.items()):
        (project_id,) = db.execute("SELECT id FROM projects WHERE name = ?", [project]).fetchone()
        found = db.execute("SELECT id FROM environments WHERE project_id = ? AND name = ?", [project_id, environment])
        row = found.fetchone()
        _insert(
            db,
            "grants",
            id=f"{number}{person}",
            person_id=person,
            project_id=project_id,
            environment_id=row[0] if row else None,
            role=role,
            created_at=at,
            created_by="x",
        )
    return key


def _insert(db: sqlite3.Connection, table: str, **values: Any) -> None:
    marks = ",".join("?" * len(values))
    db.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", list(values.values()))


def expected(who: str, one: Declared, where: Where) -> int:
    """200 for whoever gets in, whatever comes of it."""
    if one.allow == PUBLIC:
        return 200
    if who not in CAST:
        return 401
    return 200 if one.allow == SIGNED_IN else _expected(CAST[who], one, where)


def _expected(somebody: One, one: Declared, where: Where) -> int:
    least, names = RANK.index(LEAST[one.allow]), set(PLACED.findall(one.path))
    if one.allow in OF_THE_APPLIANCE:
        rank = RANK.index(somebody.role)
    elif not names:
        rank = somebody.rank_anywhere()
    elif one.allow in OF_A_WHOLE_PROJECT:
        rank = somebody.rank_at(where.project, None)
    elif names == {"project"}:
        rank = somebody.rank_within(where.project)
    else:
        rank = somebody.rank_at(where.project, where.environment)
    if rank >= least:
        return 200
    if not names or one.allow in OF_THE_APPLIANCE:
        return 403
    seen = somebody.rank_within(where.project) if names == {"project"} else rank
    return 403 if seen >= RANK.index("viewer") else 404


def ask(stage: Stage, who: str, one: Declared, method: str, where: Where) -> int:
    """The status; 200 too for what nobody but a person who is there may ask, which is another matter."""
    path = re.sub(r"\{(\w+)(:\w+)?\}", lambda found: where.names.get(found[1], "unknown"), one.path)
    key = stage.keys.get(who)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    with stage.server.http.stream(method, stage.server.url + path, headers=headers, timeout=20) as answer:
        if (
            answer.status_code == 403
            and answer.read()
            and answer.json()["type"].endswith((":session_only", ":no_session"))
        ):
            return 200
        return answer.status_code


def agrees(one: Declared, wanted: int, got: int) -> bool:
    if got == 429:
        return bool(one.tries)  # asked too often by then, which comes before who asks
    if wanted != 200:
        return got == wanted
    of_place_alone = one.allow not in OF_THE_APPLIANCE and not set(re.findall(r"\{(\w+)", one.path)) - set(
        PLACED.findall(one.path)
    )
    return got not in (401, 403) and (got != 404 or not of_place_alone or one.allow == PUBLIC) and got < 500


@pytest.mark.parametrize("who", [*CAST, "expired", "nobody"])
def test_every_route_for_each_of_the_cast(stage: Stage, who: str) -> None:
    wrong = []
    for one in ROUTES:
        for method in sorted((one.methods or set()) - {"HEAD"}):
            for where in stage.places:
                wanted = expected(who, one, where)
                if wanted == 200 and method not in ("GET", "OPTIONS"):
                    continue  # it would be done
                got = ask(stage, who, one, method, where)
                if not agrees(one, wanted, got):
                    wrong.append(f"{method} {one.path} in {where.project} {where.environment}: {got}, not {wanted}")
    assert wrong == []


def test_every_permission_has_been_thought_about() -> None:
    assert PERMISSIONS.keys() <= LEAST.keys()


def test_what_may_not_be_seen_is_told_of_as_what_is_not_there(stage: Stage) -> None:
    """Word for word, but for the name that was asked for."""
    key = {"Authorization": f"Bearer {stage.keys['deployer of own staging']}"}
    hidden = next(one for one in stage.places if (one.project, one.environment) == ("own", "production"))
    foreign = next(one for one in stage.places if one.project == "foreign")
    pairs = [
        ("/projects/foreign", "/projects/missing"),
        ("/projects/foreign/environments/production", "/projects/missing/environments/production"),
        ("/projects/own/environments/production", "/projects/own/environments/missing"),
        (f"/deployments/{foreign.names['deployment']}", "/deployments/missing"),
        (f"/deployments/{hidden.names['deployment']}/log", "/deployments/missing/log"),
        (f"/bundles/{foreign.names['sha256']}", f"/bundles/{'0' * 64}"),
    ]
    for there, missing in pairs:
        seen, unknown = (_told(stage.server, path, key) for path in (there, missing))
        names = [there.rsplit("/", 1)[1], missing.rsplit("/", 1)[1], "foreign", "missing"]
        assert _bare(seen, names) == _bare(unknown, names), there
        assert seen["status"] == 404


def test_lists_show_only_what_may_be_seen(stage: Stage) -> None:
    key = {"Authorization": f"Bearer {stage.keys['deployer of own staging']}"}

    def names(path: str, what: str) -> set[str]:
        return {item[what] for item in _told(stage.server, path, key)["items"]}

    assert names("/projects", "name") == {"own"}
    assert names("/projects/own/environments", "name") == {"staging"}
    assert names("/deployments", "environment") == {"staging"}
    assert names("/deployments?project=foreign", "id") == set()
    assert names("/urls", "host") == {"staging.own.example.com"}
    assert names("/activity", "environment") == {"staging"}
    (project,) = _told(stage.server, "/projects", key)["items"]
    assert project["environments"] == ["staging"]


def test_what_was_granted_or_taken_counts_at_once(stage: Stage) -> None:
    key = {"Authorization": f"Bearer {stage.keys['none']}"}
    person = hashlib.sha256(b"none").hexdigest()[:20]
    assert _told(stage.server, "/projects", key)["status"] == 403
    with sqlite3.connect(stage.server.data / "homeport.db", timeout=20) as db:
        db.execute("UPDATE people SET role = 'viewer' WHERE id = ?", [person])
    eventually(lambda: "items" in _told(stage.server, "/projects", key))
    with sqlite3.connect(stage.server.data / "homeport.db", timeout=20) as db:
        db.execute("UPDATE people SET role = 'none' WHERE id = ?", [person])
    db.close()
    began = time.monotonic()
    eventually(lambda: _told(stage.server, "/projects", key).get("status") == 403)
    assert time.monotonic() - began < 5


def _told(server: Appliance, path: str, headers: dict[str, str]) -> Any:
    return httpx.get(f"{server.url}/api/v1{path}", headers=headers, timeout=20).json()


def _bare(problem: dict[str, Any], names: list[str]) -> dict[str, Any]:
    text = problem["detail"]
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(name, "…")
    return {**problem, "detail": text, "request_id": "", "instance": ""}
