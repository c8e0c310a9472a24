"""Upload to live behind NGINX, against `unzip` and `nginx -s reload` in a shell."""

import random
import subprocess
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

from bench.tables import Row, compared
from tests.appliance import Appliance
from tests.servers import Nginx

HOST = "bench.example.com"


def rows(folder: Path, runs: int) -> list[Row]:
    small = [_zip(folder / f"small-{n}.zip", n, _small) for n in range(runs)]
    large = [_zip(folder / f"large-{n}.zip", n, _large) for n in range(runs)]
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
        for what, bundles, goal in (("6,000 small files", small, "1.0"), ("300 MB in 30 files", large, "1.3")):
            pairs = [(_homeport(ours, nginx, bundle), _shell(folder, nginx, bundle)) for bundle in bundles]
            mine, shell = zip(*pairs, strict=True)
            found.append(compared(f"upload to live, {what}", list(mine), list(shell), goal))
    return found


def _homeport(ours: Appliance, nginx: Nginx, bundle: Path) -> float:
    """From the first byte sent to the answer that it is live; then seen to be so."""
    began = time.perf_counter()
    place = f"{ours.url}/api/v1/projects/bench/environments/production/deployments?wait=120"
    head = ["-H", f"Authorization: Bearer {ours.key}", "-H", "Content-Type: application/zip"]
    subprocess.run(["curl", "-fsS", "-o", "/dev/null", *head, "-T", bundle, "-X", "POST", place], check=True)
    took = time.perf_counter() - began
    assert nginx.ask("/", HOST).body.decode() == bundle.stem, "not live"
    return took


def _shell(folder: Path, nginx: Nginx, bundle: Path) -> float:
    began = time.perf_counter()
    subprocess.run(["unzip", "-q", bundle, "-d", folder / "shell" / bundle.stem], check=True)
    subprocess.run(nginx.reload_command, check=True)
    return time.perf_counter() - began


def _zip(path: Path, seed: int, fill: Callable[[zipfile.ZipFile, random.Random], None]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as made:
        made.writestr("index.html", path.stem)
        fill(made, random.Random(seed))
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
    for n in range(15):
        made.writestr(zipfile.ZipInfo(f"media/{n}.bin"), dice.randbytes(10_000_000), zipfile.ZIP_STORED)
        made.writestr(f"scripts/{n}.js", " ".join(dice.choices(words, k=770_000)))
