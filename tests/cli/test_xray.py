"""`homeport xray` and `homeport compare`, and what `homeport deploy` says of it at its end."""

from pathlib import Path

from tests.appliance import Appliance
from tests.cli.drive import Cli

BROKEN = {"index.html": '<a href="/gone/">Gone</a>', "prod.env": "KEY=1"}
SOUND = {"index.html": "<h1>Hello</h1>", "extra.html": "<h1>More</h1>"}


def test_what_is_in_a_deployment(server: Appliance, cli: Cli, name: str) -> None:
    server.project(name)
    server.deploy(name, SOUND)
    made = server.deploy(name, BROKEN)
    assert cli.json("xray", made["id"]) == server.get(f"/deployments/{made['id']}/xray")
    said = cli("xray", made["id"]).stdout
    assert "Warning: 1 link leads nowhere. (broken_links)\n  /gone/ on index.html\n" in said
    assert "Warning: 1 file looks as if not meant for everybody. (secret_files)\n  prod.env\n" in said
    assert "New       1 file, 5 bytes: prod.env\n" in said
    assert "Gone      1 file, 13 bytes: extra.html\n" in said
    assert "There is no such deployment" in cli("xray", "nope", code=1).stderr


def test_nothing_found_is_said_too(server: Appliance, cli: Cli, name: str) -> None:
    server.project(name)
    made = server.deploy(name, SOUND)
    assert cli("xray", made["id"]).stderr == "Nothing to mend was found.\n"


def test_two_side_by_side(server: Appliance, cli: Cli, name: str) -> None:
    server.project(name)
    first = server.deploy(name, SOUND)
    second = server.deploy(name, BROKEN)
    for made in (first, second):
        cli("xray", made["id"])
    said = cli("compare", second["id"], first["id"]).stdout
    assert "New: 1 file\n  + prod.env  5 bytes\n" in said
    assert "Changed: 1 file\n  ~ index.html  14 bytes to 25 bytes\n" in said
    assert "Gone: 1 file\n  - extra.html  13 bytes\n" in said
    assert "New findings:\nWarning: 1 file looks" in said
    found = cli.json("compare", first["id"], second["id"])
    assert found["before"] == first["id"]
    assert "The files are the same." in cli("compare", first["id"], first["id"]).stdout


def test_a_deployment_ends_with_what_was_found(cli: Cli, name: str, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    for file, text in BROKEN.items():
        (folder / file).write_text(text)
    done = cli("deploy", folder, "--project", name, "--create")
    assert done.stdout == f"http://{name}.localhost:{done.stdout.rsplit(':', 1)[1]}"
    assert "X-ray: 1 link leads nowhere. /gone/ on index.html\n" in done.stderr
    assert "X-ray: all of it with `homeport xray " in done.stderr
