"""People of other roles, who come in by password."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import httpx

from appliance.access import passwords
from appliance.machine import clock
from tests.appliance import Appliance

PASSWORD = "staple battery horse"


def add_person(server: Appliance, email: str, role: str, password: str = PASSWORD) -> str:
    """Made beside the appliance: only a hash that is quick to make differs from what a door would do."""
    person = clock.new_id()
    with sqlite3.connect(server.data / "homeport.db", timeout=20) as db:
        row = [person, email, passwords.hashed(password, 4), role, "2027-01-31T00:00:00Z"]
        db.execute("INSERT INTO people (id, email, password, role, created_at) VALUES (?, ?, ?, ?, ?)", row)
    db.close()
    return person


def age(server: Appliance, email: str, minutes: int = 11) -> None:
    """As if every session of theirs had been confirmed that long ago."""
    at = clock.text(clock.now() - timedelta(minutes=minutes))
    with sqlite3.connect(server.data / "homeport.db", timeout=20) as db:
        who = db.execute("SELECT id FROM people WHERE email = ?", [email]).fetchone()
        db.execute("UPDATE sessions SET confirmed_at = ? WHERE person_id = ?", [at, who[0]])
    db.close()


@contextmanager
def signed_in_as(server: Appliance, role: str, email: str = "") -> Iterator[httpx.Client]:
    """The API, to someone with this role."""
    address = email or f"{role}@example.com"
    add_person(server, address, role)
    with httpx.Client(base_url=f"{server.url}/api/v1", timeout=30) as client:
        token = client.post("/login", json={"email": address, "password": PASSWORD}).json()["token"]
        client.headers["Authorization"] = f"Bearer {token}"
        yield client
