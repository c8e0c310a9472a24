"""A deployment stops at whichever step it is, within moments, and takes back what it did."""

import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from appliance.access.actor import OPERATOR
from appliance.context import Context
from appliance.deploy import pipeline
from appliance.deploy.cancel import cancel
from appliance.errors import Cancelled, Conflict
from appliance.machine import faults, process, stopping
from tests import inside
from tests.appliance import Appliance, zipped
from tests.servers import Nginx, eventually

SOON = 10.0  # seconds; what is stopped here would take a minute


@pytest.fixture
def ctx(tmp_path: Path) -> Iterator[Context]:
    with inside.context(tmp_path / "data") as made, inside.listening(made):
        yield made


def visit(ctx: Context, project: str) -> str:
    return httpx.get(f"http://127.0.0.1:{ctx.base.port}/", headers={"Host": f"{project}.localhost"}).text


@pytest.mark.parametrize("step", ["unpack", "inspect", "publish", "probe", "mark live"])
def test_asked_while_a_step_runs(ctx: Context, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    place = inside.project(ctx, "blog")
    old = inside.upload(ctx, place, {"index.html": "old"})
    pipeline.deploy(ctx, old.id, 1)
    new = inside.upload(ctx, place, {"index.html": "new", "more.txt": "more"})

    def ask_to_stop(name: str) -> None:
        if name == step:
            cancel(ctx, OPERATOR, new.id)

    monkeypatch.setattr(faults, "point", ask_to_stop)
    pipeline.deploy(ctx, new.id, 1)
    after = inside.state(ctx, new)
    assert (after.status, after.live, after.error) == ("cancelled", False, None)
    assert inside.state(ctx, old).live and visit(ctx, "blog") == "old"
    assert not [one for one in (ctx.data / "releases").iterdir() if one.name.startswith(".")]
    assert {one.status for one in after.steps} <= {"succeeded", "failed", "skipped"}


def test_once_it_is_live_it_goes_to_its_end(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    new = inside.upload(ctx, inside.project(ctx, "blog"), {"index.html": "new"})
    refused: list[Conflict] = []

    def ask_to_stop(name: str) -> None:
        if name == "tidy":
            with pytest.raises(Conflict) as why:
                cancel(ctx, OPERATOR, new.id)
            refused.append(why.value)

    monkeypatch.setattr(faults, "point", ask_to_stop)
    pipeline.deploy(ctx, new.id, 1)
    assert refused[0].code == "live" and inside.state(ctx, new).status == "succeeded"


def test_a_command_that_runs_is_stopped_with_all_that_it_began(tmp_path: Path) -> None:
    pids, asked = tmp_path / "pids", threading.Event()
    script = f"echo $$ > {pids}.new; sleep 60 & echo $! >> {pids}.new; mv {pids}.new {pids}; wait"
    threading.Thread(target=_ask_once, args=(pids, asked), daemon=True).start()
    began = time.monotonic()
    with stopping.when(asked.is_set):
        with pytest.raises(Cancelled):
            process.run(["sh", "-c", script], timeout=60)
        assert process.run(["echo", "taken back"]).output == "taken back\n", "what follows is not stopped"
    assert time.monotonic() - began < SOON
    eventually(lambda: not any(map(_runs, pids.read_text().split())))


def test_a_command_keeps_its_time_and_its_words_while_it_may_be_stopped() -> None:
    with stopping.when(lambda: False):
        ran = process.run(["sh", "-c", "cat; sleep 0.5; echo end"], stdin=b"begin\n")
    assert (ran.code, ran.output) == (0, "begin\nend\n")


class Slow:
    """NGINX's commands, each of which takes a minute while it is told to."""

    def __init__(self, folder: Path, nginx: Nginx) -> None:
        self._folder = folder
        self.environ = {
            **nginx.environ,
            "HOMEPORT_BACKEND": "nginx",
            "HOMEPORT_NGINX_TEST": self._command("test", nginx.test_command),
            "HOMEPORT_NGINX_RELOAD": self._command("reload", nginx.reload_command),
        }

    def slow_down(self, name: str) -> None:
        (self._folder / f"{name}.slow").touch()

    def began(self, name: str) -> bool:
        return (self._folder / f"{name}.began").exists()

    def _command(self, name: str, words: tuple[str, ...]) -> str:
        file, slow = self._folder / name, self._folder / f"{name}.slow"
        took = f"rm {slow}; touch {self._folder / name}.began; sleep 60"
        file.write_text(f'#!/bin/sh\nif [ -e {slow} ]; then {took}; fi\nexec {" ".join(words)} "$@"\n')
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
        return str(file)


@pytest.mark.nginx
@pytest.mark.parametrize("command", ["test", "reload"])
def test_while_nginx_takes_its_time(tmp_path: Path, command: str) -> None:
    """A URL that is new with the first deployment: NGINX is asked in the step `publish`."""
    with Nginx(tmp_path / "nginx") as nginx:
        slow = Slow(tmp_path, nginx)
        with Appliance(tmp_path / "data", **slow.environ) as server:
            server.project("blog")
            place = "/projects/blog/environments/production"
            server.ask("POST", f"{place}/urls", json={"host": "www.example.com"})
            eventually(lambda: server.get("/urls")["items"][0]["nginx"]["status"] == "waiting")
            slow.slow_down(command)
            running = server.send("blog", zipped({"index.html": "new"}), wait=None).json()
            eventually(lambda: slow.began(command))
            asked = time.monotonic()
            assert server.ask("POST", f"/deployments/{running['id']}/cancel").status_code == 202
            eventually(lambda: server.get(f"/deployments/{running['id']}")["status"] not in ("queued", "running"))
            assert time.monotonic() - asked < SOON
            after = server.get(f"/deployments/{running['id']}")
            assert (after["status"], after["error"]) == ("cancelled", None)
            assert nginx.ask().body == b"the default site\n"
            assert not list(nginx.sites_enabled.glob("homeport-www*"))
            server.deploy("blog", {"index.html": "newer"})
            assert nginx.ask().body == b"newer"


def _runs(pid: str) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def _ask_once(there: Path, asked: threading.Event) -> None:
    eventually(there.exists)
    asked.set()
