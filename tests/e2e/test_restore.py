"""A host with NGINX is lost, and another one takes its place."""

from pathlib import Path

import pytest

from appliance.machine.served import until
from tests.appliance import Appliance
from tests.cli.drive import Cli
from tests.e2e.host import Host
from tests.servers import Nginx, ask

PATIENCE = 60
HOSTS = ("www.example.com", "docs.example.com")
pytestmark = [pytest.mark.nginx, pytest.mark.slow]


def test_urls_answer_on_another_host_with_another_nginx(tmp_path: Path) -> None:
    """Another data folder, another port, another NGINX."""
    with Host(tmp_path / "old") as old:
        for host in HOSTS:
            project = old.live(host.partition(".")[0], f"<h1>{host}</h1>")
            assert old.add(project, host)["status"] == "active"
        cli = Cli({"XDG_DATA_HOME": str(tmp_path)})
        cli("backup", tmp_path / "b.tar", "--data", old.data, HOMEPORT_PASSPHRASE="an umbrella for the harbour")
        environ, key = dict(old.server.environ), old.server.key
        old.server.stop()
        nginx = Nginx(tmp_path / "new")
        nginx.start()
        cli(
            "restore",
            tmp_path / "b.tar",
            "--data",
            tmp_path / "data",
            HOMEPORT_PASSPHRASE="an umbrella for the harbour",
        )
        new = Appliance(tmp_path / "data", **{**environ, **nginx.environ}).start()
        new.key = key
        try:
            assert until(lambda: all(answers(nginx, host) for host in HOSTS), PATIENCE)
            assert until(lambda: statuses(new) == dict.fromkeys(HOSTS, "active"), PATIENCE), new.get("/urls")
            deployed = new.deploy("www", {"index.html": "goes on"})
            assert deployed["status"] == "succeeded"
            assert ask(nginx.address, "/", "www.example.com").body == b"goes on"
        finally:
            new.kill()
            new.http.close()
            nginx.stop()


def answers(nginx: Nginx, host: str) -> bool:
    return ask(nginx.address, "/", host).body == f"<h1>{host}</h1>".encode()


def statuses(server: Appliance) -> dict[str, str]:
    return {one["host"]: one["status"] for one in server.get("/urls")["items"]}
