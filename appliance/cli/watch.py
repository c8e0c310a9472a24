"""Staying with a deployment until it is over."""

import click

from appliance.cli.edge import Stopped
from appliance.cli.findings import say_in_short
from appliance.cli.show import ago, as_json, clock_time, counted, facts, note, size, took
from appliance.cli.text import clean
from appliance.client import Client, DeploymentData, LogLine
from appliance.errors import HomeportError

LEVELS = {"warn": "yellow", "error": "red"}


def carry_out(client: Client, deployment: DeploymentData, *, no_wait: bool, json_wanted: bool) -> None:
    """Follow what was just started to its end; the last line on standard output is the address, once it is live."""
    if not no_wait:
        deployment = watch(client, deployment)
    if json_wanted:
        as_json(deployment)
    elif no_wait:
        details(deployment)
    raise_if_not_live(deployment, over=not no_wait)
    if not no_wait and not json_wanted:
        note(f"{name_of(deployment)} is live.")
        click.echo(deployment["address"])
        say_in_short(client, deployment)


def watch(client: Client, deployment: DeploymentData) -> DeploymentData:
    """Print the log to standard error as it is written. Ctrl-C leaves the deployment alone."""
    queue = deployment.get("queue")  # an older server does not say
    awaited = _awaited(deployment)
    waits = f", {queue['cause']}" if queue and (queue["after"] or awaited) else ""
    note(f"{name_of(deployment)} is {deployment['status']}{waits}: {deployment['id']}")
    if awaited:
        note(f"Whoever may approve it does so at {awaited}, or with `homeport deployments approve {deployment['id']}`.")
    try:
        for line in client.follow_log(deployment["id"], lost=lambda: note("The connection was lost; trying again...")):
            click.echo(log_text(line), err=True)
        return client.deployment(deployment["id"])
    except KeyboardInterrupt:
        raise Stopped(
            f"{name_of(deployment)} goes on without you.",
            todo=(
                f"Watch it with `homeport logs {deployment['id']} --follow`,",
                f"or stop it with `homeport deployments cancel {deployment['id']}`.",
            ),
        ) from None


def raise_if_not_live(deployment: DeploymentData, *, over: bool) -> None:
    """A deployment that ended any other way than well is an error, with the server's reasons."""
    status, error = deployment["status"], deployment["error"]
    if status == "succeeded" or (not over and status in ("queued", "running")):
        return
    name = name_of(deployment)
    if error:
        raise HomeportError(
            f"{name} {'failed' if status == 'failed' else f'was {status}'}: {error['detail']}",
            code=error["code"],
            todo=tuple(error.get("todo") or ()),
            said=error.get("said") or "",
        )
    reasons = {
        "cancelled": f"{name} was cancelled. What was live before is live still.",
        "skipped": f"{name} was skipped: a newer deployment overtook it.",
    }
    newer = deployment.get("overtaken_by")
    todo = (f"See the newer one with `homeport deployments show {newer}`.",) if newer else ()
    raise HomeportError(reasons.get(status, f"{name} is {status}."), todo=todo)


def log_text(line: LogLine) -> str:
    """A line of a log for people: the time of day, the step, the words."""
    text = f"{clock_time(line['at'])} {line['step']:<9} {clean(line['text'])}"
    return click.style(text, fg=LEVELS[line["level"]]) if line["level"] in LEVELS else text


def name_of(deployment: DeploymentData) -> str:
    return f"#{deployment['number']} of {deployment['project']} {deployment['environment']}"


def details(deployment: DeploymentData) -> None:
    error = deployment["error"]
    facts(
        [
            ("Deployment", f"#{deployment['number']}"),
            ("Id", deployment["id"]),
            ("Project", deployment["project"]),
            ("Environment", deployment["environment"]),
            ("Status", "live" if deployment["live"] else deployment["status"]),
            ("Queue", _in_line(deployment)),
            ("Approval", _approval(deployment)),
            ("Approve at", _awaited(deployment)),
            ("Overtaken by", deployment["overtaken_by"] or ""),
            ("Source", deployment["source"]),
            ("Bundle", f"{deployment['bundle']}"),
            ("Holds", f"{counted(deployment['files'], 'file')}, {size(deployment['size'])}"),
            ("By", deployment["created_by"]),
            ("Started", ago(deployment["created_at"])),
            ("Took", took(deployment["started_at"], deployment["finished_at"])),
            ("Address", deployment["address"] if deployment["live"] else ""),
            ("Permanent", deployment.get("permanent") or ""),
            ("Error", error["detail"] if error else ""),
        ]
    )


def _awaited(deployment: DeploymentData) -> str:
    """Where somebody can approve one that waits; only a path, where the server knows no address of its own."""
    found = deployment.get("approval")  # an older server does not say
    return (found["link"] or "") if found else ""


def _approval(deployment: DeploymentData) -> str:
    found = deployment.get("approval")
    if found is None or not found["by"]:
        return found["status"] if found else ""
    return f"{found['status']} by {found['by']}{': ' if found['reason'] else ''}{found['reason']}"


def _in_line(deployment: DeploymentData) -> str:
    """Why it waits, with how long what comes first has been running."""
    queue = deployment.get("queue")  # an older server does not say
    if queue is None:
        return ""
    running = [f"#{one['number']} began {ago(one['started_at'])}" for one in queue["after"] if one["started_at"]]
    return "; ".join((queue["cause"], *running))
