"""Whether NGINX passes on to Homeport what is asked for under the domain of deployments."""

from appliance.errors import RemoteFailed
from appliance.machine import served
from appliance.machine.http import look

NOBODY = "nothing-here"  # no deployment has an id like this


def amiss(address: served.Address, domain: str) -> str | None:
    """What is wrong, in words. Homeport says of every name there that search engines are to leave it out."""
    try:
        answer = look(address, f"{NOBODY}.{domain}", most=served.MOST_BODY)
    except RemoteFailed as why:
        return why.detail.rstrip(".")
    if answer.headers.get("x-robots-tag") != "noindex":
        return f"what answers under {domain} is not Homeport"
    return None
