"""The command as a whole: help, versions, exit codes, the last words on a fault, and its own page of docs."""

import re
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from appliance import __version__
from appliance.cli.edge import exit_code, fault, sentence
from appliance.cli.main import SECTIONS, homeport
from appliance.client import ClientError, Unreachable
from appliance.errors import Forbidden, HomeportError, Invalid, NotSignedIn
from tests.cli.drive import PATIENCE, ROOT, Cli
from tests.cli.wire import wire

DOCS = (ROOT / "docs" / "cli.md").read_text("utf-8")


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, by its whole name."""
    with click.Context(homeport) as ctx:
        for name in homeport.list_commands(ctx):
            command = homeport.get_command(ctx, name)
            assert command is not None
            if isinstance(command, click.Group):
                yield from ((f"{name} {sub}", it) for sub, it in command.commands.items())
            else:
                yield name, command


def options() -> Iterator[tuple[str, click.Option]]:
    for name, command in commands():
        yield from ((name, it) for it in command.params if isinstance(it, click.Option) and not it.hidden)


@pytest.mark.parametrize("words", [(), ("--help",), ("-h",)])
def test_help_shows_every_command_on_one_screen(alone: Cli, words: tuple[str, ...]) -> None:
    shown = alone(*words, code=0 if words else 2).output
    assert all(re.search(rf"^  {name} +\S", shown, re.MULTILINE) for names in SECTIONS.values() for name in names)
    assert all(f"{title}:" in shown for title in SECTIONS)
    assert "homeport deploy dist --project blog --create" in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_every_command_says_what_it_does() -> None:
    for name, command in commands():
        assert command.help, name
        assert command.help.partition("\n")[0].endswith("."), name


def test_every_option_has_its_variable() -> None:
    for name, option in options():
        long = next(it for it in option.opts if it.startswith("--"))
        assert option.envvar == f"HOMEPORT_{long[2:].replace('-', '_').upper()}", f"{name} {long}"


def test_every_command_that_prints_takes_json() -> None:
    plain = {name for name, it in commands() if not any("--json" in option.opts for option in it.params)}
    assert plain <= {"serve", "install"}


def test_every_command_and_option_is_documented() -> None:
    assert [name for name, _ in commands() if f"homeport {name}" not in DOCS] == []
    assert sorted({opt for _, it in options() for opt in it.opts if opt.startswith("--") and opt not in DOCS}) == []


def test_the_version_needs_next_to_nothing(alone: Cli) -> None:
    assert alone("--version").stdout == f"homeport {__version__}\n"
    code = (
        "import sys; sys.argv = ['homeport', '--version']\n"
        "from appliance.__main__ import main\n"
        "try: main()\n"
        "except SystemExit: print(*sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(ran.stdout.splitlines()[-1].split())
    assert {it for it in loaded if it.startswith("appliance")} == {
        *("appliance", "appliance.__main__", "appliance.errors"),
        *("appliance.cli", "appliance.cli.main", "appliance.cli.edge", "appliance.cli.lazy", "appliance.cli.text"),
    }
    assert not loaded & {"httpx", "starlette", "asyncio", "sqlite3", "ssl", "json", "zipfile"}


def test_a_slip_is_met_with_a_suggestion(alone: Cli) -> None:
    assert "'deploy'" in alone("dploy", code=2).stderr
    assert "No such option" in alone("deploy", "--projet", "x", ".", code=2).stderr
    assert "'create'" in alone("projects", "crate", code=2).stderr


@pytest.mark.parametrize(
    ("why", "code"),
    [
        (HomeportError("It broke."), 1),
        (Invalid({"name": "Enter a name"}), 1),
        (ClientError(422, {}), 1),
        (ClientError(500, {}), 1),
        (NotSignedIn("Sign in."), 3),
        (Forbidden("You may not."), 3),
        (ClientError(401, {}), 3),
        (ClientError(403, {"detail": "You may not."}), 3),
        (Unreachable("Nothing answers."), 4),
    ],
)
def test_exit_codes(why: HomeportError, code: int) -> None:
    assert exit_code(why) == code


def test_an_error_says_what_happened_and_what_to_do() -> None:
    why = HomeportError("It broke", todo=("Mend it.", "Try again."), said="line one\n\nline two\x1b[31m")
    assert sentence(why) == "It broke. Mend it. Try again.\n  line one\n  line two\\x1b[31m"
    assert sentence(HomeportError("It said no.", said="said no")) == "It said no."


def test_a_fault_of_ours_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    fault(KeyError, KeyError("name"), None)
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "KeyError: 'name'" in said
    assert "HOMEPORT_DEBUG=1" in said
    monkeypatch.setenv("HOMEPORT_DEBUG", "1")
    fault(KeyError, KeyError("name"), None)
    assert "HOMEPORT_DEBUG" not in capsys.readouterr().err


def test_debug_shows_where_it_came_from(alone: Cli) -> None:
    running = alone.process("whoami", environ={"HOMEPORT_DEBUG": "1"})
    _, err = running.communicate(timeout=PATIENCE)
    assert running.returncode == 3
    assert "Traceback" in err
    assert err.splitlines()[-1].startswith("Error: You are not signed in anywhere.")


def test_a_reader_that_has_had_enough_ends_it_quietly(alone: Cli) -> None:
    rows = b'{"items": [%s], "next": null}' % b",".join(
        b'{"id": %d, "at": "2027-01-31T00:00:00Z", "actor": "a", "verb": "v", "subject": "s"}' % number
        for number in range(20_000)
    )
    with wire(lambda call: call.answer(200, rows)) as server:
        environ = {"HOMEPORT_SERVER": server.url, "HOMEPORT_KEY": "hp_k"}
        running = alone.process("activity", "--limit", 20_000, environ=environ)
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.readline()
        running.stdout.close()
        assert running.stderr.read() == ""
        running.stderr.close()
        assert running.wait(PATIENCE) in (0, 1)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_no_locale_makes_an_output_fail(alone: Cli, encoding: str) -> None:
    with wire(lambda call: call.answer(200, '{"name": "ünï 😀", "id": "1"}'.encode())) as server:
        environ = {"HOMEPORT_SERVER": server.url, "HOMEPORT_KEY": "hp_k", "PYTHONIOENCODING": encoding, "LC_ALL": "C"}
        running = alone.process("whoami", environ=environ, encoding="latin-1")
        out, err = running.communicate(timeout=PATIENCE)
    assert (running.returncode, err) == (0, "")
    assert f" at {server.url}\n" in out
