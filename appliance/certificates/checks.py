"""Whether the ACME server that is set can be used, for the Test button."""

from appliance.certificates import acme, pem
from appliance.certificates.refusals import host_of
from appliance.errors import HomeportError
from appliance.model.checks import Check
from appliance.settings import Settings


def look(settings: Settings) -> list[Check]:
    """Its directory alone is asked for. Never raises."""
    place = host_of(settings.acme_directory)
    client = acme.Client(settings.acme_directory, pem.new_key())
    try:
        bound, tells = client.wants_binding, client.tells_when
    except HomeportError as why:
        return [Check("acme.directory", "failed", why.detail, " ".join(why.todo))]
    found = [Check("acme.directory", "ok", f"{place} answers as an ACME server.")]
    if bound and not (settings.acme_eab_id and settings.acme_eab_key):
        found.append(
            Check("acme.account", "failed", f"{place} wants an account there first.", "Enter its id and its key.")
        )
    elif bound:
        found.append(
            Check("acme.account", "ok", "The account there is entered; the first certificate shows if it fits.")
        )
    says = "says when it would like certificates renewed." if tells else "leaves it to us when to renew."
    found.append(Check("acme.renewal", "ok", f"{place} {says}"))
    return found
