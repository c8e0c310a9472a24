"""`homeport upgrade`, with files as people have them: good ones, bad ones, and ones that are bad only in earnest."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest

from appliance import __version__
from appliance.machine.served import until
from tests.appliance import PATIENCE, Appliance, zipped
from tests.e2e import files
from tests.servers import Nginx

Ran = subprocess.CompletedProcess[str]
HANDED = '\nimport os\nif "HOMEPORT_HANDED" in os.environ:\n    '
HANG = "import time\ntime.sleep(600)\n"
NOBODY = 65534
BEFORE = "before the upgrade"
MODULES = {
    "app": "app.py",
    "main": "__main__.py",
    "commands": "cli/main.py",
    "migrations": "store/migrations.py",
    "system": "api/system.py",
}


@pytest.fixture(scope="session")
def shelf(built_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files to upgrade to, and the one folder where all of them unpack."""
    shelf = tmp_path_factory.mktemp("shelf")
    (shelf / "runtime").mkdir(mode=0o700)
    newer = files.appended(built_file, "store/migrations.py", files.NEWER)
    files.remade(built_file, shelf / "next", files.version("9.1.0"))
    files.remade(built_file, shelf / "newer", {**files.version("9.2.0"), **newer})
    return shelf


class Installed(Appliance):
    """An appliance that runs from a file of its own."""

    def __init__(self, folder: Path, built: Path, shelf: Path, **environ: str) -> None:
        super().__init__(folder / "data", HOMEPORT_RUNTIME=str(shelf / "runtime"), **environ)
        (folder / "bin").mkdir()
        self.file = Path(shutil.copy2(built, folder / "bin" / "homeport"))
        self.shelf = shelf

    def upgrade(self, *words: str | Path, **environ: str) -> Ran:
        assert self.file is not None
        argv = [sys.executable, str(self.file), "upgrade", *map(str, words), "--data", str(self.data)]
        env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **self.environ, **environ}
        return subprocess.run(argv, env=env, capture_output=True, text=True, check=False, timeout=180)

    @property
    def version(self) -> str:
        found: str = self.http.get(f"{self.url}/healthz").json()["version"]
        return found

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def verbs(self) -> list[str]:
        return [one["verb"] for one in self.get("/activity")["items"]]

    def checks(self) -> dict[str, Any]:
        return {one["name"]: one for one in self.get("/checks")["items"]}


@pytest.fixture
def running(tmp_path: Path, built_file: Path, shelf: Path) -> Iterator[Installed]:
    with Installed(tmp_path, built_file, shelf) as installed:
        installed.project("blog")
        installed.deploy("blog", {"index.html": BEFORE})
        yield installed


def soon(done: Callable[[], bool]) -> None:
    """However busy this machine is."""
    assert until(done, 90), "it did not come about in time"


def goes_on(running: Installed, pid: int, version: str) -> None:
    """It is the same process, with all that there was, and what was deployed before is still served."""
    assert running.process is not None and running.process.poll() is None, "".join(running.output)
    assert (running.pid, running.version) == (pid, version)
    assert running.visit("blog").text == BEFORE
    running.deploy("blog", {"index.html": BEFORE, "more.html": "and after"})
    assert running.visit("blog", "/more.html").text == "and after"


def test_the_new_file_goes_on_in_the_same_process(running: Installed, shelf: Path, built_file: Path) -> None:
    pid, there = running.pid, running.file
    assert there is not None
    ran = running.upgrade(shelf / "next")
    assert ran.returncode == 0, ran.stderr
    assert f"Homeport 9.1.0 runs, {__version__} before." in ran.stdout
    goes_on(running, pid, "9.1.0")
    assert there.read_bytes() == (shelf / "next").read_bytes()
    assert there.with_name("homeport.old").read_bytes() == built_file.read_bytes()
    assert sorted(one.name for one in there.parent.iterdir()) == ["homeport", "homeport.old"]
    assert "homeport.upgrade" in running.verbs()
    assert running.checks()["upgrade"]["status"] == "ok"
    assert running.stop() == 0, "it ends as well as one that was started"


def test_going_back_to_the_file_before(running: Installed, shelf: Path) -> None:
    pid = running.pid
    assert running.upgrade(shelf / "next").returncode == 0
    ran = running.upgrade("--back", "--json")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout).items() >= {"from": "9.1.0", "to": __version__}.items()
    goes_on(running, pid, __version__)


def test_a_new_form_of_the_database_has_a_copy_of_the_old(running: Installed, shelf: Path) -> None:
    pid = running.pid
    assert running.upgrade(shelf / "newer").returncode == 0
    goes_on(running, pid, "9.2.0")
    (copy,) = (running.data / "backups").glob("before-9.2.0-*.db")
    assert copy.stat().st_mode & 0o777 == 0o600
    ran = running.upgrade("--back")
    assert (ran.returncode, "written by a newer Homeport" in ran.stderr) == (1, True), ran.stderr
    goes_on(running, pid, "9.2.0")


class Visitors:
    """They come as fast as they can, by new connections and by one that is kept, and note what they got."""

    def __init__(self, running: Installed) -> None:
        self._running = running
        self._over = threading.Event()
        self.got: Counter[object] = Counter()
        self.made: list[str] = []
        self._threads = [
            threading.Thread(target=self._keep_on, args=(each,)) for each in (self._new, self._kept, self._make)
        ]

    def __enter__(self) -> "Visitors":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(PATIENCE)

    def come(self) -> None:
        """Until a few more of them were here."""
        before = len(self.made)
        assert until(lambda: len(self.made) > before + 3, 90), self.got

    def _keep_on(self, visit: Callable[[], Iterator[object]]) -> None:
        try:
            for got in visit():
                self.got[got] += 1
                if self._over.is_set():
                    return
        except (OSError, http.client.HTTPException) as why:
            self.got[repr(why)] += 1

    def _connection(self) -> "closing[http.client.HTTPConnection]":
        return closing(http.client.HTTPConnection("127.0.0.1", self._running.port, timeout=90))

    def _new(self) -> Iterator[object]:
        while True:
            with self._connection() as connection:
                connection.request("GET", "/healthz", headers={"Connection": "close"})
                answer = connection.getresponse()
                answer.read()
            yield "new", answer.status

    def _kept(self) -> Iterator[object]:
        with self._connection() as connection:
            while True:
                connection.request("GET", "/healthz")
                answer = connection.getresponse()
                answer.read()
                yield "kept", answer.status, answer.will_close

    def _make(self) -> Iterator[object]:
        """Something that would be missed."""
        while True:
            name = f"p{len(self.made)}"
            body, headers = json.dumps({"name": name}), {"Authorization": f"Bearer {self._running.key}"}
            with self._connection() as connection:
                connection.request("POST", "/api/v1/projects", body, {**headers, "Connection": "close"})
                answer = connection.getresponse()
                answer.read()
            self.made.append(name)
            yield "made", answer.status


@pytest.mark.parametrize("file", ["next", "newer"])
def test_every_request_during_it_is_answered(running: Installed, shelf: Path, file: str) -> None:
    with Visitors(running) as visitors:
        visitors.come()
        assert running.upgrade(shelf / file).returncode == 0
        visitors.come()
    assert visitors.got.keys() == {("new", 200), ("kept", 200, False), ("made", 201)}, visitors.got
    there = {one["name"] for page in pages(running, "/projects") for one in page}
    assert set(visitors.made) <= there


def pages(running: Installed, path: str) -> Iterator[list[Any]]:
    cursor = ""
    while True:
        page = running.get(f"{path}?limit=200{cursor}")
        yield page["items"]
        if page["next"] is None:
            return
        cursor = f"&cursor={page['next']}"


def test_a_slow_upload_is_finished_first(running: Installed, shelf: Path) -> None:
    body = zipped({"index.html": BEFORE, "big.bin": os.urandom(300_000)})
    with socket.create_connection(("127.0.0.1", running.port), timeout=90) as sender:
        head = "POST /api/v1/projects/blog/environments/production/deployments?wait=30 HTTP/1.1\r\nHost: x\r\n"
        head += "Content-Type: application/zip\r\n"
        head += f"Authorization: Bearer {running.key}\r\nContent-Length: {len(body)}\r\n\r\n"
        sender.sendall(head.encode() + body[:1000])
        with begun(running, shelf / "next") as upgrading:
            soon(lambda: "hand over" in upgrading.steps)
            assert running.version == __version__, "others are answered while it goes on"
            sender.sendall(body[1000:])
            answer = http.client.HTTPResponse(sender)
            answer.begin()
            assert answer.status in (201, 202), answer.read()
            deployment = json.loads(answer.read())["id"]
    soon(lambda: running.get(f"/deployments/{deployment}")["status"] == "succeeded")
    assert running.version == "9.1.0"


def test_pages_that_listen_come_back(running: Installed, shelf: Path) -> None:
    cookies = {"homeport_session": running.token}
    with running.http.stream("GET", f"{running.url}/events", cookies=cookies) as stream:
        lines = stream.iter_lines()
        assert next(lines)
        assert running.upgrade(shelf / "next").returncode == 0
        for _ in lines:
            pass  # it ends, and does not break off
    with running.http.stream("GET", f"{running.url}/events", cookies=cookies) as stream:
        assert next(stream.iter_lines())


class Upgrading:
    """`homeport upgrade` in the background, and what it has said so far."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.steps = ""
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        words = {"tried": "rehearse", "takes the place": "swap", "in hand": "hand over"}
        with self.process.stdout as lines:
            for line in lines:
                self.steps += "".join(f"{step} " for word, step in words.items() if word in line) or line

    def over(self) -> int:
        code = self.process.wait(180)
        self._reading.join(PATIENCE)
        return code


@contextmanager
def begun(running: Installed, file: Path, **environ: str) -> Iterator[Upgrading]:
    argv = [sys.executable, str(running.file), "upgrade", str(file), "--data", str(running.data)]
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "PYTHONUNBUFFERED": "1", **running.environ, **environ}
    process = subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    upgrading = Upgrading(process)
    yield upgrading
    assert upgrading.over() == 0, upgrading.steps


def as_it_was(running: Installed, pid: int, built_file: Path) -> None:
    """The old file runs, lies where it lay, and nothing is left over."""
    assert running.file is not None
    goes_on(running, pid, __version__)
    assert running.file.read_bytes() == built_file.read_bytes()
    assert not running.file.with_name("homeport.new").exists()
    left = {"upgrade.json", "rehearsal", "homeport.db.restored"} & {one.name for one in running.data.iterdir()}
    assert left == set()


def other(**modules: str) -> Callable[[Path, Path], object]:
    """A file with more at the end of some modules."""

    def make(built: Path, target: Path) -> None:
        changed = dict(files.version("9.3.0"))
        for name, text in modules.items():
            changed |= files.appended(built, MODULES[name], text)
        files.remade(built, target, changed)

    return make


def of_another_kind(built: Path, target: Path) -> None:
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("__main__.py", "print('hello')")


def damaged(built: Path, target: Path) -> None:
    content = bytearray(built.read_bytes())
    content[len(content) // 2] ^= 0xFF
    target.write_bytes(content)


BAD: dict[str, tuple[Callable[[Path, Path], object], str]] = {
    "missing": (lambda built, target: None, "is not there"),
    "folder": (lambda built, target: target.mkdir(), "is a folder"),
    "text": (lambda built, target: target.write_text("#!/bin/sh\nexit 0\n"), "is no Homeport"),
    "another": (of_another_kind, "is no Homeport"),
    "truncated": (lambda built, target: target.write_bytes(built.read_bytes()[:5_000_000]), "not a whole one"),
    "damaged": (damaged, "not "),
    "python": (lambda built, target: files.remade(built, target, {}, made_for="(3, 99)"), "made for Python 3.99"),
    "ends": (other(main="\nraise SystemExit(7)\n"), "ended with 7"),
    "import": (other(app="\nraise RuntimeError('broken')\n"), "RuntimeError: broken"),
    "hangs": (other(app=f"\n{HANG}"), "no answer within 8 seconds"),
    "migration": (other(migrations=f"{files.NEWER}    raise ValueError('no such thing')\n"), "no such thing"),
    "pages": (
        other(system="\nasync def health(request: Request) -> Response:\n    1 / 0\n"),
        "/healthz answers 500",
    ),
    "too old": (other(commands="\nUNLISTED.pop('rehearse')\n"), "too old to take over"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_changes_nothing(running: Installed, tmp_path: Path, built_file: Path, name: str) -> None:
    make, because = BAD[name]
    make(built_file, tmp_path / "new")
    ran = running.upgrade(tmp_path / "new", "--patience", "8" if name == "hangs" else "60")
    assert (ran.returncode, because in ran.stderr) == (1, True), ran.stderr
    as_it_was(running, running.pid, built_file)


def test_the_file_that_runs_is_no_new_one(running: Installed, built_file: Path) -> None:
    assert running.file is not None
    ran = running.upgrade(running.file)
    assert (ran.returncode, "the appliance runs from" in ran.stderr) == (1, True), ran.stderr
    as_it_was(running, running.pid, built_file)


def test_a_file_that_was_replaced_is_nothing_to_go_back_to(running: Installed, shelf: Path) -> None:
    assert running.file is not None
    Path(shutil.copy2(shelf / "next", running.file.with_name("copy"))).replace(running.file)
    ran = running.upgrade(shelf / "newer")
    assert (ran.returncode, "no longer the file that runs" in ran.stderr) == (1, True), ran.stderr
    assert running.version == __version__


IN_EARNEST: dict[str, tuple[Callable[[Path, Path], object], str]] = {
    "import": (other(app=f"{HANDED}raise RuntimeError('broken in earnest')\n"), "RuntimeError: broken in earnest"),
    "ends": (other(app=f"{HANDED}raise SystemExit(0)\n"), "it ended"),
    "hangs": (other(app=f"{HANDED}__import__('time').sleep(600)\n"), "did not answer within 20 seconds"),
    "migration": (
        other(migrations=f"{files.NEWER}    import os\n    if 'HOMEPORT_HANDED' in os.environ:\n        1 / 0\n"),
        "ZeroDivisionError",
    ),
    "after migrating": (other(migrations=files.NEWER, app=f"{HANDED}recover = None\n"), "TypeError"),
    "pages": (
        other(app=f"{HANDED}from appliance.api import system\n", system=f"{HANDED}__version__ = object()\n"),
        "/healthz answers 500",
    ),
}


@pytest.mark.parametrize("name", IN_EARNEST)
def test_what_is_bad_only_in_earnest_goes_back_by_itself(
    running: Installed, tmp_path: Path, built_file: Path, name: str
) -> None:
    make, because = IN_EARNEST[name]
    make(built_file, tmp_path / "new")
    with Visitors(running) as visitors:
        visitors.come()
        ran = running.upgrade(tmp_path / "new", "--patience", "20" if name == "hangs" else "60")
        visitors.come()
    assert (ran.returncode, because in ran.stderr) == (1, True), ran.stderr
    assert visitors.got.keys() == {("new", 200), ("kept", 200, False), ("made", 201)}, visitors.got
    as_it_was(running, running.pid, built_file)
    assert set(visitors.made) <= {one["name"] for page in pages(running, "/projects") for one in page}
    assert not has_table(running.data, "newer")
    assert "homeport.upgrade_failed" in running.verbs()
    assert because in running.checks()["upgrade"]["text"]
    assert running.stop() == 0


def has_table(data: Path, name: str) -> bool:
    with closing(sqlite3.connect(data / "homeport.db")) as db:
        return bool(db.execute("SELECT 1 FROM sqlite_master WHERE name = ?", [name]).fetchone())


SERVERS_POINTS = ("rehearsed", "closed", "begun", "opened", "tried", "settled")


@pytest.mark.slow
@pytest.mark.parametrize("again", ["homeport", "homeport.old"])
@pytest.mark.parametrize("point", SERVERS_POINTS)
def test_killed_at_any_point_either_file_starts(
    tmp_path: Path, built_file: Path, shelf: Path, point: str, again: str
) -> None:
    """Once the new file has settled, only that one can read its database; the old says so, and changes nothing."""
    with Installed(tmp_path, built_file, shelf, HOMEPORT_FAULT=f"kill:upgrade {point}") as running:
        running.project("blog")
        running.deploy("blog", {"index.html": BEFORE})
        ran = running.upgrade(shelf / "newer", HOMEPORT_FAULT="")
        assert (ran.returncode, "Start it" in ran.stderr) == (1, True), ran.stderr
        assert running.process is not None and running.process.wait(PATIENCE) == -signal.SIGKILL
        assert running.file is not None
        there = {one.name: one for one in running.file.parent.iterdir()}
        assert "homeport.new" not in there
        running.environ["HOMEPORT_FAULT"] = ""
        old = Path(shutil.copy2(built_file, there["homeport"].with_name("homeport.old")))
        running.file = there["homeport"] if again == "homeport" else old
        if point == "settled" and running.file == old:
            with pytest.raises(AssertionError, match="written by a newer Homeport"):
                running.start()
            running.file = there["homeport"]
        goes_on(running.start(), running.pid, running.version)
        assert has_table(running.data, "newer") == (running.version == "9.2.0")
        upgraded = running.upgrade(shelf / "next") if not has_table(running.data, "newer") else None
        assert upgraded is None or upgraded.returncode == 0


def test_killed_while_the_copy_is_put_back(tmp_path: Path, built_file: Path, shelf: Path) -> None:
    with Installed(tmp_path, built_file, shelf, HOMEPORT_FAULT="kill:upgrade tried") as running:
        running.project("blog")
        running.deploy("blog", {"index.html": BEFORE})
        running.upgrade(shelf / "newer", HOMEPORT_FAULT="")
        assert running.process is not None and running.process.wait(PATIENCE) == -signal.SIGKILL
        running.environ["HOMEPORT_FAULT"] = "kill:upgrade restore"
        with pytest.raises(AssertionError, match="did not start"):
            running.start()
        running.environ["HOMEPORT_FAULT"] = ""
        goes_on(running.start(), running.pid, __version__)
        assert not has_table(running.data, "newer")
        assert "homeport.upgrade_failed" in running.verbs()


def test_killed_after_the_swap_the_appliance_decides(running: Installed, shelf: Path) -> None:
    """Whoever asked is gone before they said that the file is swapped: the old one goes on, and either can start."""
    ran = running.upgrade(shelf / "newer", HOMEPORT_FAULT="kill:upgrade swapped")
    assert ran.returncode == -signal.SIGKILL
    goes_on(running, running.pid, __version__)
    assert running.stop() == 0
    running.start()
    assert running.version == "9.2.0"
    assert running.visit("blog").text == BEFORE


def test_only_one_process_has_the_data(running: Installed, shelf: Path) -> None:
    assert running.upgrade(shelf / "next").returncode == 0
    argv = [sys.executable, str(running.file), "serve", "--data", str(running.data), "--port", "0"]
    ran = subprocess.run(argv, env={**os.environ, **running.environ}, capture_output=True, text=True, check=False)
    assert (ran.returncode, "Another Homeport is running" in ran.stderr) == (1, True), ran.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_another_user_can_ask_for_nothing(running: Installed) -> None:
    door = running.data / "upgrade.sock"
    assert door.stat().st_mode & 0o777 == 0o600
    code = f"import socket; s = socket.socket(socket.AF_UNIX); s.connect({str(door)!r})"
    ran = subprocess.run(["/usr/bin/python3", "-c", code], user=NOBODY, capture_output=True, text=True, check=False)
    assert "PermissionError" in ran.stderr


def test_where_nothing_runs(running: Installed, shelf: Path) -> None:
    running.stop()
    ran = running.upgrade(shelf / "next")
    assert (ran.returncode, "No Homeport that can be upgraded runs" in ran.stderr) == (1, True), ran.stderr


@pytest.mark.nginx
@pytest.mark.load
def test_sites_on_nginx_notice_nothing(tmp_path: Path, built_file: Path, shelf: Path) -> None:
    with Nginx(tmp_path / "etc") as nginx:
        environ = {**nginx.environ, "HOMEPORT_BACKEND": "nginx"}
        with Installed(tmp_path, built_file, shelf, **environ) as running:
            running.project("blog")
            running.deploy("blog", {"index.html": BEFORE})
            added = running.ask(
                "POST", "/projects/blog/environments/production/urls?wait=20", json={"host": "www.example.com"}
            )
            assert (added.status_code, added.json()["status"]) == (201, "active"), added.text
            reloads = nginx.reloads
            argv = ["wrk", "-t1", "-c8", "-d60s", "-H", "Host: www.example.com", f"http://127.0.0.1:{nginx.port}/"]
            with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as load:
                for file in (shelf / "next", "--back", shelf / "newer"):
                    assert running.upgrade(file).returncode == 0
                load.send_signal(signal.SIGINT)
                said, _ = load.communicate()
            assert "requests in" in said
            assert "Non-2xx" not in said and "Socket errors" not in said, said
            soon(lambda: nginx.ask("/").body.decode() == BEFORE)
            assert nginx.reloads == reloads, "what it serves was settled already"


def test_a_newer_file_leaves_the_database_of_one_that_runs_alone(running: Installed, shelf: Path) -> None:
    argv = [sys.executable, str(shelf / "newer"), "user", "list", "--data", str(running.data)]
    env = {**os.environ, **running.environ}
    ran = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
    assert (ran.returncode, "An older Homeport is running" in ran.stderr) == (1, True), ran.stderr
    assert not has_table(running.data, "newer")
    running.stop()
    assert subprocess.run(argv, env=env, capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_root_upgrades_the_program_of_a_service(built_file: Path, shelf: Path) -> None:
    """The service can't write its own program; root can, and leaves nothing of its own in the data."""
    with TemporaryDirectory() as name:  # not pytest's, which is closed to others
        folder = Path(name)
        folder.chmod(0o711)
        for own in (folder / "data", folder / "runtime"):
            own.mkdir(mode=0o711)
            os.chown(own, NOBODY, NOBODY)
        (folder / "bin").mkdir(mode=0o755)
        program = Path(shutil.copy2(built_file, folder / "bin" / "homeport"))
        argv = [python_for_all(), str(program), "serve", "--data", str(folder / "data"), "--port", "0"]
        env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "HOMEPORT_RUNTIME": str(folder / "runtime")}
        with service(argv, env, NOBODY) as (process, address):
            words = [sys.executable, str(program), "upgrade", str(shelf / "next"), "--data", str(folder / "data")]
            env["HOMEPORT_RUNTIME"] = str(shelf / "runtime")
            ran = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
            assert ran.returncode == 0, ran.stderr
            assert httpx.get(f"{address}/healthz").json()["version"] == "9.1.0"
            assert (program.stat().st_uid, program.stat().st_mode & 0o777) == (0, 0o755)
            assert f"Uid:\t{NOBODY}\t{NOBODY}" in Path(f"/proc/{process.pid}/status").read_text()
            assert {path.lstat().st_uid for path in (folder / "data").rglob("*")} == {NOBODY}


@pytest.mark.skipif(os.geteuid() != 0, reason="installs as root would")
def test_installing_a_newer_file_hands_over_too(built_file: Path, shelf: Path) -> None:
    with TemporaryDirectory() as name:
        root = host_for(Path(name))
        env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "HOMEPORT_RUNTIME": str(shelf / "runtime")}

        def install(file: Path, *words: str) -> str:
            argv = [sys.executable, str(file), "install", "--root", str(root), *words]
            ran = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
            assert ran.returncode == 0, ran.stderr
            return ran.stdout

        install(built_file)
        program, data = root / "usr/local/bin/homeport", root / "var/lib/homeport"
        user = next(int(line.split(":")[2]) for line in (root / "etc/passwd").read_text().splitlines()[1:])
        (root / "runtime").mkdir(mode=0o700)
        os.chown(root / "runtime", user, user)
        argv = [python_for_all(), str(program), "serve", "--data", str(data), "--port", "0"]
        with service(argv, {**env, "HOMEPORT_RUNTIME": str(root / "runtime")}, user) as (_, address):
            assert "where it runs, as `homeport upgrade` does" in install(shelf / "next", "--dry-run")
            said = install(shelf / "next")
            assert f"Homeport 9.1.0 runs, {__version__} before. Nothing was restarted." in said
            assert "systemctl start" in said and "systemctl restart" not in said, "no unit has changed"
            assert httpx.get(f"{address}/healthz").json()["version"] == "9.1.0"
        assert program.with_name("homeport.old").read_bytes() == built_file.read_bytes()
        install(shelf / "next")
        assert program.with_name("homeport.old").exists()
        install(shelf / "next", "--uninstall")
        assert list(program.parent.iterdir()) == []


def host_for(folder: Path) -> Path:
    """As little of a host as an installation needs."""
    folder.chmod(0o755)
    for name in ("etc", "var/lib", "usr/local/bin"):
        (folder / name).mkdir(parents=True)
    (folder / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    (folder / "etc/group").write_text("root:x:0:\n")
    return folder


def python_for_all() -> str:
    """One that others may run too, unlike one in root's home."""
    name = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    return shutil.which(name, path="/usr/bin:/usr/local/bin") or pytest.skip("no Python that everybody may run")


@contextmanager
def service(argv: list[str], env: dict[str, str], user: int) -> "Iterator[tuple[subprocess.Popen[str], str]]":
    with subprocess.Popen(
        argv, env=env, user=user, group=user, extra_groups=[], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        found = re.search(r"ready at (\S+)", process.stdout.readline())
        assert found is not None
        yield process, found[1]
        process.terminate()
        assert process.wait(PATIENCE) == 0
