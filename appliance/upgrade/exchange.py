"""Asking the appliance that runs for a new key."""

from pathlib import Path

from appliance.errors import HostFailed, NotFound
from appliance.upgrade.talk import call, refused

PATIENCE = 120.0


def ask(data: Path) -> int | None:
    """How many secrets are sealed with it; None where no appliance runs."""
    try:
        talk = call(data)
    except NotFound:
        return None
    try:
        talk.say(do="rotate-key")
        told = talk.hear(PATIENCE)
    finally:
        talk.close()
    if told is None:
        raise HostFailed(
            "The appliance ended, or says nothing. The next start goes on with the key that its database has.",
            code="no_answer",
            todo=("Start it, then see in Activity whether there is a new key.",),
        )
    if "failed" in told:
        raise refused(told)
    return int(told["done"])
