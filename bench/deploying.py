"""Upload to live behind NGINX, against `unzip` and `nginx -s reload` in a shell."""

import random
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

from bench.tables import Row, compared
from tests.appliance import ROOT, Appliance
from tests.servers import Nginx

HOST = "bench.example.com"
CHANGED = 60  # of 6,000


def rows(folder: Path, runs: int) -> list[Row]:
    """Each run has contents of its own, so that nothing is here already but where that is what is measured."""
    small = [bundle_of(folder / f"small-{n}.zip", n, _small) for n in range(runs)]
    large = [bundle_of(folder / f"large-{n}.zip", n, _large) for n in range(runs)]
    (folder / "shell").mkdir()
    with (
        Nginx(folder / "nginx") as nginx,
        Appliance(folder / "data", **nginx.environ, HOMEPORT_BACKEND="nginx") as ours,
    ):
        ours.project("bench")
        ours.deploy("bench", {"index.html": "first"})
        url = ours.ask("POST", "/projects/bench/environments/production/urls?wait=20", json={"host": HOST}).json()
        assert url["status"] == "active", url
        found = []
        for what, bundles in (("6,000 small files", small), ("200 MB in 20 files", large)):
            pairs = [(_homeport(ours, nginx, bundle), _shell(folder, nginx, bundle)) for bundle in bundles]
            mine, shell = zip(*pairs, strict=True)
            found.append(compared(f"upload to live, {what}", list(mine), list(shell), "0.6"))
        changes = [_changed(folder, small[-1], n) for n in range(runs)]
        pairs = [(_homeport(ours, nginx, bundle), _shell(folder, nginx, bundle)) for bundle in changes]
        mine, shell = zip(*pairs, strict=True)
        found.append(compared("the small ones with 1 % changed, as a zip", list(mine), list(shell), "0.15"))
        found += _by_folder(folder, ours, nginx, changes, list(shell))
    return found


def _homeport(ours: Appliance, nginx: Nginx, bundle: Path) -> float:
    """From the first byte sent to the answer that it is live; then seen to be so."""
    began = time.perf_counter()
    place = f"{ours.url}/api/v1/projects/bench/environments/production/deployments?wait=120"
    head = ["-H", f"Authorization: Bearer {ours.key}", "-H", "Content-Type: application/zip"]
    subprocess.run(["curl", "-fsS", "-o", "/dev/null", *head, "-T", bundle, "-X", "POST", place], check=True)
    took = time.perf_counter() - began
    assert nginx.ask("/", HOST).body.decode() == bundle.stem, "not live"
    _at_rest(ours)
    return took


def _at_rest(ours: Appliance) -> None:
    """What comes after a deployment is over, and the disk has been left alone."""
    while 'homeport_jobs{status="running"} 0' not in ours.http.get(f"{ours.url}/metrics", headers=_bearer(ours)).text:
        time.sleep(0.05)
    subprocess.run(["sync"], check=True)


def _shell(folder: Path, nginx: Nginx, bundle: Path) -> float:
    began = time.perf_counter()
    subprocess.run(["unzip", "-q", bundle, "-d", folder / "shell" / bundle.stem], check=True)
    subprocess.run(nginx.reload_command, check=True)
    took = time.perf_counter() - began
    subprocess.run(["sync"], check=True)
    return took


def _by_folder(folder: Path, ours: Appliance, nginx: Nginx, changes: list[Path], shell: list[float]) -> list[Row]:
    """`homeport deploy FOLDER`, the second time: the whole command, and within it from asking to live."""
    site, commands, asked = folder / "site", [], []
    for number, bundle in enumerate(changes):
        with zipfile.ZipFile(bundle) as archive:
            archive.extractall(site)
        (site / "index.html").write_text(f"by folder {number}")
        began = time.perf_counter()
        _command(folder, ours, site)
        commands.append(time.perf_counter() - began)
        assert nginx.ask("/", HOST).body.decode() == f"by folder {number}", "not live"
        newest = ours.get("/deployments?limit=1")["items"][0]
        asked.append(_seconds(newest))
        _at_rest(ours)
    shutil.rmtree(site)
    first, *rest = commands
    return [
        compared("the same from a folder, the whole command", rest or [first], shell, "0.15"),
        compared("the same from a folder, started to live", asked[1:] or asked, shell, ""),
    ]


def _command(folder: Path, ours: Appliance, site: Path) -> None:
    environ = {
        "HOMEPORT_SERVER": ours.url,
        "HOMEPORT_KEY": ours.key,
        "XDG_CACHE_HOME": str(folder / "cache"),
        "HOME": str(folder),
        "PATH": "/usr/bin:/bin",
    }
    words = [sys.executable, "-m", "appliance", "deploy", str(site), "--project", "bench"]
    subprocess.run(words, check=True, cwd=ROOT, env=environ, capture_output=True)


def _seconds(deployment: dict[str, str]) -> float:
    return _moment(deployment["finished_at"]) - _moment(deployment["created_at"])


def _moment(text: str) -> float:
    from appliance.machine import clock

    return clock.parse(text).timestamp()


def _bearer(ours: Appliance) -> dict[str, str]:
    return {"Authorization": f"Bearer {ours.key}"}


def bundle_of(path: Path, seed: int, fill: Callable[[zipfile.ZipFile, random.Random], None]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as made:
        made.writestr("index.html", path.stem)
        fill(made, random.Random(seed))
    return path


def _changed(folder: Path, of: Path, number: int) -> Path:
    """The same bundle with one in a hundred of its files changed."""
    path = folder / f"changed-{number}.zip"
    with zipfile.ZipFile(of) as before, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as made:
        for at, name in enumerate(before.namelist()):
            data = before.read(name)
            if name == "index.html":
                data = path.stem.encode()
            elif at % (6000 // CHANGED) == number % 100:
                data += f" changed {number}".encode()
            made.writestr(name, data)
    return path


def _small(made: zipfile.ZipFile, dice: random.Random) -> None:
    """As an icon set or a documentation site has them: text of 0.2 to 20 kB, three folders deep."""
    words = [dice.randbytes(6).hex() for _ in range(500)]
    for n in range(6000):
        text = " ".join(dice.choices(words, k=dice.randint(20, 1500)))
        made.writestr(f"d{n % 40}/e{n % 7}/file-{n}.html", text)


def _large(made: zipfile.ZipFile, dice: random.Random) -> None:
    """Pictures and scripts: half of it doesn't shrink."""
    words = [dice.randbytes(6).hex() for _ in range(5000)]
    for n in range(10):
        made.writestr(zipfile.ZipInfo(f"media/{n}.bin"), dice.randbytes(10_000_000), zipfile.ZIP_STORED)
        made.writestr(f"scripts/{n}.js", " ".join(dice.choices(words, k=770_000)))
