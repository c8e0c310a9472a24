"""What became of the last upgrade."""

import json

from appliance.model.checks import Check


def checks(last: str | None) -> list[Check]:
    """`last` is what was noted of it."""
    if last is None:
        return [Check("upgrade", "off", "There was no upgrade yet.")]
    found = json.loads(last)
    if found["why"]:
        text = f"The upgrade to {found['to']} at {found['at']} failed: {found['why']} {found['was']} goes on."
        return [Check("upgrade", "warn", text, "Try again with `homeport upgrade`, or with another file.")]
    return [Check("upgrade", "ok", f"{found['to']} took over from {found['was']} at {found['at']}.")]
