"""An appliance inside the test's own process, for what can only be seen, or made to fail, from within."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import uvicorn

from appliance.access import setup
from appliance.access.actor import OPERATOR
from appliance.app import build, open_context
from appliance.context import Context
from appliance.deploy import submit
from appliance.deploy.receive import Incoming
from appliance.model.deployments import Deployment
from appliance.model.environments import Environment
from appliance.model.people import NewPerson
from appliance.model.projects import NewProject
from appliance.projects.create_project import create_project
from appliance.projects.find import find_environment
from appliance.projects.settings import SettingsPatch, change_settings
from appliance.settings import Settings
from appliance.worker.runner import Runner
from tests.appliance import EMAIL, PASSWORD, Files, zipped


@contextmanager
def context(data: Path) -> Iterator[Context]:
    """A database and folders; nothing runs."""
    ctx = open_context(Settings(data=data, backend="builtin"))
    try:
        yield ctx
    finally:
        ctx.db.close()


@contextmanager
def listening(ctx: Context) -> Iterator[Context]:
    """It answers HTTP too, so that a probe finds it; jobs are up to the test."""
    server = uvicorn.Server(
        uvicorn.Config(build(ctx), log_level="error", lifespan="off", ws="none", server_header=False)
    )
    listener = socket.create_server(("127.0.0.1", 0))
    ctx.base = replace(ctx.base, port=listener.getsockname()[1])
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        yield ctx
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()


@contextmanager
def signed_in(ctx: Context) -> Iterator[httpx.Client]:
    """The API of one that listens, to its owner."""
    person = {"email": EMAIL, "password": PASSWORD}
    setup.add_person(ctx, OPERATOR, NewPerson.parse(person))
    with httpx.Client(base_url=f"http://127.0.0.1:{ctx.base.port}/api/v1", timeout=30) as client:
        client.headers["Authorization"] = f"Bearer {client.post('/login', json=person).json()['token']}"
        yield client


@contextmanager
def working(ctx: Context) -> Iterator[Runner]:
    runner = Runner(ctx)
    runner.start()
    try:
        yield runner
    finally:
        assert runner.stop(20)


def project(ctx: Context, name: str) -> Environment:
    """The production of a new project."""
    create_project(ctx, OPERATOR, NewProject(name))
    return find_environment(ctx, name, "production")


def upload(ctx: Context, place: Environment, files: Files | bytes) -> Deployment:
    """Queued, as by a door."""
    with Incoming(ctx) as incoming:
        incoming.write([files if isinstance(files, bytes) else zipped(files)])
        return submit.upload(ctx, OPERATOR, place, incoming.finish(), filename="site.zip")


def state(ctx: Context, deployment: Deployment) -> Deployment:
    """As it is now."""
    return submit.find_deployment(ctx, deployment.id)


def save(ctx: Context, **values: str) -> None:
    """Settings, as their page saves them."""
    change_settings(ctx, OPERATOR, SettingsPatch.parse(values))
