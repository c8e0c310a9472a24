"""Other files than the one that was built: newer ones, and ones with something wrong."""

import hashlib
import py_compile
import shutil
import sys
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

PACKAGE = "site-packages/appliance"
NEWER = """

@migrations()
def m900_newer(db: Database) -> None:
    db.execute("CREATE TABLE newer (x INTEGER)")
"""


def version(number: str) -> Mapping[str, str]:
    """What to change for another version."""
    return {"__init__.py": f'"""Homeport."""\n\n__version__ = "{number}"\n'}


def appended(file: Path, name: str, text: str) -> Mapping[str, str]:
    """What to change for a module with more at its end."""
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(f"{PACKAGE}/{name}").decode() + text}


def remade(file: Path, target: Path, modules: Mapping[str, str], *, made_for: str | None = None) -> Path:
    """The same file with other modules in it; of two entries with one name, the last is the one that counts."""
    shutil.copyfile(file, target)
    target.chmod(0o755)
    with zipfile.ZipFile(target, "a") as archive, warnings.catch_warnings(), TemporaryDirectory() as scratch:
        warnings.simplefilter("ignore")
        lines = archive.read("built.py").decode().splitlines()
        build = hashlib.sha256(repr(sorted(modules.items())).encode()).hexdigest()
        changed = {"BUILD": repr(build), **({"PYTHON": made_for} if made_for else {})}
        found = dict(line.split(" = ") for line in lines)
        archive.writestr("built.py", "".join(f"{name} = {value}\n" for name, value in {**found, **changed}.items()))
        for name, text in modules.items():
            archive.writestr(f"{PACKAGE}/{name}", text)
            archive.writestr(_compiled_name(name), _compiled(text, Path(scratch)))
    return target


def _compiled_name(name: str) -> str:
    folder, _, file = name.rpartition("/")
    ending = f"__pycache__/{file.removesuffix('.py')}.{sys.implementation.cache_tag}.pyc"
    return f"{PACKAGE}/{folder}/{ending}" if folder else f"{PACKAGE}/{ending}"


def _compiled(text: str, scratch: Path) -> bytes:
    source, target = scratch / "source.py", scratch / "compiled.pyc"
    source.write_text(text)
    how = py_compile.PycInvalidationMode.UNCHECKED_HASH
    py_compile.compile(str(source), str(target), doraise=True, invalidation_mode=how)
    return target.read_bytes()
