import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.backends.builtin import Builtin
from appliance.dns.base import Provider, Record
from appliance.doctor import Around, examine
from appliance.doctor.examine import Look, look_all
from appliance.errors import HostFailed, RemoteFailed
from appliance.model.checks import Check
from appliance.settings import Settings


class Standing(Builtin):
    """A backend of which only the checks are asked."""

    def __init__(self, ask: Callable[[], list[Check]]) -> None:
        super().__init__(Settings())
        self._ask = ask

    def checks(self) -> list[Check]:
        return self._ask()


class Refusing(Provider):
    """A provider whose API can't be reached."""

    name = "refusing"

    def point(self, host: str, target: str, *, proxied: bool) -> Record:
        raise NotImplementedError

    def remove(self, host: str) -> bool:
        raise NotImplementedError

    def ours(self, known: tuple[str, ...]) -> list[Record]:
        raise NotImplementedError

    def set_txt(self, name: str, value: str) -> None:
        raise NotImplementedError

    def remove_txt(self, name: str, value: str) -> None:
        raise NotImplementedError

    def check(self, hosts: tuple[str, ...]) -> list[Check]:
        raise RemoteFailed(f"The API did not answer for {hosts[0]}.", permanent=False, todo=("Try again.",))


def named(checks: list[Check], name: str) -> Check:
    return next(check for check in checks if check.name == name)


def test_it_looks_at_everything_and_gives_each_trouble_its_mend(tmp_path: Path) -> None:
    checks = examine(Settings(data=tmp_path / "new", port=0))
    names = {check.name for check in checks}
    assert {"data.folder", "disk.bytes", "disk.files", "clock", "clock.sync", "port.appliance", "port.443"} <= names
    assert {"url", "dns", "python", "sqlite", "open.files", "program"} <= names
    assert {check.status for check in checks} <= {"ok", "warn", "failed", "off"}
    assert all(check.mend for check in checks if check.status == "failed")
    assert not (tmp_path / "new").exists()


def test_a_backend_tells_its_own_checks(tmp_path: Path) -> None:
    backend = Standing(lambda: [Check("standing.reload", "ok", "It may be reloaded.")])
    assert named(examine(Settings(data=tmp_path), Around(backends=(backend,))), "standing.reload").status == "ok"


def test_an_error_of_the_host_becomes_a_failed_check(tmp_path: Path) -> None:
    def ask() -> list[Check]:
        raise HostFailed("The command nginx is not on this host.", todo=("Install nginx.", "Look again."))

    found = named(examine(Settings(data=tmp_path), Around(backends=(Standing(ask),))), "builtin")
    assert (found.status, found.text) == ("failed", "The command nginx is not on this host.")
    assert found.mend == "Install nginx. Look again."


def test_a_provider_that_can_not_be_asked_is_a_failed_check(tmp_path: Path) -> None:
    around = Around(provider=Refusing(Settings(), "one"), hosts=("www.example.com",))
    assert named(examine(Settings(data=tmp_path), around), "dns").text == "The API did not answer for www.example.com."


def test_one_check_that_hangs_holds_up_nothing() -> None:
    let_go = threading.Event()

    def hang() -> list[Check]:
        let_go.wait()
        return []

    try:
        found = look_all([Look("slow", hang, 0.05), Look("quick", lambda: [Check("quick", "ok", "Here.")])])
    finally:
        let_go.set()
    assert [(one.name, one.status) for one in found] == [("slow", "failed"), ("quick", "ok")]
    assert found[0].text == "This gave no answer within 0.05 seconds."


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_check_that_is_broken_is_said_to_be() -> None:
    def broken() -> list[Check]:
        raise TypeError("a bug")

    found = look_all([Look("broken", broken), Look("other", lambda: [Check("other", "ok", "Here.")])])
    assert [one.status for one in found] == ["failed", "ok"]
