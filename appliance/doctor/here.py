"""The checks of a running appliance, with what its database knows."""

from appliance.backends import REGISTRY, load
from appliance.context import Context
from appliance.dns import provider
from appliance.doctor.examine import Around, examine
from appliance.machine import clock
from appliance.model.checks import Check
from appliance.store import activity, urls


def examine_here(ctx: Context) -> list[Check]:
    """What is and isn't in order, with the plug-ins in use and the host names served."""
    db = ctx.db.read()
    newest = activity.newest(db, limit=1).items
    around = Around(
        backends=tuple(load(name, ctx.settings) for name in REGISTRY),
        provider=provider(ctx.settings, ctx.instance),
        hosts=tuple(url.host for url in urls.every(db)),
        newest=clock.parse(newest[0].at) if newest else None,
    )
    return examine(ctx.settings, around)
