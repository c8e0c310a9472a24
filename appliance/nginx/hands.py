"""What may touch NGINX on this host: Homeport itself, or the root helper on its behalf."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from appliance.errors import Conflict, HostFailed
from appliance.machine import faults, files
from appliance.machine.process import run
from appliance.nginx import master, paths, shadow, standing
from appliance.nginx.template import users_in
from appliance.settings import Settings

PATIENCE = 180  # thousands of files take their time
READING = 3.0  # and these for NGINX's new workers to be there, before the whole of it is tested once more
EACH = 0.002
Texts = Mapping[str, str | None]  # a host: its file, or None to take it away


class Hands(Protocol):
    """All of it is safe to repeat. HostFailed, with NGINX's own words, when this host says no."""

    def standing(self) -> dict[str, str]:
        """What is in place, whole: each host and its file's text."""

    def traces(self) -> set[str]:
        """Every host of which there is anything of ours, whole or not."""

    def test(self, changes: Texts) -> None:
        """Let NGINX test its configuration as it would be, with nothing touched."""

    def apply(self, changes: Texts) -> bool:
        """Make files and links so, and have NGINX read them; says whether it is known to answer by nothing else now."""


class Direct:
    """Writes, links and reloads by itself."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def standing(self) -> dict[str, str]:
        """What is in place, whole: each host and its file's text."""
        texts = {host: paths.text_in_place(self._settings, host) for host in standing.look(self._settings)}
        return {host: text for host, text in texts.items() if text is not None}

    def traces(self) -> set[str]:
        return standing.traces(self._settings)

    def test(self, changes: Texts) -> None:
        for host in changes:
            self._refuse_foreign(host)
        shadow.test(self._settings, changes)

    def apply(self, changes: Texts) -> bool:
        for host, text in changes.items():
            self._refuse_foreign(host)
            with _allowed():
                self._remove(host) if text is None else self._place(host, text)
        faults.point("nginx reload")
        return self._reload()

    def _place(self, host: str, text: str) -> None:
        file = paths.file_of(self._settings, host)
        file.parent.mkdir(mode=0o755, exist_ok=True)
        self._let_in(host, text)
        files.write_whole(file, text)
        for link in paths.links_of(self._settings, host):
            if not paths.is_link_of(self._settings, link, host):
                files.point(link, str(file))

    def _remove(self, host: str) -> None:
        for link in reversed(paths.links_of(self._settings, host)):
            link.unlink(missing_ok=True)
        paths.file_of(self._settings, host).unlink(missing_ok=True)
        paths.users_of(self._settings, host).unlink(missing_ok=True)

    def _let_in(self, host: str, text: str) -> None:
        """Who may come in stands in a file of its own, which is there before anything names it."""
        file, listed = paths.users_of(self._settings, host), users_in(text)
        if listed:
            files.write_whole(file, listed)
        else:
            file.unlink(missing_ok=True)

    def _refuse_foreign(self, host: str) -> None:
        """What is in the way and not ours is never written over, nor removed."""
        file = paths.file_of(self._settings, host)
        links = paths.links_of(self._settings, host)
        foreign = [link for link in links if os.path.lexists(link) and not paths.is_link_of(self._settings, link, host)]
        if os.path.lexists(file) and not paths.has_mark(file):
            foreign.append(file)
        if foreign:
            raise Conflict(
                f"{foreign[0]} is there already, and Homeport did not make it.",
                code="nginx_file",
                todo=(f"Move {foreign[0]} away, or choose another host name.",),
            )

    def _reload(self) -> bool:
        """Without a way round the command where there is one: that reads every file before NGINX does."""
        process = master.find(self._settings)
        if process is None:
            self._command()
            return False
        if not process.reload(READING + EACH * len(os.listdir(paths.folder(self._settings)))):
            self.test({})  # why it goes on with what it had
            return False
        return True

    def _command(self) -> None:
        ran = run(self._settings.nginx_reload, timeout=PATIENCE)
        if not ran.ok:
            raise HostFailed(
                "NGINX could not be told to read its configuration again.",
                code="nginx_reload",
                todo=(f"Run `{' '.join(ran.argv)}` by hand to see why.", "Check with `homeport doctor`."),
                said=ran.output.strip(),
            )


def hands_for(settings: Settings) -> Hands:
    """The root helper where one is set up, else our own."""
    if settings.nginx_helper is None:
        return Direct(settings)
    from appliance.nginx.helper_client import Helper

    return Helper(settings)


@contextmanager
def _allowed() -> Iterator[None]:
    """A file that can't be written is this host's no, said with what to do."""
    try:
        yield
    except PermissionError as why:
        place = Path(why.filename).parent if why.filename else "NGINX's folders"
        raise HostFailed(
            f"Homeport may not write in {place}.",
            code="not_permitted",
            todo=("Run `homeport install` as root, which sets this up.", "Or give Homeport's user that folder."),
        ) from why
    except OSError as why:
        file = why.filename or "A file"
        raise HostFailed(f"{file} could not be written: {why.strerror}.", code="nginx_write") from why
