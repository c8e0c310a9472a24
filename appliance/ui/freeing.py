"""What goes when something is deleted, said before it happens."""

from collections.abc import Mapping

from appliance.errors import Invalid
from appliance.model.amounts import how_many
from appliance.projects.frees import Frees
from appliance.web.words import bare

SHOWN = 5


def freed(what: Frees) -> str:
    """One sentence or two of consequence."""
    return " ".join(part for part in (_environments(what), _answering(what), _record(what)) if part)


def confirmed(raw: Mapping[str, str], name: str) -> None:
    """Whoever deletes types the name."""
    if raw.get("confirm", "").strip() != name:
        raise Invalid({"confirm": f"Type {name} to delete it"})


def _environments(what: Frees) -> str:
    if not what.environments:
        return "It has no environments."
    if len(what.environments) == 1:
        return f"The environment {what.environments[0]} goes."
    return f"{len(what.environments)} environments go: {', '.join(what.environments)}."


def _answering(what: Frees) -> str:
    hosts = [bare(one) for one in what.stops_answering]
    if not hosts:
        return ""
    more = f" and {len(hosts) - SHOWN} more" if len(hosts) > SHOWN else ""
    return f"{'This stops' if len(hosts) == 1 else 'These stop'} answering: {', '.join(hosts[:SHOWN])}{more}."


def _record(what: Frees) -> str:
    return f"The record of {how_many(what.deployments, 'deployment')} goes too." if what.deployments else ""
