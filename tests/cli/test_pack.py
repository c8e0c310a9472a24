"""A folder as a zip: what goes in, what is refused by name, and the same bytes every time."""

import hashlib
import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.cli import pack
from appliance.errors import BadBundle, HomeportError, HostFailed
from appliance.machine import archive

LIMITS = archive.Limits(max_files=100_000, max_size=1 << 32)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    write(folder, "index.html", "<h1>Hello</h1>")
    write(folder, "assets/app.js", "let a = 1\n" * 1000)
    write(folder, "assets/logo.png", os.urandom(5000))
    return folder


def write(folder: Path, name: str, content: str | bytes = "x") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def zipped(folder: Path) -> bytes:
    return b"".join(pack.stream(pack.entries(folder), lambda _: None))


def names(folder: Path) -> list[str]:
    return [entry.name for entry in pack.entries(folder)]


def test_every_file_goes_in_by_name(site: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(zipped(site))) as made:
        assert made.testzip() is None
        assert made.namelist() == ["assets/app.js", "assets/logo.png", "index.html"]
        for name in made.namelist():
            assert made.read(name) == (site / name).read_bytes()


def test_a_server_takes_it(site: Path, tmp_path: Path) -> None:
    write(site, "ünï/[slug] #1 100%+😀.html")
    write(site, "empty.txt", b"")
    upload = tmp_path / "upload.zip"
    upload.write_bytes(zipped(site))
    contents = archive.inspect(upload, LIMITS)
    assert sorted(entry.path for entry in contents.entries) == sorted(names(site))


def test_the_same_folder_is_the_same_bytes(site: Path, tmp_path: Path) -> None:
    first = zipped(site)
    again = tmp_path / "again"
    for name in reversed(names(site)):
        write(again, name, (site / name).read_bytes())
        os.utime(again / name, (1, 1))
        (again / name).chmod(0o600)
    assert hashlib.sha256(zipped(again)).digest() == hashlib.sha256(first).digest()


def test_what_is_pressed_already_is_stored(site: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(zipped(site))) as made:
        kinds = {info.filename: info.compress_type for info in made.infolist()}
        small = made.getinfo("assets/app.js").compress_size
    assert kinds["assets/logo.png"] == zipfile.ZIP_STORED
    assert kinds["assets/app.js"] == zipfile.ZIP_DEFLATED
    assert small < 1000


def test_it_is_made_while_it_is_sent(tmp_path: Path) -> None:
    piece = os.urandom(1 << 16)
    for number in range(64):
        write(tmp_path / "site", f"{number}.bin", piece)
    told: list[int] = []
    pieces = pack.stream(pack.entries(tmp_path / "site"), told.append)
    first = next(pieces)
    assert len(first) < 1 << 20
    assert sum(told) < 1 << 20
    rest = list(pieces)
    assert sum(told) == 64 << 16
    assert max(map(len, rest)) < 1 << 20
    assert zipfile.ZipFile(io.BytesIO(first + b"".join(rest))).testzip() is None


@pytest.mark.slow
def test_more_files_than_a_short_zip_can_count(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("x")
    found = [pack.Entry(f"{number}.txt", str(tmp_path / "one.txt"), 1) for number in range(66_000)]
    data = b"".join(pack.stream(found, lambda _: None))
    assert len(zipfile.ZipFile(io.BytesIO(data)).namelist()) == 66_000


def test_one_folder_that_holds_everything_stays_part_of_the_addresses(tmp_path: Path) -> None:
    write(tmp_path / "site", "blog/index.html")
    write(tmp_path / "site", "blog/a/b.html")
    assert names(tmp_path / "site") == ["site/blog/a/b.html", "site/blog/index.html"]
    upload = tmp_path / "upload.zip"
    upload.write_bytes(zipped(tmp_path / "site"))
    assert {entry.path for entry in archive.inspect(upload, LIMITS).entries} == {"blog/a/b.html", "blog/index.html"}


def test_what_is_never_part_of_a_site_stays_here(site: Path) -> None:
    for name in (".git/config", ".env", ".env.production", "a/.git/x", "a/.DS_Store", ".homeportignore", ".svn/x"):
        write(site, name, "")
    write(site, ".well-known/security.txt")
    assert names(site) == [".well-known/security.txt", "assets/app.js", "assets/logo.png", "index.html"]


def test_nothing_to_send_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty" / "folders" / "only").mkdir(parents=True)
    with pytest.raises(BadBundle, match="nothing to deploy"):
        pack.entries(tmp_path / "empty")
    write(tmp_path / "left", "a.txt")
    write(tmp_path / "left", ".homeportignore", "*.txt\n")
    with pytest.raises(BadBundle, match="nothing to deploy"):
        pack.entries(tmp_path / "left")


def test_a_link_to_a_file_inside_becomes_that_file(site: Path) -> None:
    (site / "home.html").symlink_to("index.html")
    (site / "assets" / "again.html").symlink_to(site / "home.html")
    with zipfile.ZipFile(io.BytesIO(zipped(site))) as made:
        assert made.read("home.html") == made.read("assets/again.html") == b"<h1>Hello</h1>"
        assert not any(info.external_attr >> 16 & 0o170000 == 0o120000 for info in made.infolist())


def link(target: str) -> Callable[[Path], None]:
    return lambda site: (site / "bad").symlink_to(target)


def fifo(site: Path) -> None:
    os.mkfifo(site / "bad")


def not_utf8(site: Path) -> None:
    os.close(os.open(os.fsencode(site) + b"/bad\xff.html", os.O_CREAT | os.O_WRONLY))


def link_to_secret(site: Path) -> None:
    write(site, ".env", "TOKEN=1")
    (site / "bad").symlink_to(".env")


def link_into_git(site: Path) -> None:
    write(site, ".git/config", "x")
    (site / "bad").symlink_to(".git/config")


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (link("/etc/passwd"), "bad is a symbolic link to /etc/passwd, outside the folder."),
        (link("../site-other"), "which is not there"),
        (link("gone.html"), "which is not there"),
        (link("bad"), "which is not there"),
        (link("assets"), "which is a folder"),
        (link("."), "which is a folder"),
        (link_to_secret, "which is left out"),
        (link_into_git, "which is left out"),
        (fifo, "bad is neither a file nor a folder."),
        (not_utf8, "The name bad\\xff.html is not UTF-8."),
    ],
)
def test_what_cannot_go_in_is_refused_by_name(site: Path, make: Callable[[Path], None], expected: str) -> None:
    make(site)
    with pytest.raises(HomeportError) as why:
        pack.entries(site)
    assert expected in why.value.detail
    assert why.value.todo
    assert isinstance(why.value, BadBundle)
    assert why.value.entry
    assert why.value.entry.startswith("bad")


def test_a_bad_link_that_is_left_out_is_fine(site: Path) -> None:
    (site / "bad").symlink_to("/etc/passwd")
    write(site, ".homeportignore", "bad\n")
    assert "bad" not in names(site)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_cannot_be_read_is_named(site: Path) -> None:
    (site / "index.html").chmod(0)
    with pytest.raises(HostFailed, match=r"index\.html can't be read: Permission denied"):
        pack.entries(site)


def test_what_goes_away_meanwhile_is_named(site: Path) -> None:
    found = pack.entries(site)
    (site / "index.html").unlink()
    with pytest.raises(HostFailed, match=r"index\.html can't be read: No such file"):
        list(pack.stream(found, lambda _: None))


def test_a_link_as_the_folder_itself_is_followed(site: Path, tmp_path: Path) -> None:
    (tmp_path / "current").symlink_to(site)
    assert names(tmp_path / "current") == names(site)
