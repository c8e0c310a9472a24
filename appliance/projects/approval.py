"""Say whether an environment asks for a second person before a deployment goes live."""

from appliance.access.actor import Actor
from appliance.access.permissions import need
from appliance.access.record import record_in
from appliance.context import Context
from appliance.events import ProjectChanged
from appliance.model.approvals import ApprovalRule
from appliance.model.environments import Environment
from appliance.projects.find import find_environment
from appliance.store import environments


def change_approval(ctx: Context, actor: Actor, project: str, name: str, rule: ApprovalRule | None) -> Environment:
    """For deployments to come; one that waits for somebody goes on waiting. Who may approve may say this."""
    environment = find_environment(ctx, project, name)
    need(actor, "deployments.approve", environment.at)
    with ctx.write(ProjectChanged(project)) as db:
        now = environments.by_id(db, environment.id) or environment
        if now.approval == rule:
            return now
        environments.set_approval(db, now.id, rule)
        record_in(ctx, db, actor, "environment.approval", now, was=_words(now.approval), to=_words(rule))
    return find_environment(ctx, project, name)


def _words(rule: ApprovalRule | None) -> str:
    if rule is None:
        return "off"
    return f"within {rule.hours} hours{', rollbacks too' if rule.rollbacks else ''}"
