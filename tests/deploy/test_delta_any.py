"""Whatever a client says and sends: it is deployed as it was meant, or refused, and nothing half is kept."""

import hashlib
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.access.actor import OPERATOR
from appliance.context import Context
from appliance.deploy import delta, paths
from appliance.deploy.arriving import Arriving
from appliance.errors import BadBundle, HomeportError, Invalid, Lacking
from appliance.machine import archive, zipmake
from appliance.model.environments import Environment
from appliance.model.manifests import Piece
from appliance.model.trees import tree_of
from appliance.store import bundles
from tests import inside
from tests.trees import batch, name_of, told

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
PARTS = st.one_of(
    st.sampled_from(
        ["a", "A", "index.html", "docs", "..", ".", "", ".git", ".env", "c:", "ü", "u\u0308", "x" * 256, "a\\b"]
    ),
    st.text(max_size=6),
)
PATHS = st.lists(PARTS, min_size=1, max_size=4).map("/".join)
TREES = st.dictionaries(PATHS, st.binary(max_size=40), max_size=8)


@pytest.fixture(scope="module")
def ctx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Context]:
    with inside.context(tmp_path_factory.mktemp("any") / "data") as found:
        yield found


@pytest.fixture(scope="module")
def place(ctx: Context) -> Environment:
    return inside.project(ctx, "any")


def keep(ctx: Context, *contents: bytes) -> None:
    with Arriving(ctx, OPERATOR) as arriving:
        arriving.write([batch(contents)])
        arriving.finish()


@QUICK
@given(TREES)
def test_any_tree_is_deployed_as_it_is_or_refused(ctx: Context, place: Environment, files: dict[str, bytes]) -> None:
    keep(ctx, *files.values())
    try:
        plan = delta.plan(ctx, OPERATOR, tree_of({"files": told(files)}))
    except (BadBundle, Invalid):
        return
    deployment = delta.deploy_tree(ctx, OPERATOR, place, plan)
    taken = {path.removeprefix("./"): content for path, content in files.items()}
    assert {path: piece.sha256 for path, piece in plan.manifest.items()}.items() <= {
        path: name_of(content) for path, content in taken.items()
    }.items()
    body = made_zip(ctx, deployment.bundle)
    assert name_of(body) == deployment.bundle and len(body) == deployment.size
    with zipfile.ZipFile(io.BytesIO(body)) as read:
        inside_zip = {one.filename: read.read(one) for one in read.infolist()}
    cut = len("site/") if set(inside_zip) != set(plan.manifest) else 0
    assert {name[cut:]: content for name, content in inside_zip.items()} == {
        path: taken[path] for path in plan.manifest
    }


def made_zip(ctx: Context, sha256: str) -> bytes:
    bundle = bundles.find(ctx.db.read(), sha256)
    assert bundle is not None
    return b"".join(delta.zip_of_made(ctx, bundle))


@QUICK
@given(TREES.filter(bool), st.data())
def test_our_own_reader_takes_the_zip_for_the_same_tree(
    ctx: Context, files: dict[str, bytes], data: st.DataObject
) -> None:
    keep(ctx, *files.values())
    try:
        plan = delta.plan(ctx, OPERATOR, tree_of({"files": told(files)}))
    except (BadBundle, Invalid):
        return
    manifest = {path: piece._replace(crc32=0) for path, piece in plan.manifest.items()}
    path = ctx.data / "incoming" / "read.zip"
    path.write_bytes(b"".join(zipmake.stream(manifest, paths.shelf(ctx).path)))
    assert path.stat().st_size == zipmake.size(manifest)
    found = archive.inspect(path, archive.Limits(1000, 1 << 20))
    path.unlink()
    assert {entry.path: entry.size for entry in found.entries} == {name: one.size for name, one in manifest.items()}


@QUICK
@given(TREES.filter(bool), st.data())
def test_whoever_lies_is_told_so_and_nothing_is_made(
    ctx: Context, place: Environment, files: dict[str, bytes], data: st.DataObject
) -> None:
    keep(ctx, *files.values())
    said = told(files)
    path = data.draw(st.sampled_from(sorted(files)))
    lie = data.draw(
        st.one_of(
            st.tuples(st.just(name_of(b"never sent")), st.integers(0, 50)),
            st.tuples(st.just(name_of(files[path])), st.integers(0, 50).filter(lambda size: size != len(files[path]))),
        )
    )
    known = set((ctx.data / "bundles").glob("??/*"))
    lied = {**said, "kept.html": list(lie), path: list(lie)}
    with pytest.raises((BadBundle, Invalid, Lacking)):
        delta.deploy_tree(ctx, OPERATOR, place, delta.plan(ctx, OPERATOR, tree_of({"files": lied})))
    assert set((ctx.data / "bundles").glob("??/*")) == known


@QUICK
@given(TREES.filter(bool), TREES, st.sets(PATHS, max_size=4))
def test_a_difference_gives_the_tree_that_it_is_the_difference_to(
    ctx: Context, place: Environment, before: dict[str, bytes], changed: dict[str, bytes], removed: set[str]
) -> None:
    keep(ctx, *before.values(), *changed.values())
    try:
        base = delta.plan(ctx, OPERATOR, tree_of({"files": told(before)}))
        deployment = delta.deploy_tree(ctx, OPERATOR, place, base)
    except (BadBundle, Invalid):
        return
    found = bundles.find(ctx.db.read(), deployment.bundle)
    assert found is not None
    whole = {path: content for path, content in before.items() if path.removeprefix("./") in base.manifest}
    wanted = {path.removeprefix("./"): content for path, content in whole.items()}
    wanted = {path: content for path, content in wanted.items() if path not in removed} | changed
    try:
        meant = delta.plan(ctx, OPERATOR, tree_of({"files": told(wanted)})).manifest
    except HomeportError as why:
        with pytest.raises(type(why)):
            delta.plan(
                ctx, OPERATOR, tree_of({"base": found.release, "files": told(changed), "removed": sorted(removed)})
            )
        return
    plan = delta.plan(
        ctx, OPERATOR, tree_of({"base": found.release, "files": told(changed), "removed": sorted(removed)})
    )
    assert {path: piece[:2] for path, piece in plan.manifest.items()} == {
        path: piece[:2] for path, piece in meant.items()
    }


@QUICK
@given(st.lists(st.binary(max_size=60), max_size=5), st.data())
def test_any_batch_keeps_only_what_is_its_name(ctx: Context, contents: list[bytes], data: st.DataObject) -> None:
    body = bytearray(batch(contents))
    for _ in range(data.draw(st.integers(0, 3))):
        if body:
            body[data.draw(st.integers(0, len(body) - 1))] ^= data.draw(st.integers(1, 255))
    body = body[: data.draw(st.integers(0, len(body)))] if data.draw(st.booleans()) else body
    steps = data.draw(st.lists(st.integers(1, 50), min_size=1, max_size=20))
    try:
        with Arriving(ctx, OPERATOR) as arriving:
            at = 0
            for step in steps:
                arriving.write([bytes(body[at : at + step])])
                at += step
            arriving.write([bytes(body[at:])])
            arriving.finish()
    except HomeportError:
        pass
    for path in (ctx.data / "files").glob("??/*"):
        assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name
    assert list((ctx.data / "incoming").iterdir()) == []


def test_more_entries_than_a_small_zip_can_count(tmp_path: Path) -> None:
    manifest = {f"{number:05}.html": Piece(1, name_of(b"x"), 0x8CDC1683) for number in range(70_000)}
    one = tmp_path / "x"
    one.write_bytes(b"x")
    body = b"".join(zipmake.stream(manifest, lambda _: one))
    assert len(body) == zipmake.size(manifest)
    with zipfile.ZipFile(io.BytesIO(body)) as read:
        assert len(read.infolist()) == 70_000
        assert read.read("69999.html") == b"x"
    (tmp_path / "many.zip").write_bytes(body)
    assert archive.inspect(tmp_path / "many.zip", archive.Limits(100_000, 1 << 30)).files == 70_000


@pytest.mark.slow
def test_larger_than_a_small_zip_can_say(tmp_path: Path) -> None:
    """A file over 4 GiB, and another behind it; holes on the disk, so that nothing is really written."""
    large, small = tmp_path / "large", tmp_path / "small"
    with large.open("wb") as file:
        file.truncate((4 << 30) + 5)
    small.write_bytes(b"small")
    places = {"0" * 64: large, "1" * 64: small}
    manifest = {"a.bin": Piece((4 << 30) + 5, "0" * 64, 0), "b.txt": Piece(5, "1" * 64, 0x2A3F0A27)}
    made = tmp_path / "made.zip"
    with made.open("wb") as file:
        for piece in zipmake.stream(manifest, places.__getitem__):
            file.write(piece) if piece.strip(b"\0") else file.seek(len(piece), 1)
    assert made.stat().st_size == zipmake.size(manifest)
    found = archive.inspect(made, archive.Limits(10, 8 << 30))
    assert [(entry.path, entry.size) for entry in found.entries] == [("a.bin", (4 << 30) + 5), ("b.txt", 5)]
    with zipfile.ZipFile(made) as read, read.open("b.txt") as inner:
        inner._expected_crc = None  # type: ignore[attr-defined]
        assert inner.read() == b"small"
