"""What became of the domain of deployments. There is one at most."""

import json
from dataclasses import asdict

from appliance.model.domains import Domain
from appliance.store import saved
from appliance.store.db import Connection

DOMAIN = "deployments.domain"


def find(db: Connection) -> Domain | None:
    text = saved.meta(db, DOMAIN)
    return Domain(**json.loads(text)) if text else None


def put(db: Connection, domain: Domain) -> None:
    saved.set_meta(db, DOMAIN, json.dumps(asdict(domain)))


def remove(db: Connection) -> None:
    saved.set_meta(db, DOMAIN, "")
