"""A large zip goes up by tus: after a broken line, or in another run of the command, it goes on where it was."""

import sys
from pathlib import Path

import click

from appliance.cli.delta import NotSpoken
from appliance.cli.remembered import Memory
from appliance.cli.show import note, size
from appliance.client import Client, ClientError, DeploymentData

LARGE = 32 << 20


def resumed(client: Client, path: Path, project: str, environment: str) -> DeploymentData:
    memory, facts = Memory.of(path), path.stat()
    key = f"{client.server} {facts.st_size} {facts.st_mtime_ns}"
    upload = _begun(client, memory.uploads.get(key)) or _begin(client, path, facts.st_size)
    memory.uploads = {key: upload}
    memory.keep()
    bar = click.progressbar(length=facts.st_size, file=sys.stderr, hidden=not sys.stderr.isatty(), width=0)
    with bar, path.open("rb") as source:
        client.send_upload(upload, source, facts.st_size, lambda at: bar.update(at - bar.pos))
    memory.uploads = {}
    memory.keep()
    return client.deploy_upload(project, environment, upload)


def _begun(client: Client, upload: str | None) -> str | None:
    """What an earlier run began, if it is there still."""
    if upload is None:
        return None
    try:
        at = client.uploaded(upload)
    except ClientError as why:
        if why.status != 404:
            raise
        return None
    note(f"Going on after the {size(at)} that had arrived.")
    return upload


def _begin(client: Client, path: Path, length: int) -> str:
    try:
        return client.create_upload(length, path.name)
    except ClientError as why:
        if why.status in (404, 405):
            raise NotSpoken("The server knows nothing of tus.") from why
        raise
