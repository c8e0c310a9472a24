"""What an ACME server says no with, in words for a person."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from appliance.errors import RemoteFailed

LATER = 3600.0  # seconds, where a server that is asked too often does not name them
PASSING = frozenset({"rateLimited", "serverInternal", "connection", "dns", "unauthorized", "incorrectResponse", "tls"})
WORDS = {
    "accountDoesNotExist": "It does not know this appliance's account any more",
    "badCSR": "It does not like what the certificate is asked to hold",
    "caa": "A CAA record in DNS forbids it to issue for this name",
    "connection": "It could not reach this name over HTTP from outside",
    "dns": "It could not look the name up in DNS",
    "externalAccountRequired": "It wants an account there first (external account binding)",
    "incorrectResponse": "It found something else than was agreed on under this name",
    "invalidContact": "It does not take the e-mail address",
    "rateLimited": "It was asked too often, and takes no more for now",
    "rejectedIdentifier": "It does not issue for this name",
    "serverInternal": "It has trouble of its own",
    "unauthorized": "It did not find what shows that the name leads to this host",
    "unsupportedContact": "It does not take the e-mail address",
    "userActionRequired": "It wants somebody to agree to something first",
}
MEND = {
    "accountDoesNotExist": "Check the directory in Settings, Certificates.",
    "caa": "Add the authority to the CAA record of the domain, or remove that.",
    "connection": "Have port 80 of this name lead to NGINX on this host, through any firewall.",
    "dns": "Point the name at this host in DNS, then wait until it is known.",
    "externalAccountRequired": "Enter the account's id and key in Settings, Certificates.",
    "incorrectResponse": "Point the name at this host, and at nothing else.",
    "invalidContact": "Enter another e-mail address in Settings, Certificates.",
    "rateLimited": "Nothing needs to be done: it is asked again later by itself.",
    "rejectedIdentifier": "Use the internal CA for names that are not public, or upload a certificate.",
    "unauthorized": "Point the name at this host in DNS, and at nothing else.",
    "unsupportedContact": "Enter another e-mail address in Settings, Certificates.",
}


def of(problem: Mapping[str, Any], status: int, url: str, retry_after: float = 0) -> RemoteFailed:
    """The refusal behind a problem document; whether trying again can help is told from its type."""
    kind = str(problem.get("type", "")).rpartition(":")[2]
    detail = " ".join(str(problem.get("detail", "")).split())[:1000]
    if status == 429 and kind not in WORDS:
        kind = "rateLimited"
    words = WORDS.get(kind, f"It answered {status}")
    if kind == "rateLimited":
        retry_after = retry_after or LATER
    return RemoteFailed(
        f"The certificate authority {host_of(url)} says no. {words}.",
        permanent=kind not in PASSING and status < 500,
        retry_after=retry_after,
        code=f"acme_{kind}" if kind in WORDS else "acme_refused",
        todo=(MEND[kind],) if kind in MEND else (),
        said=detail,
    )


def strange(url: str, why: str) -> RemoteFailed:
    return RemoteFailed(
        f"The certificate authority {host_of(url)} can't be used: {why}.",
        permanent=False,
        code="acme_strange",
        todo=("Check the directory in Settings, Certificates.",),
    )


def host_of(url: str) -> str:
    return urlsplit(url).netloc or url
