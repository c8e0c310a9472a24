"""Unpacking with a second process: whatever becomes of it, the folder is whole or the bundle refused."""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import BadBundle, Cancelled
from appliance.machine import archive, partner, process
from appliance.machine import unpack as unpacking
from appliance.machine.partner import Partner
from appliance.machine.unpack import unpack
from appliance.model.manifests import Piece
from tests.archives import LIMITS, NOISE, Item, build, zipped
from tests.releases import shelf_in

SITE = {f"{number % 9}/{number}.txt": f"text {number}\n".encode() * 50 for number in range(900)}
needs_two = pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="a second process is for a second core")


@pytest.fixture(autouse=True)
def nobody_awake() -> Iterator[None]:
    partner.send_all_away()
    yield
    partner.send_all_away()


def take(folder: Path, data: bytes, **more: Any) -> dict[str, Piece]:
    path = folder / "bundle.zip"
    path.write_bytes(data)
    given = {"on_progress": lambda _: None, "cancelled": lambda: False, **more}
    return unpack(
        path, archive.inspect(path, LIMITS), folder / "release", shelf=shelf_in(folder), limits=LIMITS, **given
    )


def written(folder: Path) -> dict[str, bytes]:
    root = folder / "release"
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@needs_two
def test_both_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = threading.Event()

    class Seen(Partner):
        def write(self, batch: Any) -> Any:
            found = super().write(batch)
            if found:
                there.set()
            return found

    def after_the_other(work: Any, side: int, tick: Any) -> None:
        assert there.wait(30), "the other one took none of it"
        write_here(work, side, tick)

    write_here = unpacking._write_here
    monkeypatch.setattr(partner, "Partner", Seen)
    monkeypatch.setattr(unpacking, "_write_here", after_the_other)
    large = {f"large/{number}.bin": os.urandom(900_000) for number in range(10)}
    found = take(tmp_path, zipped({**SITE, **large}))
    assert written(tmp_path) == {**SITE, **large}
    assert found.keys() == SITE.keys() | large.keys()


class Dying(Partner):
    """Killed with a batch in its hands."""

    def write(self, batch: Any) -> Any:
        os.kill(self._child.pid, signal.SIGKILL)
        return super().write(batch)


@pytest.mark.parametrize("batches", [1, 3])
def test_the_other_one_is_killed(batches: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it had begun is written again here."""
    left = iter(range(batches))

    class DyingLater(Dying):
        def write(self, batch: Any) -> Any:
            return Partner.write(self, batch) if next(left, None) is not None else super().write(batch)

    monkeypatch.setattr(partner, "Partner", DyingLater)
    assert take(tmp_path, zipped(SITE)).keys() == SITE.keys()
    assert written(tmp_path) == SITE


def test_there_is_no_other_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partner, "_WHOLE_LIFE", "raise SystemExit(3)")
    assert take(tmp_path, zipped(SITE)).keys() == SITE.keys()
    assert written(tmp_path) == SITE


def test_one_core_does_it_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    monkeypatch.setattr(process, "beside", lambda _: pytest.fail("a process for nobody"))
    take(tmp_path, zipped(SITE))
    assert written(tmp_path) == SITE


@pytest.mark.parametrize("number", range(0, 900, 150))
def test_a_damaged_file_is_named_whoever_meets_it(number: int, tmp_path: Path) -> None:
    items = [Item(name, data) for name, data in SITE.items()]
    bad = bytearray(build(items))
    body = next(data for name, data in SITE.items() if name.endswith(f"/{number}.txt"))
    at = bad.index(body[:12]) if body[:12] in bad else None
    if at is None:
        items[number] = Item(items[number].name, NOISE[:200])
        bad = bytearray(build(items))
        at = bad.index(NOISE[:12])
    bad[at] ^= 0x20
    with pytest.raises(BadBundle) as caught:
        take(tmp_path, bytes(bad))
    assert caught.value.entry == items[number].name


def test_cancelled_in_the_middle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "LOOK_EVERY", 0)
    looks = iter([False] * 4)
    large = {f"large/{number}.bin": os.urandom(5_000_000) for number in range(10)}
    begun: list[Partner] = []

    class Noted(Partner):
        def __init__(self) -> None:
            super().__init__()
            begun.append(self)

    monkeypatch.setattr(partner, "Partner", Noted)
    with pytest.raises(Cancelled):
        take(tmp_path, zipped(large), cancelled=lambda: next(looks, True))
    for one in begun:
        assert not one.alive, "the other one goes on"


class Counted(Partner):
    begun = 0

    def __init__(self) -> None:
        super().__init__()
        Counted.begun += 1


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> type[Counted]:
    monkeypatch.setattr(Counted, "begun", 0)
    monkeypatch.setattr(partner, "Partner", Counted)
    return Counted


@needs_two
def test_one_serves_bundle_after_bundle(tmp_path: Path, counted: type[Counted]) -> None:
    for number in range(3):
        folder = tmp_path / str(number)
        folder.mkdir()
        take(folder, zipped(SITE))
        assert written(folder) == SITE
    assert counted.begun == 1


@needs_two
def test_one_that_died_at_rest_is_replaced(tmp_path: Path, counted: type[Counted]) -> None:
    partner.call()
    with partner.lent() as one:
        assert one is not None
        resting = one
    os.kill(resting._child.pid, signal.SIGKILL)
    resting._child.wait()
    take(tmp_path, zipped(SITE))
    assert written(tmp_path) == SITE
    assert counted.begun == 2


@needs_two
def test_no_more_than_there_are_other_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    with partner.lent() as one:
        assert one is not None
        with partner.lent() as two:
            assert two is None
        take(tmp_path, zipped(SITE))
    assert written(tmp_path) == SITE


@needs_two
def test_at_rest_it_holds_no_bundle_and_leaves_after_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A removed release would keep its room on the disk for as long as somebody has it open."""
    monkeypatch.setattr(partner, "_PATIENCE", 0.2)
    gone = threading.Event()
    seen: list[set[str]] = []

    class Watched(Partner):
        def rest(self) -> None:
            seen.append(_open_in(self))
            super().rest()

        def end(self) -> None:
            super().end()
            gone.set()

    monkeypatch.setattr(partner, "Partner", Watched)
    take(tmp_path, zipped(SITE))
    assert seen == [set()]
    assert gone.wait(30), "it stays for ever"


def _open_in(one: Partner) -> set[str]:
    """Files and folders that it has open."""
    held = {os.readlink(link) for link in Path(f"/proc/{one._child.pid}/fd").iterdir()}
    return {name for name in held if name.startswith("/") and not name.startswith("/dev/")}
