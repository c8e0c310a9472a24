"""What a name server refuses, turned into a decision and words for a person."""

from collections.abc import Iterator
from contextlib import contextmanager

import dns.exception
import dns.query
import dns.rcode
import dns.tsig

from appliance.dns.rows import Overtaken
from appliance.errors import RemoteFailed

OVERTAKEN = {dns.rcode.NXRRSET, dns.rcode.YXRRSET, dns.rcode.NXDOMAIN, dns.rcode.YXDOMAIN}
REFUSED = {dns.rcode.REFUSED, dns.rcode.NOTAUTH}


class BadKey(RemoteFailed):
    """The name server does not accept the key."""

    code = "dns_key"


class NotAllowed(RemoteFailed):
    """The key is good, but not for this zone."""

    code = "dns_not_allowed"


class Silent(RemoteFailed):
    """No answer; later there may be one."""

    code = "dns_silent"


@contextmanager
def words(server: str, key: str) -> Iterator[None]:
    """The resolver's errors as ours."""
    try:
        yield
    except dns.tsig.PeerBadKey:
        raise BadKey(
            f"{server} knows no key named {key!r}.",
            permanent=True,
            todo=("Give the name that the name server has for the key, or add the key there.",),
        ) from None
    except (dns.tsig.PeerBadSignature, dns.tsig.BadSignature, dns.tsig.PeerBadTruncation):
        raise BadKey(
            f"{server} knows the key {key!r}, but with another secret or algorithm.",
            permanent=True,
            todo=("Copy the secret and the algorithm from the name server again.",),
        ) from None
    except (dns.tsig.PeerBadTime, dns.tsig.BadTime):
        raise BadKey(
            f"The clocks of {server} and of this host are too far apart for a signed update.",
            permanent=False,
            todo=("Set both clocks by NTP.",),
        ) from None
    except (dns.exception.Timeout, OSError, EOFError):
        raise Silent(
            f"Nothing answers as a name server at {server}.",
            permanent=False,
            todo=("Check that it runs, and that this host may reach it by TCP and UDP at that port.",),
        ) from None
    except dns.exception.DNSException as why:
        raise RemoteFailed(f"{server} gave an answer that can't be read: {why}.", permanent=False) from None


def check_rcode(code: dns.rcode.Rcode, server: str, zone: str, host: str) -> None:
    """Raises unless the update was carried out."""
    said = dns.rcode.to_text(code)
    if code == dns.rcode.NOERROR:
        return
    if code in OVERTAKEN:
        raise Overtaken(f"The records of {host} have just been changed by someone else.", permanent=False, said=said)
    if code in REFUSED:
        raise NotAllowed(
            f"{server} does not let this key change {zone} ({said}).",
            permanent=True,
            todo=(f"Allow the key to update {zone} there: `update-policy` or `allow-update` in BIND.",),
            said=said,
        )
    if code == dns.rcode.SERVFAIL:
        raise Silent(
            f"{server} could not carry out the update of {zone} (SERVFAIL).",
            permanent=False,
            todo=("Look into its log: often it may not write the zone's file or its journal.",),
            said=said,
        )
    raise RemoteFailed(f"{server} refused to change {host} ({said}).", permanent=True, said=said)
