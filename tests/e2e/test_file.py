"""dist/homeport itself: where it unpacks, whom it trusts, what it carries."""

import ast
import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
import warnings
import zipfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import CompletedProcess
from tempfile import TemporaryDirectory

import pytest

import appliance

ROOT = Path(__file__).resolve().parent.parent.parent
NOBODY = 65534
VERSION = f"homeport {appliance.__version__}\n"
Ran = CompletedProcess[str]


@pytest.fixture
def runtime(tmp_path: Path) -> Path:
    return tmp_path / "runtime"


def run(
    file: Path,
    *words: str,
    runtime: Path | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    python: str = sys.executable,
    user: int | None = None,
) -> Ran:
    """Run the file with this environment and nothing else of ours."""
    whole = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LANG": "C.UTF-8", **(env or {})}
    if runtime:
        whole["HOMEPORT_RUNTIME"] = str(runtime)
    groups: list[int] | None = None if user is None else []
    return subprocess.run(
        [python, str(file), *words],
        env=whole,
        cwd=cwd,
        user=user,
        group=user,
        extra_groups=groups,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def remade(file: Path, target: Path, **changed: str) -> Path:
    """The same file with other constants: another build, or one for another Python."""
    text = "".join(f"{name} = {value}\n" for name, value in {**constants(file), **changed}.items())
    shutil.copyfile(file, target)
    with zipfile.ZipFile(target, "a") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the name is there twice: the last one is found
        archive.writestr("built.py", text)
    return target


def constants(file: Path) -> dict[str, str]:
    with zipfile.ZipFile(file) as archive:
        text = archive.read("built.py").decode()
    return dict(line.split(" = ") for line in text.splitlines())


def build_of(file: Path) -> str:
    return str(ast.literal_eval(constants(file)["BUILD"]))


def inside(file: Path, runtime: Path, code: str) -> Ran:
    """Run code with what the file holds and with nothing else installed."""
    assert run(file, "--version", runtime=runtime).returncode == 0
    site = runtime / build_of(file) / "site-packages"
    begin = "import os, sys\nlib = os.path.dirname(os.__file__)\n"
    begin += f"sys.path[:] = [{str(site)!r}, {str(site / 'pure.zip')!r}, lib, lib + '/lib-dynload']\n"
    argv = [sys.executable, "-I", "-S", "-W", "error", "-c", begin + code]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)


def test_it_runs_from_any_folder_by_any_name(built_file: Path, runtime: Path, tmp_path: Path) -> None:
    renamed = shutil.copy(built_file, tmp_path / "hp 1")
    for file in (built_file, Path(renamed)):
        ran = run(file, "--version", cwd=Path("/"), runtime=runtime)
        assert (ran.stdout, ran.stderr, ran.returncode) == (VERSION, "", 0)
    assert "Usage: homeport " in run(Path(renamed), "--help", runtime=runtime).stdout
    assert len([it for it in runtime.iterdir() if it.is_dir()]) == 1


def test_it_is_executable_by_itself(built_file: Path, runtime: Path) -> None:
    assert built_file.read_bytes().startswith(b"#!/usr/bin/env -S python3 -I\n")
    assert os.access(built_file, os.X_OK)


def test_unpacking_is_private_and_of_few_files(built_file: Path, runtime: Path) -> None:
    before = os.umask(0)
    try:
        run(built_file, "--version", runtime=runtime)
    finally:
        os.umask(before)
    assert runtime.stat().st_mode & 0o777 == 0o700
    paths = list(runtime.rglob("*"))
    assert not [path for path in paths if path.stat().st_mode & 0o077]
    assert len(paths) < 2000, "starting for the first time is mostly creating files"


def test_another_python_is_told_which_one_is_needed(built_file: Path, tmp_path: Path) -> None:
    ran = run(remade(built_file, tmp_path / "other", PYTHON="(3, 99)"), "--version")
    assert (ran.returncode, ran.stdout, ran.stderr.count("\n")) == (1, "", 1)
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert "needs Python 3.99" in ran.stderr
    assert f"this is Python {here}" in ran.stderr
    assert f"`python3.99 {tmp_path / 'other'}`" in ran.stderr


def test_another_machine_is_told_which_one_is_needed(built_file: Path, tmp_path: Path) -> None:
    ran = run(remade(built_file, tmp_path / "other", SUFFIX="'.cpython-311-vax-ultrix.so'"), "--version")
    assert (ran.returncode, ran.stderr.count("\n")) == (1, 1)
    assert "on vax-ultrix" in ran.stderr
    assert "Build it on this machine" in ran.stderr


def test_the_entry_parses_under_old_pythons() -> None:
    ast.parse((ROOT / "packaging" / "entry.py").read_text(), feature_version=(3, 4))


def test_it_unpacks_into_the_data_folder_of_the_server(built_file: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    none: dict[str, str] = {}
    for words, env in ((["--data", str(data)], none), ([f"--data={data}"], none), ([], {"HOMEPORT_DATA": str(data)})):
        run(built_file, "serve", "--help", *words, env=env)
        assert (data / "runtime" / build_of(built_file)).is_dir()
        shutil.rmtree(data / "runtime")


def test_a_data_folder_that_it_makes_can_be_passed_through(built_file: Path, tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        run(built_file, "serve", "--help", "--data", str(tmp_path / "data"))
    finally:
        os.umask(before)
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o711
    assert (tmp_path / "data" / "runtime").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("words", "env", "expected"),
    [
        ([], {"HOME": "/home/ann"}, ["/home/ann/.cache/homeport/runtime"]),
        ([], {"HOME": "/home/ann", "XDG_CACHE_HOME": "/c"}, ["/c/homeport/runtime"]),
        ([], {"HOME": "/"}, []),
        (["doctor", "--data", "/tmp"], {"HOME": ""}, ["/tmp/runtime"]),
        (["doctor", "--data", "/none"], {"HOME": ""}, []),
        (["serve", "--data=/none"], {"HOME": "/", "HOMEPORT_DATA": "/other"}, ["/none/runtime"]),
        (["open", "--", "--data", "/tmp"], {"HOME": "/"}, []),
    ],
)
def test_where_it_would_unpack(built_file: Path, words: list[str], env: dict[str, str], expected: list[str]) -> None:
    code = f"import sys; sys.path.insert(0, {str(built_file)!r}); import bootstrap, os\n"
    code += f"print(*[place for place, _ in bootstrap.places({words!r}, os.environ)])"
    ran = subprocess.run([sys.executable, "-I", "-c", code], env=env, capture_output=True, text=True, check=True)
    for_root = ["/var/lib/homeport/runtime"] if os.geteuid() == 0 else []
    in_data = [place for place in expected if not place.endswith("/homeport/runtime")]
    assert ran.stdout.split() == [*in_data, *for_root, *(place for place in expected if place not in in_data)]


def test_asking_about_a_data_folder_does_not_make_it(built_file: Path, tmp_path: Path) -> None:
    run(built_file, "doctor", "--help", "--data", str(tmp_path / "none"), env={"XDG_CACHE_HOME": str(tmp_path)})
    assert not (tmp_path / "none").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_it_starts_without_a_home(built_file: Path) -> None:
    with TemporaryDirectory() as folder:  # not pytest's, which is closed to others
        public = Path(folder)
        public.chmod(0o1777)
        file = shutil.copy(built_file, public / "homeport")
        ran = run(Path(file), "--version", user=NOBODY, python=python_for_all(), env={"TMPDIR": folder})
        assert (ran.stdout, ran.returncode) == (VERSION, 0), ran.stderr
        assert "unpacked for this run alone" in ran.stderr
        assert ran.stderr.count("\n") == 1
        assert [it.name for it in public.iterdir()] == ["homeport"]


def python_for_all() -> str:
    """One that others may run too, unlike one in root's home."""
    name = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    found = shutil.which(name, path="/usr/bin:/usr/local/bin")
    return found or pytest.skip(f"no {name} that everybody may run")


def symlink(runtime: Path) -> None:
    runtime.with_name("elsewhere").mkdir(mode=0o700)
    runtime.symlink_to("elsewhere")


def open_folder(runtime: Path) -> None:
    runtime.mkdir()
    runtime.chmod(0o777)


def open_parent(runtime: Path) -> None:
    runtime.mkdir(mode=0o700)
    runtime.parent.chmod(0o777)


def foreign(runtime: Path) -> None:
    runtime.mkdir(mode=0o700)
    os.chown(runtime, NOBODY, NOBODY)


def foreign_parent(runtime: Path) -> None:
    runtime.mkdir(mode=0o700)
    os.chown(runtime.parent, NOBODY, NOBODY)


@pytest.mark.parametrize(
    ("spoil", "because"),
    [
        (symlink, "it is a symbolic link"),
        (open_folder, "others may write in it"),
        (open_parent, "others may write in "),
        (foreign, "belongs to someone else"),
        (foreign_parent, "belongs to someone else"),
    ],
)
def test_a_folder_that_others_can_change_is_refused(
    built_file: Path, runtime: Path, spoil: Callable[[Path], None], because: str
) -> None:
    if spoil in (foreign, foreign_parent) and os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    spoil(runtime)
    ran = run(built_file, "--version", runtime=runtime)
    assert (ran.returncode, ran.stdout, ran.stderr.count("\n")) == (1, "", 1)
    assert because in ran.stderr
    assert str(runtime) in ran.stderr
    assert not list(runtime.rglob("*.py"))


def test_a_link_on_the_way_is_followed_only_where_it_can_be_trusted(built_file: Path, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to("real")
    assert run(built_file, "--version", runtime=tmp_path / "link" / "runtime").returncode == 0
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "link").symlink_to("../real")
    (tmp_path / "shared").chmod(0o777)
    ran = run(built_file, "--version", runtime=tmp_path / "shared" / "link" / "runtime")
    assert ran.returncode == 1
    assert f"others may write in {tmp_path / 'shared'}" in ran.stderr


def test_a_file_system_without_execution_is_refused_before_unpacking(built_file: Path) -> None:
    places = [Path(line.split()[1]) for line in Path("/proc/mounts").read_text().splitlines()]
    fitting = [it for it in places if it.is_dir() and os.statvfs(it).f_flag & os.ST_NOEXEC]
    if not fitting:
        pytest.skip("nothing here is mounted noexec")
    ran = run(built_file, "--version", runtime=fitting[0])
    assert ran.returncode == 1
    assert "noexec" in ran.stderr


def test_code_lying_around_is_not_run(built_file: Path, runtime: Path, tmp_path: Path) -> None:
    planted = tmp_path / "planted"
    planted.mkdir()
    for name in ("starlette", "click", "appliance", "bootstrap", "built", "jinja2", "_bootstrap"):
        (planted / f"{name}.py").write_text(f"raise SystemExit('{name} was planted')\n")
    ran = run(built_file, "--version", cwd=planted, runtime=runtime, env={"PYTHONPATH": str(planted)})
    assert (ran.stdout, ran.stderr) == (VERSION, "")


def test_a_new_build_removes_the_old_unless_it_runs(built_file: Path, runtime: Path, tmp_path: Path) -> None:
    older = remade(built_file, tmp_path / "older", BUILD="'older'")
    run(older, "--version", runtime=runtime)
    with (runtime / "older.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        run(built_file, "--version", runtime=runtime)
        assert (runtime / "older" / "site-packages").is_dir()
    run(built_file, "--version", runtime=runtime)
    build = build_of(built_file)
    assert {it.name for it in runtime.iterdir()} == {build, f"{build}.lock", "unpack.lock"}


def test_going_back_to_an_older_build_leaves_the_newer(built_file: Path, runtime: Path, tmp_path: Path) -> None:
    older = remade(built_file, tmp_path / "older", BUILD="'older'")
    run(older, "--version", runtime=runtime)
    with (runtime / "older.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        run(built_file, "--version", runtime=runtime)
    assert run(older, "--version", runtime=runtime).stdout == VERSION
    assert (runtime / build_of(built_file)).is_dir()


def test_first_starts_at_once_are_one(built_file: Path, runtime: Path) -> None:
    with ThreadPoolExecutor(6) as pool:
        all_ran = list(pool.map(lambda _: run(built_file, "--version", runtime=runtime), range(6)))
    assert [(ran.stdout, ran.stderr, ran.returncode) for ran in all_ran] == [(VERSION, "", 0)] * 6
    build = build_of(built_file)
    assert {it.name for it in runtime.iterdir()} == {build, f"{build}.lock", "unpack.lock"}


def test_killed_while_unpacking(built_file: Path, runtime: Path) -> None:
    argv = [sys.executable, str(built_file), "--version"]
    beside = runtime / f"{build_of(built_file)}.tmp"
    started = time.monotonic()
    with subprocess.Popen(
        argv, env={**os.environ, "HOMEPORT_RUNTIME": str(runtime)}, stdout=subprocess.DEVNULL
    ) as child:
        while not (beside.is_dir() and any(beside.rglob("*.py"))):
            assert time.monotonic() - started < 30
        child.send_signal(signal.SIGKILL)
    assert run(built_file, "--version", runtime=runtime).stdout == VERSION
    assert not beside.exists()


def test_what_a_power_cut_took_is_put_back(built_file: Path, runtime: Path) -> None:
    run(built_file, "--version", runtime=runtime)
    build = build_of(built_file)
    lost = runtime / build / "site-packages" / "appliance" / "errors.py"
    whole = lost.read_bytes()
    lost.write_bytes(b"")
    (runtime / f"{build}.lock").write_text("another boot")
    assert run(built_file, "--version", runtime=runtime).stdout == VERSION
    assert lost.read_bytes() == whole


def test_all_of_it_can_be_imported(built_file: Path, runtime: Path) -> None:
    """With nothing installed beside it, and without pip, which sqlite-utils asks for and does not use."""
    code = """
import importlib.util, pkgutil, appliance
for found in pkgutil.walk_packages(appliance.__path__, "appliance."):
    if found.name != "appliance.__main__":
        importlib.import_module(found.name)
assert "pip" not in sys.modules
from sqlite_utils import Database
rows = Database(memory=True)["t"].insert_all([{"id": 1}], pk="id").rows
assert list(rows) == [{"id": 1}]
import certifi
assert os.path.isfile(certifi.where())
print(importlib.util.find_spec("pip"))
"""
    ran = inside(built_file, runtime, code)
    assert (ran.stderr, ran.stdout) == ("", "None\n")


def test_the_dns_client_is_whole_enough(built_file: Path, runtime: Path) -> None:
    """Its modules are pruned when the file is made; each call that is made has to get as far as the network."""
    code = """
import cloudflare
client = cloudflare.Cloudflare(api_token="none", base_url="http://127.0.0.1:9/client/v4", max_retries=0)
record = {"name": "a.example.com", "type": "A", "content": "192.0.2.1", "ttl": 1, "comment": "ours", "proxied": False}
calls = [
    lambda: list(client.zones.list(name="example.com")),
    lambda: list(client.dns.records.list(zone_id="z", name={"exact": "a.example.com"})),
    lambda: client.dns.records.create(zone_id="z", **record),
    lambda: client.dns.records.update("r", zone_id="z", **record),
    lambda: client.dns.records.edit("r", zone_id="z", **record),
    lambda: client.dns.records.get("r", zone_id="z"),
    lambda: client.dns.records.delete("r", zone_id="z"),
    lambda: client.user.tokens.verify(),
]
for call in calls:
    try:
        call()
    except cloudflare.APIConnectionError:
        print("unreached")
"""
    ran = inside(built_file, runtime, code)
    assert (ran.stdout.split(), ran.stderr) == (["unreached"] * 8, "")


@pytest.mark.slow
def test_two_builds_are_the_same(tmp_path: Path) -> None:
    pytest.importorskip("shiv", reason="only ./build.sh test has what makes the file")
    one, two = tmp_path / "one", tmp_path / "another place"
    for folder in ("appliance", "packaging", "requirements"):
        shutil.copytree(ROOT / folder, one / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(one, two)
    for path in two.rglob("*"):
        path.chmod(0o777)
        os.utime(path, (1, 1))
    assert made_in(one) == made_in(two)


def made_in(folder: Path) -> str:
    subprocess.run([sys.executable, "-I", str(folder / "packaging" / "build.py")], check=True)
    return hashlib.sha256((folder / "dist" / "homeport").read_bytes()).hexdigest()
