"""What NGINX sends while releases are swapped under load, and that real bundles come back byte for byte."""

import http.client
import re
import shutil
import signal
import subprocess
import sysconfig
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

from appliance.machine.process import run
from tests.appliance import zipped
from tests.e2e.host import Host
from tests.servers import Address

URL = "www.example.com"
SWAPS = 100
PACKAGES = ("mathjax@4.1.3", "@fortawesome/fontawesome-free@7.3.1", "monaco-editor@0.57.0")
MOST_FILES = 800
ROOT = Path(__file__).resolve().parent.parent.parent
# Each answer must be one page or the other, from its first byte to its last.
LUA = """\
local threads, pages = {{}}, {{}}
for _, name in ipairs({{"{one}", "{two}"}}) do
    local file = assert(io.open(name, "rb"))
    pages[file:read("*a")] = true
    file:close()
end
seen, torn = 0, 0
function setup(thread) table.insert(threads, thread) end
function response(status, headers, body)
    seen = seen + 1
    if not pages[body] then torn = torn + 1 end
end
function done(summary)
    local errors, all, bad = summary.errors, 0, 0
    for _, thread in ipairs(threads) do all, bad = all + thread:get("seen"), bad + thread:get("torn") end
    local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
    io.write(string.format("seen %d torn %d failed %d\\n", all, bad, failed))
end
"""
pytestmark = [pytest.mark.nginx, pytest.mark.slow]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with Host(tmp_path_factory.mktemp("host"), backend="auto") as running:
        yield running


@pytest.mark.load
def test_swaps_under_load_fail_no_request_and_tear_no_page(host: Host, tmp_path: Path) -> None:
    host.server.project("swaps")
    assert host.server.get("/projects/swaps/environments/production")["backend"] == "nginx"
    live = []
    for word in ("one", "two"):
        page = "".join(f"<p>{word} {line:05}</p>\n" for line in range(3000))
        (tmp_path / word).write_text(page)
        live.append(host.server.deploy("swaps", {"index.html": page, "data.json": f'"{word}"'}))
    assert host.add("swaps", URL)["status"] == "active"
    before = host.nginx.reloads
    script = tmp_path / "check.lua"
    script.write_text(LUA.format(one=tmp_path / "one", two=tmp_path / "two"))
    with loaded(script, f"http://127.0.0.1:{host.nginx.port}/") as said:
        for number in range(SWAPS):
            answer = host.server.ask(
                "POST",
                "/projects/swaps/environments/production/deployments?wait=30",
                json={"bundle": live[number % 2]["bundle"]},
            )
            assert answer.status_code == 201, answer.text
    found = re.search(r"seen (\d+) torn (\d+) failed (\d+)", said[0])
    assert found, said[0]
    seen, torn, failed = (int(number) for number in found.groups())
    assert (torn, failed) == (0, 0), said[0]
    assert seen > SWAPS * 10
    assert host.nginx.reloads == before


@contextmanager
def loaded(script: Path, address: str) -> Iterator[list[str]]:
    """wrk asks all the while; what it said is there at the end."""
    words = ("wrk", "-t1", "-c8", "-d120s", "--timeout=20s", "-s", str(script), "-H", f"Host: {URL}", address)
    said: list[str] = []
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as wrk:
        try:
            yield said
        finally:
            wrk.send_signal(signal.SIGINT)
            said.append(wrk.communicate(timeout=30)[0])


def npm(package: str, folder: Path) -> dict[str, bytes]:
    """The files of a package, in the one folder that it wraps them in."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not on this machine")
    words = ("npm", "pack", "--silent", "--fetch-retries=0", f"--cache={ROOT / '.build' / 'npm'}", package)
    ran = run(words, timeout=120, cwd=folder)
    if not ran.ok:
        pytest.skip(f"npm can't fetch {package}")
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        return {one.name: _read(archive, one) for one in archive if one.isfile()}


def installed(_: str, folder: Path) -> dict[str, bytes]:
    """What Python has installed here: binaries, sources, odd names."""
    library = Path(sysconfig.get_path("purelib"))
    files = [path for path in sorted(library.rglob("*")) if path.is_file() and path.stat().st_size < 4_000_000]
    step = len(files) // MOST_FILES + 1
    return {f"site/{path.relative_to(library)}": path.read_bytes() for path in files[::step]}


@pytest.mark.parametrize("package", [*PACKAGES, "what Python has installed"])
def test_every_file_of_a_real_bundle_comes_back(host: Host, tmp_path: Path, package: str) -> None:
    files = (npm if package in PACKAGES else installed)(package, tmp_path)
    name = re.sub(r"[^a-z]+", "-", package.partition(".")[0].lower()).strip("-")
    host.server.project(name)
    host.server.ask("POST", f"/projects/{name}/environments", json={"name": "plain", "backend": "builtin"})
    sent = host.server.send(name, zipped(files, compresslevel=1), wait=60)
    assert sent.status_code == 201, sent.text
    path = f"/projects/{name}/environments/plain/promote?wait=60"
    assert host.server.ask("POST", path, json={"from": "production"}).status_code == 201
    url = f"{name}.example.com"
    made = host.add(name, url)
    assert made["status"] == "active", made["error"]
    expected = {f"/{path.partition('/')[2]}": content for path, content in files.items()}
    places = ((host.nginx.address, url), (("127.0.0.1", host.server.port), f"plain.{name}.localhost"))
    wrong: list[str] = []
    readers = [threading.Thread(target=compare, args=(place, expected, wrong)) for place in places]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert wrong == []


def compare(place: tuple[Address, str], expected: dict[str, bytes], wrong: list[str]) -> None:
    """Ask for every file on one connection; what begins with a dot must not be there."""
    address, name = place
    connection = http.client.HTTPConnection(*address, timeout=30)
    for path, content in expected.items():
        connection.request("GET", quote(path), headers={"Host": name})
        answer = connection.getresponse()
        got = (answer.status, answer.read())
        if got[0] != 404 if "/." in path else got != (200, content):
            wrong.append(f"{name}{path}: {got[0]}, {len(got[1])} bytes")
    connection.close()


def _read(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member)
    return file.read() if file else b""
