"""`homeport deploy` from a folder or a zip to a live address, and everything that can go wrong on the way."""

import hashlib
import json
import threading
import zipfile
from pathlib import Path

import pytest

from appliance.cli.watch import raise_if_not_live
from appliance.errors import HomeportError
from tests.appliance import Appliance, zipped
from tests.cli.drive import PATIENCE, Cli, interrupt
from tests.cli.wire import Call, wire


def test_a_folder_goes_live(server: Appliance, cli: Cli, name: str, site: Path) -> None:
    result = cli("deploy", site, "--project", name, "--create")
    assert server.visit(name).text == f"<h1>{name}</h1>"
    assert result.stdout == f"http://{name}.localhost:{server.port}/\n"
    assert f"Created project {name}." in result.stderr
    assert f"#1 of {name} production is live." in result.stderr
    assert "index.html at the top" in result.stderr


def test_the_folders_name_is_the_project(server: Appliance, cli: Cli, name: str, site: Path) -> None:
    refused = cli("deploy", site, code=1)
    assert refused.stderr == (
        f"Error: There is no project {name}, as the folder is called."
        f" Name the project with --project, or add --create to make {name}.\n"
    )
    server.project(name)
    cli("deploy", site)
    assert server.visit(name).status_code == 200


@pytest.mark.parametrize("folder", ["Some Folder", "-x", "a_b"])
def test_a_folder_that_can_not_be_a_project_says_so(cli: Cli, tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "index.html").write_text("x")
    assert "Name the project with --project." in cli("deploy", "--create", "--", tmp_path / folder, code=1).stderr


def test_the_same_folder_is_the_same_bundle(cli: Cli, name: str, site: Path) -> None:
    first = cli.json("deploy", site, "--create")
    again = cli.json("deploy", site)
    assert first["bundle"] == again["bundle"]
    assert again["number"] == 2
    assert again["files"] == 2


def test_json_is_the_deployment_and_nothing_else(server: Appliance, cli: Cli, name: str, site: Path) -> None:
    deployment = cli.json("deploy", site, "--create")
    now = server.get(f"/deployments/{deployment['id']}")
    assert deployment | {"xray": None} == now | {"xray": None}, "it may still be looked at when it is live"
    assert deployment["status"] == "succeeded"


def test_a_zip_is_sent_as_it_is(server: Appliance, cli: Cli, name: str, tmp_path: Path) -> None:
    bundle = tmp_path / "the site.zip"
    bundle.write_bytes(zipped({"index.html": "<h1>zip</h1>"}))
    deployment = cli.json("deploy", bundle, "-p", name, "--create")
    assert deployment["bundle"] == hashlib.sha256(bundle.read_bytes()).hexdigest()
    assert server.get(f"/bundles/{deployment['bundle']}")["filename"] == "the site.zip"
    cli("bundles", "download", deployment["bundle"], "-o", tmp_path / "back.zip")
    assert (tmp_path / "back.zip").read_bytes() == bundle.read_bytes()


def test_a_zip_needs_its_project_named(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "blog.zip").write_bytes(zipped({"index.html": "x"}))
    assert "--project" in cli("deploy", tmp_path / "blog.zip", code=1).stderr


def test_options_come_from_the_environment(server: Appliance, cli: Cli, name: str, site: Path) -> None:
    cli("deploy", site, HOMEPORT_PROJECT=name, HOMEPORT_ENVIRONMENT="staging", HOMEPORT_CREATE="1")
    assert server.visit(f"staging.{name}").status_code == 200
    assert server.visit(name).status_code == 404


def test_create_makes_what_is_missing_and_no_more(server: Appliance, cli: Cli, name: str, site: Path) -> None:
    server.project(name)
    assert f"no environment staging in a project {name}" in cli("deploy", site, "-e", "staging", code=1).stderr
    result = cli("deploy", site, "-e", "staging", "--create")
    assert "Created project" not in result.stderr
    assert f"Created environment staging in {name}." in result.stderr


def test_a_name_that_can_not_be_is_refused_by_the_server(cli: Cli, site: Path) -> None:
    assert "small letters" in cli("deploy", site, "-p", "Big", "--create", code=1).stderr.lower()


def test_no_wait_returns_the_deployment(server: Appliance, cli: Cli, name: str, site: Path) -> None:
    deployment = cli.json("deploy", site, "--create", "--no-wait")
    assert deployment["status"] in ("queued", "running")
    shown = cli("logs", deployment["id"], "--follow").stdout
    assert f"#1 is live in {name} production" in shown
    assert "Id" in cli("deploy", site, "--no-wait").stdout


def test_what_the_server_refuses_comes_with_its_reason(server: Appliance, cli: Cli, name: str, tmp_path: Path) -> None:
    server.project(name)
    (tmp_path / "site.zip").write_bytes(b"this is no zip at all")
    (tmp_path / "evil.zip").write_bytes(zipped({"../up.html": "x"}))
    assert "zip" in cli("deploy", tmp_path / "site.zip", "-p", name, code=1).stderr
    refused = cli("deploy", tmp_path / "evil.zip", "-p", name, code=1)
    assert "../up.html" in refused.stderr
    assert refused.stdout == ""
    assert server.visit(name).status_code == 404


def test_a_deployment_that_fails_ends_with_1_and_no_address(
    server: Appliance, cli: Cli, name: str, tmp_path: Path
) -> None:
    server.project(name)
    data = bytearray(zipped({"index.html": "<h1>Hello</h1>" * 50}))
    with zipfile.ZipFile(_written(tmp_path / "x.zip", bytes(data))) as whole:
        data[whole.getinfo("index.html").header_offset + 45] ^= 0xFF
    refused = cli("deploy", _written(tmp_path / "site.zip", bytes(data)), "-p", name, code=1)
    assert "index.html" in refused.stderr
    assert refused.stdout == ""


def test_a_key_that_is_wrong_is_3_and_nothing_there_is_4(server: Appliance, cli: Cli, site: Path) -> None:
    refused = cli("deploy", site, code=3, HOMEPORT_KEY="hp_wrong")
    assert "hp_wrong" not in refused.output
    assert refused.stderr.startswith("Error: ")
    with wire(lambda call: None) as gone:
        pass
    assert gone.url in cli("deploy", site, code=4, HOMEPORT_SERVER=gone.url).stderr


def test_a_wrong_path_is_2_and_an_empty_folder_is_1(cli: Cli, tmp_path: Path) -> None:
    assert "does not exist" in cli("deploy", tmp_path / "gone", code=2).stderr
    assert "nothing to deploy" in cli("deploy", tmp_path, code=1).stderr


def test_too_large_is_said_before_all_of_it_is_sent(tmp_path: Path, alone: Cli) -> None:
    big = tmp_path / "big.zip"
    with big.open("wb") as file:
        file.truncate(512 << 20)
    with Appliance(tmp_path / "data", HOMEPORT_UPLOAD_MAX="1M") as small:
        small.project("blog")
        environ = {"HOMEPORT_SERVER": small.url, "HOMEPORT_KEY": small.key}
        assert "1 MiB" in alone("deploy", big, "-p", "blog", code=1, **environ).stderr
        folder = tmp_path / "folder"
        folder.mkdir()
        big.rename(folder / "big.mp4")
        assert "1 MiB" in alone("deploy", folder, "-p", "blog", code=1, **environ).stderr


QUEUED = {
    "id": "d1",
    "number": 7,
    "project": "blog",
    "environment": "production",
    "status": "queued",
    "live": False,
    "error": None,
    "address": "http://blog.localhost/",
}


def test_ctrl_c_while_waiting_leaves_the_deployment_alone(alone: Cli, site: Path) -> None:
    done = threading.Event()

    def script(call: Call) -> None:
        if call.line.startswith("POST"):
            call.body()
            call.answer(202, json.dumps(QUEUED).encode())
        elif call.path.endswith("/log"):
            call.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
            line = {"number": 1, "at": "2027-01-31T00:00:00Z", "step": "unpack", "level": "info", "text": "Begun"}
            call.send(f"id: 1\nevent: line\ndata: {json.dumps(line)}\n\n".encode())
            done.wait(PATIENCE)
        else:
            call.answer(200, b"{}")

    with wire(script) as server:
        running = alone.process(
            "deploy", site, "-p", "blog", environ={"HOMEPORT_SERVER": server.url, "HOMEPORT_KEY": "hp_k"}
        )
        assert running.stderr is not None
        while "Begun" not in running.stderr.readline():
            assert running.poll() is None
        asked = len(server.calls)
        interrupt(running)
        out, err = running.communicate(timeout=PATIENCE)
        done.set()
        assert len(server.calls) == asked
    assert running.returncode == 130
    assert out == ""
    assert "#7 of blog production goes on without you." in err
    assert "homeport logs d1 --follow" in err
    assert "homeport deployments cancel d1" in err


def test_ctrl_c_while_uploading_deploys_nothing(alone: Cli, tmp_path: Path) -> None:
    sending, done = threading.Event(), threading.Event()

    def script(call: Call) -> None:
        if call.line.startswith("POST"):
            sending.set()
            done.wait(PATIENCE)
        else:
            call.answer(200, b"{}")

    big = tmp_path / "big.zip"
    with big.open("wb") as file:
        file.truncate(256 << 20)
    with wire(script) as server:
        running = alone.process(
            "deploy", big, "-p", "blog", environ={"HOMEPORT_SERVER": server.url, "HOMEPORT_KEY": "hp_k"}
        )
        assert sending.wait(PATIENCE)
        interrupt(running)
        out, err = running.communicate(timeout=PATIENCE)
        done.set()
    assert (running.returncode, out) == (130, "")
    assert err.endswith("Error: The upload was stopped. Nothing was deployed.\n")


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("cancelled", "was cancelled. What was live before is live still."),
        ("skipped", "a newer deployment overtook it"),
    ],
)
def test_an_end_that_is_not_live_is_an_error(status: str, expected: str) -> None:
    with pytest.raises(HomeportError, match=expected):
        raise_if_not_live({**QUEUED, "status": status}, over=True)  # type: ignore[typeddict-item]


def _written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_a_server_that_dies_and_comes_back_is_waited_for(fresh: Appliance, alone: Cli, tmp_path: Path) -> None:
    fresh.project("blog")
    bundle = _written(tmp_path / "site.zip", zipped({f"{number}.html": str(number) for number in range(8_000)}))
    running = alone.process(
        "deploy", bundle, "-p", "blog", environ={"HOMEPORT_SERVER": fresh.url, "HOMEPORT_KEY": fresh.key}
    )
    assert running.stderr is not None
    while "The bundle holds" not in running.stderr.readline():
        assert running.poll() is None
    fresh.kill()
    fresh.start()
    out, err = running.communicate(timeout=PATIENCE)
    assert running.returncode == 0, err
    assert "The connection was lost; trying again..." in err
    assert out == f"http://blog.localhost:{fresh.port}/\n"
    assert fresh.visit("blog", "/7.html").text == "7"
