"""Edits by hand in NGINX's files of URLs, as far as someone still has to say what is to become of them."""

from appliance.model.checks import Check
from appliance.model.edits import SeenEdit


def checks(edits: tuple[SeenEdit, ...]) -> list[Check]:
    undecided = [seen.edit for seen in edits if not seen.kept]
    if not undecided:
        kept = f" {len(edits)} kept as edited." if edits else ""
        return [Check("nginx.edits", "ok", f"No edit by hand waits for a word.{kept}")]
    more = f" And {len(undecided) - 1} more." if len(undecided) > 1 else ""
    mend = "Look with `homeport nginx status`, then restore or keep it."
    return [Check("nginx.edits", "warn", f"{undecided[0].host}: {undecided[0].detail}{more}", mend)]
