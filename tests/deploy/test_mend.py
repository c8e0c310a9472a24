"""What a power cut, a bad disk or a person took apart is put back together from the bundles."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.context import Context
from appliance.deploy import mend, paths, pipeline, releases
from appliance.deploy.recover import recover
from appliance.model.deployments import Deployment
from appliance.store import releases as rows
from appliance.store import saved
from tests import inside

SITE = {"index.html": "the front page", "deep/a.txt": "a", "deep/b.txt": "b", "same.txt": "the front page"}


@pytest.fixture
def ctx(tmp_path: Path) -> Iterator[Context]:
    with inside.context(tmp_path / "data") as made, inside.listening(made):
        yield made


@pytest.fixture
def live(ctx: Context) -> Deployment:
    started = inside.upload(ctx, inside.project(ctx, "blog"), SITE)
    pipeline.deploy(ctx, started.id, 1)
    made = inside.state(ctx, started)
    assert made.status == "succeeded" and made.release
    releases.settle(ctx, made.release)
    return made


def root(ctx: Context, live: Deployment) -> Path:
    return paths.release(ctx, live.release or "").path


def spoil(file: Path, data: bytes = b"rubbish") -> None:
    file.chmod(0o600)
    file.write_bytes(data)


def site(ctx: Context) -> dict[str, str]:
    top = paths.pointer(ctx, "blog", "production")
    return {str(path.relative_to(top)): path.read_text() for path in top.rglob("*") if path.is_file()}


def power_cut(ctx: Context, live: Deployment) -> None:
    """The host came up again, and the release had not been seen to be on the disk."""
    with ctx.db.write() as db:
        saved.set_meta(db, "boot", "another boot")
        db.execute("UPDATE releases SET written = 0")


def test_each_content_is_kept_once(ctx: Context, live: Deployment) -> None:
    shelf = paths.shelf(ctx)
    assert len(list(shelf.names())) == 3
    for path, piece in releases.manifest_of(ctx, live.release or "").items():
        assert shelf.sound(piece.sha256)
        assert (root(ctx, live) / path).stat().st_nlink >= 2


def test_files_that_did_not_survive_a_power_cut(ctx: Context, live: Deployment) -> None:
    spoil(root(ctx, live) / "index.html", b"")
    power_cut(ctx, live)
    recover(ctx)
    assert site(ctx) == SITE
    assert rows.unwritten(ctx.db.read()) == ()
    assert all(paths.shelf(ctx).sound(name) for name in paths.shelf(ctx).names())


def test_a_stop_without_a_power_cut_reads_nothing_again(
    ctx: Context, live: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    recover(ctx)
    with ctx.db.write() as db:
        db.execute("UPDATE releases SET written = 0")
    monkeypatch.setattr("appliance.machine.shelf.Shelf.sound", lambda *_: pytest.fail("read again"))
    recover(ctx)
    assert site(ctx) == SITE and rows.unwritten(ctx.db.read()) == ()


def test_a_live_release_that_is_gone_comes_back(ctx: Context, live: Deployment) -> None:
    releases.remove(ctx, live.release or "")
    assert site(ctx) == {}
    recover(ctx)
    assert site(ctx) == SITE


def test_an_upload_that_was_lost_loses_only_itself(
    ctx: Context, live: Deployment, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither release nor bundle: the start goes on, and says so."""
    releases.remove(ctx, live.release or "")
    paths.bundle_file(ctx, live.bundle).unlink()
    recover(ctx)
    assert "can't be put back" in caplog.text


@pytest.mark.parametrize("data", [b"rubbish", b"", b"the front page and more"])
def test_the_store_is_mended_from_a_bundle(ctx: Context, live: Deployment, data: bytes) -> None:
    """In place: whatever links the content has its bytes again, and its date."""
    file = root(ctx, live) / "index.html"
    before = file.stat()
    spoil(file, data)
    found = mend.examine(ctx)
    assert [path.partition("/")[2] for path in found.mended] == ["index.html"]
    assert found.lost == ()
    assert site(ctx) == SITE
    assert (file.stat().st_mtime, file.stat().st_mode) == (before.st_mtime, before.st_mode)
    assert mend.examine(ctx).mended == ()


def test_a_file_that_someone_removed_is_back(ctx: Context, live: Deployment) -> None:
    os.unlink(root(ctx, live) / "deep/a.txt")
    assert [path.partition("/")[2] for path in mend.examine(ctx).mended] == ["deep/a.txt"]
    assert site(ctx) == SITE


def test_what_no_bundle_has_is_said_to_be_lost(ctx: Context, live: Deployment) -> None:
    spoil(root(ctx, live) / "deep/a.txt")
    spoil(paths.bundle_file(ctx, live.bundle))
    found = mend.examine(ctx)
    assert [path.partition("/")[2] for path in found.lost] == ["deep/a.txt"]
    assert not paths.shelf(ctx).has("ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb")


def test_a_release_made_from_the_store_never_takes_what_is_damaged_for_good(ctx: Context, live: Deployment) -> None:
    """A new bundle with the same content links the mended one."""
    spoil(root(ctx, live) / "deep/a.txt")
    mend.examine(ctx)
    second = inside.upload(ctx, inside.project(ctx, "other"), {**SITE, "new.txt": "new"})
    pipeline.deploy(ctx, second.id, 1)
    made = inside.state(ctx, second)
    assert (root(ctx, made) / "deep/a.txt").read_text() == "a"
    assert (root(ctx, made) / "deep/a.txt").stat().st_ino == (root(ctx, live) / "deep/a.txt").stat().st_ino
