import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from appliance.errors import Conflict, Forbidden, HostFailed, NotFound, StartFailed
from appliance.installer import layout, steps
from appliance.installer.accounts import gid_of, uid_of
from appliance.installer.host import dry_run, install
from appliance.installer.layout import Asked, asked
from appliance.installer.removal import uninstall
from appliance.machine import http, trust
from appliance.machine.served import until
from appliance.nginx.helper import Rules, check_boundary
from tests.servers import Nginx

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: installs into a folder as root would")
FILES = {
    "usr/local/bin/homeport": "root:root 0755",
    "etc/homeport/homeport.env": "root:homeport 0640",
    "etc/homeport/nginx-helper.json": "root:root 0600",
    "etc/homeport/installed.json": "root:root 0644",
    "etc/systemd/system/homeport.service": "root:root 0644",
    "etc/systemd/system/homeport-nginx.socket": "root:root 0644",
    "etc/systemd/system/homeport-nginx@.service": "root:root 0644",
}
FOLDERS = {
    "var/lib/homeport": "root:homeport 1771",
    "var/lib/homeport/nginx": "root:root 0755",
    "var/lib/homeport/nginx-wanted": "homeport:homeport 0700",
}


@pytest.fixture
def root() -> Iterator[Path]:
    """As little of a host as an installation needs. Other users can get to it, which pytest's own folder they can't."""
    folder = Path(tempfile.mkdtemp(prefix="homeport-test-"))
    folder.chmod(0o755)
    for name in ("sites-available", "sites-enabled"):
        (folder / "etc/nginx" / name).mkdir(parents=True)
    (folder / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    (folder / "etc/group").write_text("root:x:0:\n")
    (folder / "var/lib").mkdir(parents=True)
    (folder / "usr/local/bin").mkdir(parents=True)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def program(root: Path) -> Iterator[Path]:
    file = Path(f"{root}-homeport")
    file.write_bytes(b"#!/bin/sh\necho version 1\n")
    yield file
    file.unlink()


def want(root: Path, program: Path, environ: Mapping[str, str] | None = None, **flags: str) -> Asked:
    return asked(flags, environ or {}, program, root)


def put(asked: Asked) -> list[str]:
    said: list[str] = []
    install(asked, said.append)
    return said


def take_off(root: Path, *, purge: bool = False) -> list[str]:
    said: list[str] = []
    uninstall(root, said.append, purge=purge)
    return said


def access(root: Path, path: Path) -> str:
    """Owner, group and mode, by the names that the folder's own accounts have."""
    found = path.lstat()
    users = {0: "root", uid_of(root, "homeport"): "homeport"}
    groups = {0: "root", gid_of(root, "homeport"): "homeport"}
    return f"{users[found.st_uid]}:{groups[found.st_gid]} {found.st_mode & 0o7777:04o}"


def tree(root: Path) -> dict[str, str]:
    """Everything below the root, but for the accounts' own backups."""
    found = {}
    for path in sorted(root.rglob("*")):
        if not path.name.endswith("-") and path.name not in (
            "passwd",
            "group",
            "shadow",
            "gshadow",
            "subuid",
            "subgid",
        ):
            content = os.readlink(path) if path.is_symlink() else path.read_text() if path.is_file() else ""
            found[str(path.relative_to(root))] = f"{path.lstat().st_mode:o} {path.lstat().st_uid} {content}"
    return found


def test_what_it_writes(root: Path, program: Path) -> None:
    put(want(root, program))
    assert {path: access(root, root / path) for path in FILES | FOLDERS} == FILES | FOLDERS
    assert (root / "usr/local/bin/homeport").read_bytes() == program.read_bytes()
    account = (root / "etc/passwd").read_text().splitlines()[-1].split(":")
    assert (account[0], account[5], account[6]) == ("homeport", "/var/lib/homeport", "/usr/sbin/nologin")


def test_a_dry_run_shows_all_and_changes_nothing(root: Path, program: Path) -> None:
    before = tree(root)
    said: list[str] = []
    asked = want(
        root, program, environ={"HOMEPORT_CLOUDFLARE_TOKEN": "a-real-secret"}, url="https://deploy.example.net"
    )
    dry_run(asked, said.append)
    assert tree(root) == before
    text = "\n".join(said)
    for path, rights in (FILES | FOLDERS).items():
        if path != "etc/homeport/installed.json":
            assert any(line.startswith((f"file /{path}  {rights}", f"folder /{path}  {rights}")) for line in said), path
    assert "    ExecStart=/usr/local/bin/homeport serve" in said
    assert "    HOMEPORT_URL=https://deploy.example.net" in said
    assert "file /etc/nginx/sites-available/homeport-appliance.conf  root:root 0644  (new)" in said
    assert any(line.startswith("run useradd ") for line in said)
    assert "run systemctl enable homeport-nginx.socket homeport.service" in said
    assert "run nginx -t" in said
    assert said[-1] == "Nothing was changed."
    assert "a-real-secret" not in text
    assert "HOMEPORT_CLOUDFLARE_TOKEN=(not shown)" in text


def test_what_a_dry_run_shows_is_what_is_written(root: Path, program: Path) -> None:
    shown: list[str] = []
    dry_run(want(root, program, port="9000"), shown.append)
    put(want(root, program, port="9000"))
    for path in FILES.keys() - {"usr/local/bin/homeport", "etc/homeport/installed.json"}:
        lines = [f"    {line}".rstrip() for line in (root / path).read_text().splitlines()]
        start = next(at for at, line in enumerate(shown) if line.startswith(f"file /{path} "))
        assert shown[start + 1 : start + 1 + len(lines)] == lines


def test_it_can_be_run_again(root: Path, program: Path) -> None:
    put(want(root, program))
    before = tree(root)
    said = put(want(root, program))
    assert tree(root) == before
    assert not [line for line in said if " is new" in line or " is changed" in line]


def test_an_upgrade_says_what_changes(root: Path, program: Path) -> None:
    put(want(root, program))
    program.write_bytes(b"#!/bin/sh\necho version 2\n")
    said = put(want(root, program, port="9000"))
    assert "/usr/local/bin/homeport is changed." in said
    assert "/etc/homeport/homeport.env is changed." in said
    assert (root / "usr/local/bin/homeport").read_bytes() == program.read_bytes()
    assert not any("homeport.service is" in line for line in said)


def test_settings_that_someone_wrote_are_kept(root: Path, program: Path) -> None:
    put(want(root, program, port="9000"))
    env = root / "etc/homeport/homeport.env"
    env.write_text(env.read_text() + "# mine\nHOMEPORT_WORKERS=8\n")
    assert want(root, program).settings.workers == 8
    assert want(root, program).settings.port == 9000
    put(want(root, program, host="0.0.0.0"))
    text = env.read_text()
    assert "# mine\nHOMEPORT_WORKERS=8\n" in text
    assert "HOMEPORT_HOST=0.0.0.0\n" in text
    assert "HOMEPORT_PORT=9000\n" in text
    assert access(root, env) == FILES["etc/homeport/homeport.env"]
    assert "/etc/homeport/homeport.env was edited since it was installed, and is left." in take_off(root)
    assert env.read_text() == text


def test_a_unit_that_someone_edited_is_left(root: Path, program: Path) -> None:
    put(want(root, program))
    unit = root / "etc/systemd/system/homeport.service"
    unit.write_text(unit.read_text() + "# mine\n")
    said = put(want(root, program, port="80"))
    assert "/etc/systemd/system/homeport.service is edited since it was installed, and left as it is." in said
    assert unit.read_text().endswith("# mine\n")
    take_off(root)
    assert unit.exists()


def test_what_it_did_not_write_is_in_the_way(root: Path, program: Path) -> None:
    unit = root / "etc/systemd/system/homeport.service"
    unit.parent.mkdir(parents=True)
    unit.write_text("[Service]\n")
    before = tree(root)
    with pytest.raises(Conflict, match=r"homeport\.service is there already, and Homeport did not write it"):
        put(want(root, program))
    assert tree(root) == before


def test_taking_it_off_leaves_the_host_as_it_was(root: Path, program: Path) -> None:
    before = tree(root)
    put(want(root, program))
    said = take_off(root)
    assert tree(root) == before
    assert uid_of(root, "homeport") is None
    assert "/usr/local/bin/homeport is removed." in said
    with pytest.raises(NotFound):
        take_off(root)


def test_taking_it_off_leaves_data_and_who_owns_it(root: Path, program: Path) -> None:
    put(want(root, program))
    (root / "var/lib/homeport/homeport.db").write_text("rows")
    said = take_off(root)
    assert (root / "var/lib/homeport/homeport.db").read_text() == "rows"
    assert any(line.startswith("/var/lib/homeport stays, with all that was deployed.") for line in said)
    assert uid_of(root, "homeport") is not None
    put(want(root, program))
    take_off(root)
    take_off(root, purge=True)
    assert uid_of(root, "homeport") is None
    assert not (root / "var/lib/homeport").exists()
    assert not (root / "etc/homeport").exists()


def test_a_purge_takes_data_links_and_user(root: Path, program: Path) -> None:
    """A link that led nowhere would keep NGINX from starting."""
    before = tree(root)
    put(want(root, program))
    (root / "var/lib/homeport/homeport.db").write_text("rows")
    enabled = root / "etc/nginx/sites-enabled"
    (enabled / "homeport-www.example.com.conf").symlink_to("/var/lib/homeport/nginx/www.example.com.conf")
    (enabled / "homeport-theirs.conf").symlink_to("/srv/theirs.conf")
    env = root / "etc/homeport/homeport.env"
    env.write_text(env.read_text() + "HOMEPORT_CLOUDFLARE_TOKEN=secret\n")
    assert "NGINX still serves 1 URL from it." in take_off(root)
    said = take_off(root, purge=True)
    assert "/var/lib/homeport is removed, and 1 URL with it." in said
    assert (enabled / "homeport-theirs.conf").is_symlink()
    (enabled / "homeport-theirs.conf").unlink()
    assert tree(root) == before
    assert uid_of(root, "homeport") is None


def test_an_install_that_stopped_in_the_middle_can_be_taken_off(
    root: Path, program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tree(root)
    (root / "etc/systemd").write_text("a file where a folder should be")
    with pytest.raises(OSError, match="systemd"):
        put(want(root, program))
    assert (root / "usr/local/bin/homeport").exists()
    (root / "etc/systemd").unlink()
    take_off(root)
    assert tree(root) == before


def test_data_of_an_appliance_that_ran_as_root_changes_hands(root: Path, program: Path, tmp_path: Path) -> None:
    data = root / "var/lib/homeport"
    (data / "releases/one").mkdir(parents=True)
    (data / "releases/one/index.html").write_text("hello")
    (data / "releases/one/passwd").symlink_to("/etc/passwd")
    (data / "nginx").mkdir()
    (data / "nginx/www.example.com.conf").write_text("server {}")
    (data / "homeport.db").touch(0o600)
    assert f"What is in /{data.relative_to(root)} now belongs to homeport." in put(want(root, program))
    uid = uid_of(root, "homeport")
    assert {path.lstat().st_uid for path in (data / "releases").rglob("*")} == {uid}
    assert (data / "homeport.db").stat().st_uid == uid
    assert (data / "nginx/www.example.com.conf").stat().st_uid == 0
    assert Path("/etc/passwd").stat().st_uid == 0


def test_what_the_service_writes_is_never_given_away_again(root: Path, program: Path) -> None:
    """It could have made a link to a file of root's there."""
    put(want(root, program))
    data, uid = root / "var/lib/homeport", uid_of(root, "homeport") or 0
    (data / "homeport.db").touch()
    os.chown(data / "homeport.db", uid, uid)
    (data / "stray").touch()
    put(want(root, program))
    assert (data / "stray").stat().st_uid == 0


@pytest.mark.parametrize("place", ["data", "nginx"])
def test_a_folder_of_someone_else_is_not_taken_over(root: Path, program: Path, place: str) -> None:
    data = root / "var/lib/homeport"
    (data / "nginx").mkdir(parents=True)
    os.chown(data if place == "data" else data / "nginx", 65534, 65534)
    with pytest.raises(Conflict, match="belongs to nobody"):
        put(want(root, program))


def test_a_place_that_others_can_swap_is_no_place_for_data(root: Path, program: Path) -> None:
    (root / "srv").mkdir()
    (root / "srv").chmod(0o777)
    with pytest.raises(Conflict, match=r"may write in .*/srv"):
        put(want(root, program, data="/srv/homeport"))


def test_data_is_not_moved(root: Path, program: Path) -> None:
    put(want(root, program))
    with pytest.raises(Conflict, match="moves nothing to /srv/homeport"):
        put(want(root, program, data="/srv/homeport"))


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"data": "/var/lib/with space"}, "HOMEPORT_DATA"),
        ({"data": "/var/lib/%h"}, "HOMEPORT_DATA"),
        ({"data": "/var/lib/x\nUser=root"}, "HOMEPORT_DATA"),
        ({"host": "127.0.0.1; evil"}, "HOMEPORT_HOST"),
        ({"port": "0"}, "a port that stays"),
        ({"port": "many"}, "HOMEPORT_PORT"),
        ({"nginx_listen": "80; include /etc/x"}, "HOMEPORT_NGINX_LISTEN"),
    ],
)
def test_values_that_could_say_more_than_they_should(
    root: Path, program: Path, flags: dict[str, str], words: str
) -> None:
    with pytest.raises(StartFailed, match=words):
        asked(flags, {}, program, root)


def test_only_root_installs(root: Path, program: Path) -> None:
    asked = want(root, program)
    os.seteuid(65534)
    try:
        with pytest.raises(Forbidden):
            put(asked)
        with pytest.raises(Forbidden):
            take_off(root)
    finally:
        os.seteuid(0)


def test_anyone_may_see_what_would_be_written(root: Path, program: Path) -> None:
    asked = want(root, program)
    os.seteuid(65534)
    try:
        if not os.access(layout.__file__, os.R_OK, effective_ids=True):
            pytest.skip("this checkout is closed to other users")
        dry_run(asked, lambda _: None)
    finally:
        os.seteuid(0)


def test_the_program_may_stay_where_it_was_packaged(root: Path, tmp_path: Path) -> None:
    put(asked({}, {}, Path("/opt/homeport/homeport"), root))
    assert not (root / "usr/local/bin/homeport").exists()
    assert "ExecStart=/opt/homeport/homeport serve" in (root / "etc/systemd/system/homeport.service").read_text()


def test_a_low_port_and_a_home_are_seen_to(root: Path, program: Path) -> None:
    (root / "home").mkdir()
    put(want(root, program, port="80", data="/home/homeport"))
    unit = (root / "etc/systemd/system/homeport.service").read_text()
    assert "AmbientCapabilities=CAP_NET_BIND_SERVICE\n" in unit
    assert "ProtectHome=read-only\n" in unit


def test_where_systemd_does_not_run_its_commands_are_said(root: Path, program: Path) -> None:
    said = put(want(root, program))
    assert "Not run, as systemd does not run here: systemctl daemon-reload" in said


def test_where_systemd_runs_its_commands_are_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for systemctl: no test may meddle with the real one."""
    (tmp_path / "systemctl").write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/ran\n[ "$1" != fail ]\n')
    (tmp_path / "systemctl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(steps, "BOOTED", tmp_path)
    said: list[str] = []
    steps.tell_systemd(Path("/"), [("systemctl", "daemon-reload")], said.append)
    assert said == ["Run: systemctl daemon-reload"]
    assert (tmp_path / "ran").read_text() == "daemon-reload\n"
    with pytest.raises(HostFailed, match="systemctl fail"):
        steps.tell_systemd(Path("/"), [("systemctl", "fail")], said.append)


def test_the_helper_goes_by_what_was_installed(root: Path, program: Path) -> None:
    put(want(root, program, nginx_listen="192.0.2.1:80 [::]:80"))
    rules = Rules.load(root / "etc/homeport/nginx-helper.json")
    assert rules.user == "homeport"
    assert rules.data == Path("/var/lib/homeport")
    assert rules.listen == ("192.0.2.1:80", "[::]:80")


# What the service's user can do


def rights(root: Path) -> list[str]:
    """What puts a command into the service's place."""
    uid, gid = uid_of(root, "homeport"), gid_of(root, "homeport")
    return ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", "--no-new-privs", "--inh-caps=-all"]


def as_service(root: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*rights(root), *words], capture_output=True, text=True, check=False)


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv")
def test_the_service_can_write_its_data_and_nothing_that_nginx_loads(root: Path, program: Path) -> None:
    put(want(root, program, environ={"HOMEPORT_NGINX_CONF": "/etc/nginx/nginx.conf"}))
    data = root / "var/lib/homeport"
    (data / "nginx/www.example.com.conf").write_text("server {}")
    assert as_service(root, "touch", f"{data}/homeport.db", f"{data}/nginx-wanted/x").returncode == 0
    assert as_service(root, "mkdir", f"{data}/releases").returncode == 0
    assert as_service(root, "cat", f"{data}/nginx/www.example.com.conf").returncode == 0
    for words in (
        ("touch", f"{data}/nginx/evil.conf"),
        ("sh", "-c", f"echo evil > {data}/nginx/www.example.com.conf"),
        ("rm", "-f", f"{data}/nginx/www.example.com.conf"),
        ("mv", f"{data}/nginx", f"{data}/away"),
        ("rmdir", f"{data}/nginx"),
        ("ln", "-sfn", "/tmp", f"{data}/nginx/x"),
        ("chmod", "0777", str(data)),
        ("ln", "-s", "/tmp/x", f"{root}/etc/nginx/sites-enabled/x"),
        ("touch", f"{root}/etc/homeport/homeport.env"),
        ("cat", f"{root}/etc/homeport/nginx-helper.json"),
        ("touch", f"{root}/usr/local/bin/homeport"),
    ):
        assert as_service(root, *words).returncode != 0, words
    assert trust.flaw(data / "nginx") is None
    (root / "etc/nginx/nginx.conf").touch()
    check_boundary(_below(root, Rules.load(root / "etc/homeport/nginx-helper.json")))


def _below(root: Path, rules: Rules) -> Rules:
    from dataclasses import replace

    names = ("data", "sites_available", "sites_enabled", "conf")
    places: dict[str, Path] = {name: root / getattr(rules, name).relative_to("/") for name in names}
    return replace(rules, **places)  # type: ignore[arg-type]


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv")
def test_the_service_serves(root: Path, program: Path) -> None:
    put(want(root, program))
    if as_service(root, sys.executable, "-c", "import uvicorn").returncode != 0:
        pytest.skip("this Python is closed to other users")
    data = root / "var/lib/homeport"
    env = {"PATH": os.environ["PATH"], "HOMEPORT_DATA": str(data), "PYTHONPATH": str(Path(__file__).parents[2])}
    words = [sys.executable, "-c", "from appliance.__main__ import main; main()", "serve", "--port", "0"]
    serving = subprocess.Popen(
        [*rights(root), *words], umask=0o027, env=env, cwd="/", stdout=subprocess.PIPE, text=True
    )
    try:
        assert serving.stdout is not None
        ready = serving.stdout.readline()
        port = int(ready.rstrip().rsplit(":", 1)[1])
        assert http.look(("127.0.0.1", port), f"localhost:{port}", "/healthz").status == 200
        serving.send_signal(signal.SIGTERM)
        assert serving.wait(30) == 0
    finally:
        serving.kill()
        serving.communicate()
    for name in ("sites", "releases"):
        assert (data / name).stat().st_mode & 0o5 == 0o5, "NGINX's user has to get in, whatever the umask"
    assert (data / "homeport.db").stat().st_mode & 0o77 == 0


# The page behind NGINX


THEIRS = "server {{ listen 127.0.0.1:{port}; server_name theirs.example.com; return 200 theirs; }}\n"


@pytest.fixture
def nginx(root: Path) -> Iterator[Nginx]:
    """A real NGINX in the folder, with someone else's site in it."""
    nginx = Nginx(root / "etc/nginx")
    nginx.site("theirs", THEIRS.format(port=nginx.port))
    with nginx:
        yield nginx


def leading_to(nginx: Nginx) -> dict[str, str]:
    """The settings that make an installation use it."""
    return {
        "HOMEPORT_NGINX_TEST": shlex.join(nginx.test_command),
        "HOMEPORT_NGINX_RELOAD": shlex.join(nginx.reload_command),
        "HOMEPORT_NGINX_LISTEN": f"127.0.0.1:{nginx.port}",
    }


@pytest.mark.nginx
def test_the_page_is_put_behind_nginx(root: Path, program: Path, nginx: Nginx) -> None:
    said = put(want(root, program, environ=leading_to(nginx), url="http://deploy.example.net"))
    page = root / "etc/nginx/sites-available/homeport-appliance.conf"
    assert f"/{page.relative_to(root)} is new, and NGINX takes it." in said
    assert access(root, page) == "root:root 0644"
    assert until(lambda: nginx.ask("/", "deploy.example.net").status == 502, 5), "nobody is behind it here"
    again = put(want(root, program, environ=leading_to(nginx)))
    assert not [line for line in again if "homeport-appliance" in line]
    before = tree(root)
    said = put(want(root, program, environ=leading_to(nginx), url=""))
    assert f"/{page.relative_to(root)} is removed." in said
    assert not list((root / "etc/nginx/sites-enabled").glob("homeport-*"))
    put(want(root, program, environ=leading_to(nginx), url="http://deploy.example.net"))
    assert tree(root).keys() == before.keys()
    take_off(root)
    assert not page.exists()
    assert not list((root / "etc/nginx/sites-enabled").glob("homeport-*"))


@pytest.mark.nginx
def test_a_page_that_nginx_refuses_is_not_kept(root: Path, program: Path, nginx: Nginx) -> None:
    with pytest.raises(HostFailed, match=r"theirs\.example\.com is not behind NGINX: another file has its name"):
        put(want(root, program, environ=leading_to(nginx), url="http://theirs.example.com"))
    (root / "etc/nginx/sites-enabled/broken").write_text("nonsense;\n")
    with pytest.raises(HostFailed, match="NGINX refuses its configuration with it") as refused:
        put(want(root, program, environ=leading_to(nginx), url="http://deploy.example.net"))
    assert "nonsense" in refused.value.said
    assert [path.name for path in (root / "etc/nginx").rglob("homeport-*")] == []
    assert (root / "usr/local/bin/homeport").exists(), "the rest is installed"
    ledger = json.loads((root / "etc/homeport/installed.json").read_text())
    assert not [path for path in [*ledger["files"], *ledger["links"]] if "appliance.conf" in path]


@pytest.mark.parametrize(
    ("url", "words"),
    [("http://192.0.2.1", "has no host name"), ("http://deploy.example.net:8420", "names a port")],
)
def test_an_address_that_needs_no_page(root: Path, program: Path, url: str, words: str) -> None:
    said = put(want(root, program, url=url))
    assert any(line.startswith("Note: ") and words in line for line in said)


def test_a_host_without_nginx_has_no_page_yet(root: Path, program: Path) -> None:
    shutil.rmtree(root / "etc/nginx")
    said = put(want(root, program, url="http://deploy.example.net"))
    assert any("install NGINX, then run this again" in line for line in said)
