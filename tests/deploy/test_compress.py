"""Smaller forms of files: made after they are live, once for a content, never over what a bundle holds."""

import gzip
import random
from functools import partial
from pathlib import Path

import brotli
from backports import zstd

from appliance.context import Context
from appliance.deploy import compress, paths, pipeline
from appliance.machine.compressing import ENDINGS
from appliance.store import deployments, jobs
from tests.appliance import Appliance, Files
from tests.inside import context, listening, project, upload
from tests.servers import eventually

PAGE = "<h1>Page</h1>" + "<p>Some words that come again and again.</p>" * 100
NOISE = random.Random(1).randbytes(4000)


def deployed(ctx: Context, name: str, files: Files) -> Path:
    """The folder of the release, with whatever is to be done later still to be done."""
    made = upload(ctx, project(ctx, name), files)
    pipeline.deploy(ctx, made.id, 1)
    found = deployments.find(ctx.db.read(), made.id)
    assert found is not None
    assert found.status == "succeeded", found.error
    return paths.release(ctx, found.release or "").path


def beside(tree: Path, name: str) -> set[str]:
    return {ending for ending in ENDINGS if (tree / f"{name}.{ending}").exists()}


def test_visitors_get_the_form_that_they_take(server: Appliance) -> None:
    server.project("small-forms")
    server.deploy("small-forms", {"index.html": PAGE})

    def form(encoding: str) -> bytes:
        with server.http.stream(
            "GET",
            f"{server.url}/",
            headers={"Host": f"small-forms.localhost:{server.port}", "Accept-Encoding": encoding},
        ) as answer:
            body = b"".join(answer.iter_raw())
            return body if answer.headers.get("content-encoding") == encoding else b""

    def arrives(encoding: str) -> bool:
        return bool(form(encoding))

    for encoding, undo in (("br", brotli.decompress), ("gzip", gzip.decompress), ("zstd", zstd.decompress)):
        eventually(partial(arrives, encoding))
        body = form(encoding)
        assert undo(body).decode() == PAGE
        assert len(body) < len(PAGE) / 5


def test_forms_are_beside_their_files_with_the_time_of_the_content(tmp_path: Path) -> None:
    files: Files = {"index.html": PAGE, "small.html": "x" * 500, "noise.txt": NOISE, "a.png": PAGE, "_headers": PAGE}
    with context(tmp_path / "data") as ctx, listening(ctx):
        tree = deployed(ctx, "forms", files)
        compress.compress(ctx, tree.name)
        assert beside(tree, "index.html") == set(ENDINGS)
        for name in ("small.html", "noise.txt", "a.png", "_headers"):
            assert beside(tree, name) == set()
        times = {(tree / name).stat().st_mtime for name in ("index.html", "index.html.br", "index.html.gz")}
        assert len(times) == 1
        assert (tree / "index.html.br").stat().st_mode & 0o777 == 0o444


def test_a_file_of_the_bundle_is_never_written_over(tmp_path: Path) -> None:
    with context(tmp_path / "data") as ctx, listening(ctx):
        tree = deployed(ctx, "own", {"index.html": PAGE, "index.html.gz": b"mine"})
        compress.compress(ctx, tree.name)
        assert (tree / "index.html.gz").read_bytes() == b"mine"
        assert (tree / "index.html.br").exists()


def test_a_content_is_compressed_once_ever(tmp_path: Path) -> None:
    with context(tmp_path / "data") as ctx, listening(ctx):
        first = deployed(ctx, "first", {"index.html": PAGE, "noise.txt": NOISE})
        compress.compress(ctx, first.name)
        second = deployed(ctx, "second", {"index.html": PAGE, "noise.txt": NOISE, "copy/index.html": PAGE})
        compress.compress(ctx, second.name)
        inodes = {(tree / name).stat().st_ino for tree in (first, second) for name in ("index.html.br",)}
        assert inodes == {(second / "copy/index.html.br").stat().st_ino}
        assert beside(second, "noise.txt") == set()
        shelf = paths.shelf(ctx)
        assert all(len(name) == 64 for name in shelf.names())
        for sha256 in list(shelf.names()):
            shelf.remove(sha256)
        assert [file for file in shelf.root.rglob("*") if file.is_file()] == []


def test_what_is_not_done_when_homeport_stops_is_done_by_the_next_start(tmp_path: Path) -> None:
    with context(tmp_path / "data") as ctx, listening(ctx):
        tree = deployed(ctx, "stopped", {"index.html": PAGE})
        with ctx.write() as db:
            jobs.drop(db, "compress", tree.name)
        ctx.stopping.set()
        compress.compress(ctx, tree.name)
        assert jobs.queued(ctx.db.read(), "compress", tree.name)
        assert beside(tree, "index.html") == set()


def test_a_release_that_is_gone_is_left_alone(tmp_path: Path) -> None:
    with context(tmp_path / "data") as ctx, listening(ctx):
        compress.compress(ctx, "0" * 64)
