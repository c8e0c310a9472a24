"""50 deployments at once to 50 environments, against one after the other in a shell."""

import random
import subprocess
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.deploying import bundle_of
from bench.tables import Row, compared
from tests.appliance import Appliance
from tests.servers import Nginx

CROWD = 50
FILES = 300


def rows(folder: Path, runs: int) -> list[Row]:
    """Each through NGINX, each a site of its own."""
    ours_took, shell_took, peaks = [], [], []
    (folder / "shell").mkdir()
    with (
        Nginx(folder / "nginx") as nginx,
        Appliance(folder / "data", **nginx.environ, HOMEPORT_BACKEND="nginx") as ours,
    ):
        _environments(ours)
        idle = ours.memory
        for run in range(runs):
            zips = [_site(folder, run, number) for number in range(CROWD)]
            took, peak = _at_once(ours, zips)
            ours_took.append(took)
            peaks.append(peak)
            shell_took.append(_one_by_one(folder, nginx, zips))
    grown = (max(peaks) - idle) / 1e6
    return [
        compared(f"{CROWD} deployments at once to {CROWD} environments", ours_took, shell_took, "1.0"),
        Row("memory meanwhile, above idle", f"{grown:.0f} MB", "", "", "flat"),
    ]


def _environments(ours: Appliance) -> None:
    """Live behind a URL each, as what is deployed again and again is."""
    for number in range(CROWD):
        ours.project(f"crowd-{number}")
        ours.deploy(f"crowd-{number}", {"index.html": "first"})
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: _attach(ours, number), range(CROWD)))


def _attach(ours: Appliance, number: int) -> None:
    place = f"/projects/crowd-{number}/environments/production/urls?wait=30"
    url = ours.ask("POST", place, json={"host": f"crowd{number}.example.com"}).json()
    assert url["status"] == "active", url


def _site(folder: Path, run: int, number: int) -> Path:
    def fill(made: zipfile.ZipFile, dice: random.Random) -> None:
        words = [dice.randbytes(6).hex() for _ in range(200)]
        for n in range(FILES):
            made.writestr(f"d{n % 10}/{n}.html", " ".join(dice.choices(words, k=dice.randint(20, 1500))))

    return bundle_of(folder / f"{run}-{number}.zip", run * CROWD + number, fill)


def _at_once(ours: Appliance, zips: list[Path]) -> tuple[float, int]:
    over, seen = threading.Event(), [ours.memory]

    def watch() -> None:
        while not over.wait(0.02):
            seen.append(ours.memory)

    watching = threading.Thread(target=watch)
    watching.start()
    began = time.perf_counter()
    with ThreadPoolExecutor(CROWD) as pool:
        list(pool.map(lambda number: _deploy(ours, number, zips[number]), range(CROWD)))
    took = time.perf_counter() - began
    over.set()
    watching.join()
    return took, max(seen)


def _deploy(ours: Appliance, number: int, bundle: Path) -> None:
    place = f"{ours.url}/api/v1/projects/crowd-{number}/environments/production/deployments?wait=120"
    head = ["-H", f"Authorization: Bearer {ours.key}", "-H", "Content-Type: application/zip"]
    subprocess.run(["curl", "-fsS", "-o", "/dev/null", *head, "-T", bundle, "-X", "POST", place], check=True)


def _one_by_one(folder: Path, nginx: Nginx, zips: list[Path]) -> float:
    began = time.perf_counter()
    for bundle in zips:
        subprocess.run(["unzip", "-q", bundle, "-d", folder / "shell" / bundle.stem], check=True)
        subprocess.run(nginx.reload_command, check=True)
    return time.perf_counter() - began
