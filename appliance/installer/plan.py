"""What an installation is, as values: every account, folder, file, link and command, before anything is done."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from appliance.nginx.helper import Rules

HOST = Path("/")
LEDGER = Path("/etc/homeport/installed.json")


@dataclass(frozen=True)
class Access:
    """Who a file belongs to, and what others may do with it."""

    mode: int
    owner: str = "root"
    group: str = "root"

    def __str__(self) -> str:
        return f"{self.owner}:{self.group} {self.mode:04o}"


@dataclass(frozen=True)
class Folder:
    path: Path
    access: Access


@dataclass(frozen=True)
class File:
    """A file, its content, and how it is shown where the content is a secret or no text."""

    path: Path
    content: bytes
    access: Access
    shown: str | None = None
    edits: str = "keep"  # what becomes of someone's edits: `keep` the file, `merge` with it, `replace` it

    @property
    def sha256(self) -> str:
        return sha256(self.content).hexdigest()

    @property
    def text(self) -> str:
        return self.content.decode() if self.shown is None else self.shown


@dataclass(frozen=True)
class Link:
    path: Path
    target: str


@dataclass(frozen=True)
class Page:
    """The block of NGINX's that leads to the appliance, kept only if NGINX takes it."""

    host: str
    file: File
    link: Link


@dataclass(frozen=True)
class Plan:
    """Everything that `homeport install` makes. Paths are as on the host; `root` is put before them."""

    root: Path
    user: str
    data: Path
    program: Path
    folders: tuple[Folder, ...]
    files: tuple[File, ...]
    page: Page | None
    rules: Rules
    notes: tuple[str, ...]

    units = ("homeport-nginx.socket", "homeport.service")
    caches = (Path("/var/cache/homeport"), Path("/var/cache/homeport-nginx"))

    def at(self, path: Path) -> Path:
        """Where a path of the host really is."""
        return self.root / path.relative_to("/")

    @property
    def every_file(self) -> Iterator[File]:
        yield from self.files
        if self.page:
            yield self.page.file


def account_commands(root: Path, user: str, home: Path) -> tuple[tuple[str, ...], ...]:
    """A system user that nobody can sign in as."""
    prefix = () if root == HOST else ("--prefix", str(root))
    group = ("groupadd", *prefix, "--system", user)
    words = ("--system", "--gid", user, "--no-create-home", "--home-dir", str(home), "--shell", "/usr/sbin/nologin")
    return group, ("useradd", *prefix, *words, "--comment", "Homeport", user)


def account_removal(root: Path, user: str) -> tuple[str, ...]:
    return ("userdel", *(() if root == HOST else ("--prefix", str(root))), user)


def start_commands(units: tuple[str, ...], *, changed: bool) -> tuple[tuple[str, ...], ...]:
    verb = "restart" if changed else "start"
    return ("systemctl", "daemon-reload"), ("systemctl", "enable", *units), ("systemctl", verb, *units)


def stop_command(units: tuple[str, ...]) -> tuple[str, ...]:
    return ("systemctl", "disable", "--now", *reversed(units))
