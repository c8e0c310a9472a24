"""Settings as a file: out, into a fresh appliance, and out again; and every file that is none."""

import string
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as some

from appliance.errors import Invalid, TooLarge
from appliance.model import settings_file
from appliance.model.settings_file import Line
from tests.api.test_contract import problem
from tests.appliance import Appliance

HERE = "/settings/file"
SAVED = {
    "dns_target": "192.0.2.10",
    "smtp_from": "Homeport <homeport@example.net>",
    "smtp_user": 'quo"te \\ #: \N{GRINNING FACE} - ja',
    "backup_hour": "5",
    "cloudflare_proxied": "true",
    "backup_folder": "/mnt/no",
    "invitation_days": "07",
}


def exported(server: Appliance) -> str:
    answer = server.ask("GET", HERE)
    assert answer.headers["content-type"].startswith("application/yaml")
    return str(answer.text)


def values(server: Appliance) -> dict[str, tuple[str | None, bool]]:
    return {one["name"]: (one["value"], bool(one["saved_at"])) for one in server.get("/settings")["items"]}


def document(**settings: object) -> str:
    return str(yaml.safe_dump({"version": 1, "settings": settings}))


def test_what_is_exported_makes_a_fresh_appliance_the_same(fresh: Appliance, tmp_path: Path) -> None:
    fresh.ask("PATCH", "/settings", json={**SAVED, "cloudflare_token": "stays-here"})
    file = exported(fresh)
    assert "stays-here" not in file
    assert yaml.safe_load(file)["settings"]["smtp_user"] == SAVED["smtp_user"], "other readers read the same"
    with Appliance(tmp_path / "other") as other:
        done = other.ask("PUT", HERE, content=file).json()
        assert done["applied"] and {one["name"] for one in done["changes"]} == SAVED.keys()
        assert exported(other) == file
        assert values(other)["smtp_user"] == (SAVED["smtp_user"], True)
        assert other.ask("PUT", HERE, content=file).json()["changes"] == []


def test_a_preview_says_all_and_changes_nothing(fresh: Appliance) -> None:
    fresh.ask("PATCH", "/settings", json={"dns_target": "192.0.2.10", "backup_hour": "5", "cloudflare_token": "kept"})
    before = values(fresh)
    found = fresh.ask("POST", f"{HERE}/preview", content=document(backup_hour=6, backup_keep=3)).json()
    assert [(one["name"], one["was"], one["now"]) for one in found["changes"]] == [
        ("backup_hour", "5", "6"),
        ("backup_keep", None, "3"),
        ("dns_target", "192.0.2.10", None),
    ]
    assert "-  backup_hour: 5\n+  backup_hour: 6\n" in found["diff"] and not found["applied"]
    assert values(fresh) == before
    fresh.ask("PUT", HERE, content=document(backup_hour=6, backup_keep=3))
    now = {one["name"]: one for one in fresh.get("/settings")["items"]}
    assert (now["dns_target"]["saved_at"], now["backup_keep"]["value"]) == (None, "3")
    assert now["cloudflare_token"]["set"], "a secret that is set stays"


def test_one_wrong_setting_and_none_is_changed(server: Appliance) -> None:
    before = values(server)
    said = problem(
        server.ask("PUT", HERE, content=document(backup_hour=6, dns_traget="x", cloudflare_token="t")),
        422,
        dns_traget="There is no setting called dns_traget; there is dns_target",
        cloudflare_token="is a secret",
    )
    assert "t" not in said["errors"]["cloudflare_token"].split()
    problem(server.ask("PUT", HERE, content=document(backup_hour=99, backup_keep=3)), 422, backup_hour="0 to 23")
    assert values(server) == before


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "version: 1"),
        ("version: 2\nsettings: {}", "version: 1"),
        ("version: 1\nprojects: {}", "'projects' beside"),
        ("version: 1\nsettings: hello", "names with values"),
        ("- a list", "line 1"),
        ("version: 1\nsettings:\n  url: [a, b]", "at line 3: 'url' needs one value"),
        ("version: 1\nsettings:\n  url: a\n  url: b", "at line 4: 'url' is there twice"),
        ("version: 1\nsettings:\n  url: {a: b}", "one value"),
        ("version: 1\nsettings: &all\n  url: a", "at line 2: it has an anchor"),
        ("version: 1\nsettings: *all", "an anchor or a reference"),
        ("version: 1\nsettings:\n  url: !!python/object/apply:os.system ['true']", "names a type"),
        ("version: 1\nsettings: {}\n---\nversion: 1", "a second document"),
        ("version: 1\nsettings:\n\turl: a", "not YAML"),
        ('version: 1\nsettings:\n  url: "\\ud800"', "half a character"),
        ("version: 1\n" + "a: " + "[" * 5000, "'a' needs one value"),
        ("\x00", "not YAML"),
    ],
)
def test_a_file_that_is_none_is_refused_with_its_line(server: Appliance, text: str, why: str) -> None:
    problem(server.ask("POST", f"{HERE}/preview", content=text.encode("utf-8", "surrogatepass")), 422, file=why)


def test_what_is_no_text_or_too_long_is_refused(server: Appliance) -> None:
    problem(server.ask("POST", f"{HERE}/preview", content=b"\xff\xfe\x00"), 400)
    problem(server.ask("POST", f"{HERE}/preview", content=f"# {'x' * 70_000}"), 413)


@effort(max_examples=300, deadline=None)
@given(some.dictionaries(some.sampled_from(["url", "smtp_user", "dns_target"]), some.text(max_size=60)))
def test_every_value_comes_back_as_it_was(wanted: dict[str, str]) -> None:
    text = settings_file.write([Line(name, "What it is", it, saved=True) for name, it in wanted.items()], ["token"])
    assert settings_file.read(text) == wanted
    assert (yaml.safe_load(text)["settings"] or {}) == wanted


@effort(max_examples=300, deadline=None)
@given(some.text(alphabet=some.sampled_from(string.printable + "&*!|>%@`\x00é"), max_size=80))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    with suppress(Invalid, TooLarge):
        settings_file.read(f"version: 1\nsettings:\n  url: {text}\n")
