"""Makes dist/homeport with shiv, prepared so that it unpacks and starts quickly.

appliance                    files, with their compiled code beside them
packages with native code    the same, and those whose data has to be a real file
every other package          one pure.zip of sources and compiled code

Nothing in it depends on when or where it was made: the same inputs give the same bytes.
"""

import argparse
import hashlib
import importlib.machinery
import importlib.metadata
import re
import shutil
import sys
import zipfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from py_compile import PycInvalidationMode
from py_compile import compile as compile_to
from tempfile import TemporaryDirectory

from shiv.bootstrap.environment import Environment
from shiv.builder import create_archive

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
SHEBANG = "/usr/bin/env -S python3 -I"
THEN = (1980, 1, 1, 0, 0, 0)
REAL_FILES = {"certifi"}  # its certificates are opened by OpenSSL, which can't look into a zip
NOT_NEEDED = {".c", ".h", ".pyc", ".pyi", ".pyx", ".pxd", ".typed"}
KEPT_METADATA = {"METADATA", "entry_points.txt"}


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the file.")
    parser.add_argument("--output", type=Path, default=ROOT / "dist" / "homeport")
    parser.add_argument("--cache", type=Path, default=ROOT / ".build", help="where pure.zip is kept between builds")
    options = parser.parse_args()
    with TemporaryDirectory(dir=make(options.cache)) as scratch:
        stage = make(Path(scratch) / "site-packages")
        stage_ours(stage)
        pure = stage_packages(stage)
        shutil.copyfile(pure_zip(pure, options.cache), stage / "pure.zip")
        normalise(stage)
        pack(stage, Path(scratch) / "homeport")
        make(options.output.parent)
        (Path(scratch) / "homeport").replace(options.output)


def make(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def stage_ours(stage: Path) -> None:
    shutil.copytree(ROOT / "appliance", stage / "appliance", ignore=shutil.ignore_patterns("__pycache__", ".*", "*~"))


def stage_packages(stage: Path) -> dict[str, Path]:
    """Copy what has to be files; return the rest: where in pure.zip, and from which file."""
    rest: dict[str, Path] = {}
    for distribution in distributions():
        wanted = dict(files_of(distribution))
        real = {name.partition("/")[0] for name in wanted if name.endswith(".so")} | REAL_FILES
        for name, path in wanted.items():
            if name.partition("/")[0] in real:
                make((stage / name).parent)
                shutil.copyfile(path, stage / name)
            else:
                rest[name] = path
    return pruned(rest)


def distributions() -> Iterator[importlib.metadata.Distribution]:
    lock = (ROOT / "requirements" / "runtime.txt").read_text()
    for name in re.findall(r"^([a-z0-9-]+)==", lock, re.MULTILINE):
        try:
            yield importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            if name not in optional(lock):
                raise


def optional(lock: str) -> set[str]:
    """The packages that the lock wants on some Pythons or systems only."""
    return set(re.findall(r"^([a-z0-9-]+)==\S+ ;", lock, re.MULTILINE))


def files_of(distribution: importlib.metadata.Distribution) -> Iterator[tuple[str, Path]]:
    for file in distribution.files or ():
        name = PurePosixPath(file)
        if name.parts[0] != ".." and name.suffix not in NOT_NEEDED and is_kept(name):
            yield str(name), Path(str(file.locate()))


def is_kept(name: PurePosixPath) -> bool:
    if not name.parts[0].endswith(".dist-info"):
        return True
    return name.name in KEPT_METADATA or "licen" in str(name).lower() or "notice" in name.name.lower()


def pruned(files: dict[str, Path]) -> dict[str, Path]:
    """Cloudflare's client has a module for each of thousands of types: keep what ours reach, and its core."""
    reached = reached_of_cloudflare()
    return {
        name: path
        for name, path in files.items()
        if not name.startswith(("cloudflare/resources/", "cloudflare/types/")) or name in reached
    }


def reached_of_cloudflare() -> set[str]:
    """What is loaded by touching everything that appliance/dns uses. A new use is added here."""
    import cloudflare

    client = cloudflare.Cloudflare(api_token="none")  # noqa: S106  not a token
    _ = (client.zones.list, client.dns.records.list, client.user.tokens.verify)
    return {f"{name.replace('.', '/')}{end}" for name in sys.modules for end in (".py", "/__init__.py")}


def pure_zip(files: dict[str, Path], cache: Path) -> Path:
    """Compiling is most of a build, and what is compiled here changes with the lock only."""
    made = cache / f"pure-{key()}.zip"
    if made.exists():
        return made
    for old in cache.glob("pure-*.zip"):
        old.unlink()
    with TemporaryDirectory(dir=cache) as scratch:
        beside = Path(scratch) / "pure.zip"
        with zipfile.ZipFile(beside, "w") as archive:
            for name, path in sorted(files.items()):
                add(archive, name, path.read_bytes())
                if name.endswith(".py"):
                    add(archive, f"{name}c", compiled(path, name, Path(scratch)))
        return beside.replace(made)


def key() -> str:
    lock = ROOT / "requirements" / "runtime.txt"
    parts = (sys.version.encode(), lock.read_bytes(), Path(__file__).read_bytes())
    return hashlib.sha256(b"".join(parts)).hexdigest()[:16]


def compiled(path: Path, name: str, scratch: Path) -> bytes:
    """Code that is never checked against its source: nothing changes here once it is packed."""
    target = scratch / "compiled"
    compile_to(
        str(path), str(target), name, doraise=True, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH, quiet=1
    )
    return target.read_bytes()


def add(archive: zipfile.ZipFile, name: str, content: bytes, how: int = zipfile.ZIP_STORED) -> None:
    entry = zipfile.ZipInfo(name, THEN)
    entry.compress_type = how
    entry.external_attr = 0o100644 << 16
    archive.writestr(entry, content)


def normalise(stage: Path) -> None:
    """The umask of whoever builds doesn't show."""
    for path in stage.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def pack(stage: Path, target: Path) -> None:
    environment = Environment(built_at="1980-01-01 00:00:00", shiv_version=version("shiv"), reproducible=True)
    create_archive([stage], target, SHEBANG, "entry:start", environment)
    scratch = target.with_suffix(".scratch")
    make(scratch)
    with zipfile.ZipFile(target, "a") as archive:
        for path in sorted(stage.rglob("*.py")):
            name = path.relative_to(stage).as_posix()
            cached = (
                f"site-packages/{PurePosixPath(name).parent}/__pycache__/{path.stem}.{sys.implementation.cache_tag}.pyc"
            )
            add(archive, cached, compiled(path, name, scratch), zipfile.ZIP_DEFLATED)
        add(archive, "built.py", built(environment).encode())
        for path in (HERE / "entry.py", HERE / "bootstrap.py"):
            add(archive, path.name, path.read_bytes())
            add(archive, f"{path.name}c", compiled(path, path.name, scratch))


def built(environment: Environment) -> str:
    suffix = importlib.machinery.EXTENSION_SUFFIXES[0]
    return f"PYTHON = {sys.version_info[:2]}\nSUFFIX = {suffix!r}\nBUILD = {environment.build_id!r}\n"


if __name__ == "__main__":
    main()
