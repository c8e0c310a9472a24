"""`homeport deploy`: a folder or a zip goes live."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from appliance.cli import pack
from appliance.cli.delta import Delta, NotSpoken
from appliance.cli.edge import Stopped
from appliance.cli.logins import connect
from appliance.cli.options import no_wait_option, option, remote
from appliance.cli.resumed import LARGE, resumed
from appliance.cli.show import counted, note, size
from appliance.cli.watch import carry_out
from appliance.client import Client, ClientError, DeploymentData, Upload
from appliance.errors import BadRequest, HostFailed, NotFound
from appliance.model.fields import NAME

PIECE = 1 << 18
Progress = Callable[[int], None]


@click.command()
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@option("--project", "-p", metavar="NAME", help="The project; the folder's name when left out.")
@option("--environment", "-e", default="production", show_default=True, metavar="NAME", help="The environment.")
@option("--create", is_flag=True, help="Create the project and environment where they are missing.")
@no_wait_option
@remote
def deploy(
    *,
    path: Path,
    project: str | None,
    environment: str,
    create: bool,
    no_wait: bool,
    json_wanted: bool,
    server: str | None,
) -> None:
    """Put a folder or a zip live.

    Of a folder only those files are sent that the server does not have, and none that its .homeportignore names. A
    large zip is taken up where it broke off. The log goes to standard error, and the address to standard output
    once it is live.
    """
    source = _Folder(path) if path.is_dir() else _Zip(path)
    with connect(server) as client:
        project = project or _project_of(client, path, create)
        _find_place(client, project, environment, create)
        deployment = _send(client, project, environment, source)
        carry_out(client, deployment, no_wait=no_wait, json_wanted=json_wanted)


class _Folder:
    """A folder: file by file, or zipped as it is sent where the server knows nothing else."""

    def __init__(self, path: Path) -> None:
        self._path, self._files = path, pack.files(path)
        self._name = f"{path.resolve().name or 'site'}.zip"
        self._total = sum(entry.size for entry in self._files)
        self.text = f"{path}: {counted(len(self._files), 'file')}, {size(self._total)}"

    def send(self, client: Client, project: str, environment: str) -> DeploymentData:
        try:
            return Delta(self._path, self._files).deploy(client, project, environment)
        except NotSpoken:
            with _bar(self._total) as bar:
                zipped = pack.stream(pack.wrapped(self._files), bar.update)
                return client.deploy(project, environment, Upload(zipped, filename=self._name))


class _Zip:
    """A file, sent as it is; a large one in such a way that it can be taken up where it broke off."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._total = path.stat().st_size
        self.text = f"{path}: {size(self._total)}"

    def send(self, client: Client, project: str, environment: str) -> DeploymentData:
        if self._total >= LARGE:
            try:
                return resumed(client, self._path, project, environment)
            except NotSpoken:
                note("The server takes it in one go only.")
        with _bar(self._total) as bar:
            upload = Upload(self._pieces(bar.update), self._total, self._path.name)
            return client.deploy(project, environment, upload)

    def _pieces(self, progress: Progress) -> Iterator[bytes]:
        left = self._total
        with self._path.open("rb") as file:
            while piece := file.read(min(PIECE, left)):
                yield piece
                left -= len(piece)
                progress(len(piece))
        if left:
            raise HostFailed(f"{self._path} became shorter while it was sent.", todo=("Run the same command again.",))


def _project_of(client: Client, path: Path, create: bool) -> str:
    """The folder's own name, where that can be meant."""
    todo = "Name the project with --project."
    name = path.resolve().name
    if not path.is_dir() or not NAME.fullmatch(name):
        raise BadRequest(f"Which project {path} belongs to can't be told from its name.", todo=(todo,))
    if not create:
        try:
            client.project(name)
        except ClientError as why:
            if why.status != 404:
                raise
            todo = f"Name the project with --project, or add --create to make {name}."
            raise NotFound(f"There is no project {name}, as the folder is called.", todo=(todo,)) from why
    return name


def _find_place(client: Client, project: str, environment: str, create: bool) -> None:
    """Know that it is there and may be seen before a byte is sent."""
    try:
        client.environment(project, environment)
    except ClientError as why:
        if why.status != 404:
            raise
        if not create:
            todo = "Check the names, or add --create."
            raise NotFound(f"There is no environment {environment} in a project {project}.", todo=(todo,)) from why
        _create(client, project, environment)


def _create(client: Client, project: str, environment: str) -> None:
    if _made(lambda: client.create_project(project)):
        note(f"Created project {project}.")
    if environment not in {one["name"] for one in client.environments(project)["items"]} and _made(
        lambda: client.create_environment(project, environment)
    ):
        note(f"Created environment {environment} in {project}.")


def _made(create: Callable[[], object]) -> bool:
    """Whether it was made; false when it is there already, perhaps since a moment ago."""
    try:
        create()
    except ClientError as why:
        if why.status != 409:
            raise
        return False
    return True


def _send(client: Client, project: str, environment: str, source: _Folder | _Zip) -> DeploymentData:
    note(f"Uploading {source.text}")
    try:
        return source.send(client, project, environment)
    except KeyboardInterrupt:
        raise Stopped("The upload was stopped. Nothing was deployed.") from None


def _bar(length: int) -> "click._termui_impl.ProgressBar[int]":
    return click.progressbar(length=length, file=sys.stderr, hidden=not sys.stderr.isatty(), width=0)
