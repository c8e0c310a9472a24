"""Zips as real tools make them."""

import io
import os
import shutil
import stat
import zipfile
from pathlib import Path

import pytest

from appliance.errors import BadBundle
from appliance.machine import archive, process
from appliance.machine.unpack import unpack
from tests.archives import LIMITS, NOISE, ODD_NAMES
from tests.releases import shelf_in

needs_zip = pytest.mark.skipif(not shutil.which("zip"), reason="zip is not installed")
needs_git = pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")
needs_bsdtar = pytest.mark.skipif(not shutil.which("bsdtar"), reason="bsdtar is not installed")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder with every odd name that a disk takes, a large file and an empty one."""
    folder = tmp_path / "site"
    for number, name in enumerate(ODD_NAMES):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode() * number)
    (folder / "large.bin").write_bytes(NOISE * 2)
    return folder


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def take(path: Path) -> dict[str, bytes]:
    contents = archive.inspect(path, LIMITS)
    folder = path.with_name("release")
    shelf = shelf_in(folder.parent)
    unpack(path, contents, folder, shelf=shelf, limits=LIMITS, on_progress=lambda _: None, cancelled=lambda: False)
    return files(folder)


def made(folder: Path, *argv: str) -> None:
    ran = process.run(argv, cwd=folder)
    assert ran.ok, ran.output


@needs_zip
@pytest.mark.parametrize("how", [["-qr"], ["-qr0"], ["-qrD"], ["-qr9X"], ["-qr", "-fz"], ["-qr", "-fd"]], ids=" ".join)
def test_zip(how: list[str], site: Path) -> None:
    made(site, "zip", *how, "../site.zip", ".")
    assert take(site.parent / "site.zip") == files(site)


@needs_zip
def test_zip_of_a_folder_is_unwrapped(site: Path) -> None:
    made(site.parent, "zip", "-qr", "site.zip", "site")
    assert take(site.parent / "site.zip") == files(site)


@needs_zip
def test_zip_that_was_changed(site: Path) -> None:
    made(site, "zip", "-qr", "../site.zip", ".")
    (site / "A.html").write_bytes(b"new")
    (site / "large.bin").unlink()
    made(site, "zip", "-q", "../site.zip", "A.html")
    made(site, "zip", "-qd", "../site.zip", "large.bin")
    assert take(site.parent / "site.zip") == files(site)


@needs_zip
@pytest.mark.parametrize(
    ("how", "code"),
    [(["-y", "a.zip"], "symlink"), (["-P", "secret", "a.zip"], "encrypted"), (["-s", "64k", "a.zip"], "multi_disk")],
    ids=["links", "password", "parts"],
)
def test_zip_as_it_should_not_be(how: list[str], code: str, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_bytes(NOISE)
    (tmp_path / "link").symlink_to("/etc/passwd")
    made(tmp_path, "zip", "-q", *how, "link", "index.html")
    with pytest.raises(BadBundle) as caught:
        archive.inspect(tmp_path / "a.zip", LIMITS)
    assert caught.value.code == code


@needs_bsdtar
@pytest.mark.parametrize("what", [["."], ["-C", "..", "site"]], ids=["inside", "folder"])
@pytest.mark.parametrize("how", [[], ["--options=zip:compression=store"], ["--options=zip:zip64"]], ids=str)
def test_bsdtar(what: list[str], how: list[str], site: Path) -> None:
    made(site, "bsdtar", "--format=zip", *how, "-cf", "../site.zip", *what)
    assert take(site.parent / "site.zip") == files(site)


@needs_git
@pytest.mark.parametrize("large", ["512m", "1m"], ids=["whole", "streamed"])
def test_git_archive(large: str, site: Path) -> None:
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", "-c", f"core.bigFileThreshold={large}"]
    kept = files(site)
    made(site, *git, "init", "-q")
    made(site, *git, "add", "-A")
    made(site, *git, "commit", "-qm", "site")
    made(site, *git, "archive", "--prefix=site-1.0/", "-o", "../site.zip", "HEAD")
    assert take(site.parent / "site.zip") == kept


class Pipe(io.RawIOBase):
    """A place to write to that can't go back, as standard output is."""

    def __init__(self, file: io.BufferedWriter) -> None:
        self._file = file

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        return self._file.write(data)  # type: ignore[arg-type]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("zip64", [False, True])
def test_python(stream: bool, zip64: bool, site: Path) -> None:
    path = site.parent / "site.zip"
    with path.open("wb") as file, zipfile.ZipFile(Pipe(file) if stream else file, "w", zipfile.ZIP_DEFLATED) as out:
        for name, data in files(site).items():
            with out.open(zipfile.ZipInfo(name), "w", force_zip64=zip64) as entry:
                entry.write(data)
    assert take(path) == files(site)


def test_what_unzip_would_do_with_a_link_is_not_done(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("etc")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as out:
        out.writestr(info, "/etc")
        out.writestr("etc/cron.d/evil", "* * * * * root id")
    with pytest.raises(BadBundle, match=r"symlink.*files and folders"):
        archive.inspect(tmp_path / "a.zip", LIMITS)
    assert os.listdir(tmp_path) == ["a.zip"]
