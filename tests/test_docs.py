"""What is said of the program is true: nothing is missing, links lead somewhere, and what people should run works."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import click
import pytest

from appliance.access.permissions import PERMISSIONS
from appliance.api.openapi import document
from appliance.api.routes import routes
from appliance.cli.main import homeport
from appliance.settings import ABOUT
from appliance.web.routes import Declared
from tests import documented
from tests.appliance import EMAIL, PASSWORD, ROOT, Appliance, zipped

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").rglob("*.md"))]
API = [one for one in routes() if isinstance(one, Declared)]
RUN = (
    "api",
    "delta",
    "uploads",
    "backups",
    "projects",
    "environments",
    "deployments",
    "approvals",
    "variables",
    "bundles",
    "urls",
    "keys",
    "activity",
    "people",
    "log",
    "notifications",
    "mail",
    "sign-in",
    "settings",
)


def text_of(name: str) -> str:
    return (ROOT / "docs" / name).read_text("utf-8")


def page_name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_every_endpoint_is_in_the_docs_with_who_may() -> None:
    text = text_of("api.md")
    for row in documented.endpoints():
        assert row in text, "python -m tests.documented draws it"


def test_every_setting_is_in_the_docs_with_its_default() -> None:
    text = text_of("settings.md")
    for row in documented.settings():
        assert row in text, "python -m tests.documented draws it"
    assert len(ABOUT) == sum(f"| `{about.env}` |" in text for about in ABOUT.values())


def test_who_may_what_is_in_the_docs() -> None:
    text = text_of("people.md")
    for row in documented.permissions():
        assert row in text, "python -m tests.documented draws it"
    used = {one.allow for one in API}
    assert PERMISSIONS.keys() <= used, "no permission without a use"


@pytest.mark.parametrize("page", documented.pages(), ids=page_name)
def test_what_is_drawn_is_up_to_date(page: Path) -> None:
    text = page.read_text("utf-8")
    assert documented.drawn(text) == text, "python -m tests.documented draws it again"


def commands(command: click.Command, path: str, context: click.Context) -> Iterator[str]:
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None and not inner.hidden:
                yield from commands(inner, f"{path} {name}", context)
    else:
        yield path


def test_every_command_is_in_the_docs() -> None:
    with click.Context(homeport) as context:
        known = list(commands(homeport, "homeport", context))
    assert len(known) > 30
    text = text_of("cli.md")
    assert [one for one in known if one not in text] == []


def test_every_verb_of_the_activity_is_in_the_docs() -> None:
    source = "".join(path.read_text("utf-8") for path in (ROOT / "appliance").rglob("*.py"))
    verbs = set(re.findall(r"record(?:_in|_of)?\(\s*ctx, db, [^\"()]*?\"([a-z]+\.[a-z_]+)\"", source))
    verbs |= {f"deployment.{verb}" for verb in ("create", "rollback", "promote")}
    assert len(verbs) > 20
    text = text_of("activity.md")
    assert sorted(verb for verb in verbs if f"`{verb}`" not in text) == []


def test_every_page_is_in_the_index() -> None:
    index = text_of("README.md")
    names = {page.name for page in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert sorted(name for name in names if f"({name})" not in index) == []


def anchors(text: str) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_no_link_leads_nowhere(page: Path) -> None:
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text("utf-8"), flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        target, _, anchor = link.partition("#")
        there = (page.parent / unquote(target)).resolve() if target else page
        assert there.exists(), f"{link} is not there"
        assert there.is_relative_to(ROOT)
        if anchor and there.suffix == ".md":
            assert anchor in anchors(there.read_text("utf-8")), f"{link} has no such heading"


# OpenAPI

DOCUMENT: dict[str, Any] = document(routes())
METHODS = {"get", "put", "post", "delete", "patch", "head", "options", "trace"}
OPERATIONS = [(path, method, one) for path, item in DOCUMENT["paths"].items() for method, one in item.items()]
SCHEMA_WORDS = {
    "$ref", "type", "properties", "required", "items", "anyOf", "description", "additionalProperties", "format", "enum",
    "minimum", "maximum",
}  # fmt: skip
TYPES = {"string", "number", "integer", "boolean", "null", "object", "array"}


def every(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from every(inner)


def schemas(value: object) -> Iterator[dict[str, Any]]:
    """Every schema below, those inside others included."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "schema":
                yield from whole(inner)
            else:
                yield from schemas(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from schemas(inner)


def whole(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield schema
    more = schema.get("additionalProperties")
    inside = [*schema.get("properties", {}).values(), *schema.get("anyOf", [])]
    inside += [schema["items"]] if "items" in schema else []
    for one in inside + ([more] if isinstance(more, dict) else []):
        yield from whole(one)


def test_the_document_has_its_parts() -> None:
    assert re.fullmatch(r"3\.1\.\d+", DOCUMENT["openapi"])
    assert DOCUMENT["info"]["title"] and DOCUMENT["info"]["version"]
    assert DOCUMENT.keys() <= {"openapi", "info", "servers", "security", "paths", "components", "tags"}
    known = set(DOCUMENT["components"]["securitySchemes"])
    assert {name for one in DOCUMENT["security"] for name in one} <= known
    names = [one["operationId"] for _, _, one in OPERATIONS]
    assert len(set(names)) == len(names)
    assert len(OPERATIONS) == len(API), "every endpoint is described"


@pytest.mark.parametrize(("path", "method", "one"), OPERATIONS, ids=[f"{m} {p}" for p, m, _ in OPERATIONS])
def test_an_operation_is_described_in_full(path: str, method: str, one: dict[str, Any]) -> None:
    assert path.startswith("/") and method in METHODS
    assert one["summary"] and not one["summary"].endswith(".")
    assert one["description"].endswith(".")
    in_path = [it["name"] for it in one["parameters"] if it["in"] == "path"]
    assert sorted(in_path) == sorted(re.findall(r"\{(\w+)\}", path))
    assert all(it["required"] for it in one["parameters"] if it["in"] == "path")
    for it in one["parameters"]:
        assert it.keys() <= {"name", "in", "required", "description", "schema"} and it["in"] in {
            "path",
            "query",
            "header",
        }
        assert it["schema"]["type"] in TYPES
    for status, answer in one["responses"].items():
        assert re.fullmatch(r"[1-5]\d\d|default", status)
        assert answer["description"]
        for kind in answer.get("content", {}):
            assert re.fullmatch(r"[a-z]+/[a-z0-9.+-]+", kind)
    assert "default" in one["responses"] and any(status[0] == "2" for status in one["responses"])
    if method in ("get", "delete"):
        assert "requestBody" not in one
    if "requestBody" in one:
        assert one["requestBody"]["content"]


def test_schemas_are_well_formed_and_every_reference_leads_somewhere() -> None:
    known = DOCUMENT["components"]["schemas"]
    found = [*schemas(DOCUMENT["paths"]), *(inner for one in known.values() for inner in whole(one))]
    assert len(found) > 100
    for schema in found:
        assert schema.keys() <= SCHEMA_WORDS, schema
        kinds = schema.get("type", [])
        assert set([kinds] if isinstance(kinds, str) else kinds) <= TYPES
        assert set(schema.get("required", ())) <= set(schema.get("properties", ()))
        assert "type" in schema or "$ref" in schema or "anyOf" in schema
    used = {inner["$ref"] for inner in every(DOCUMENT) if "$ref" in inner}
    assert {ref.removeprefix("#/components/schemas/") for ref in used} == known.keys(), "all there, and none unused"


def test_answers_are_as_they_are_described(server: Appliance) -> None:
    """What really comes back has the fields of its schema, and no others."""
    server.project("described")
    deployed = server.deploy("described", {"index.html": "x"})
    environment = "/projects/described/environments/production"
    server.ask("POST", f"{environment}/urls?wait=10", json={"host": "described.example.com"})
    places = {
        "/me": "/me",
        "/keys": "/keys",
        "/projects": "/projects",
        "/projects/{project}": "/projects/described",
        "/projects/{project}/frees": "/projects/described/frees",
        "/projects/{project}/environments": "/projects/described/environments",
        "/projects/{project}/environments/{environment}": environment,
        "/projects/{project}/environments/{environment}/deployments": f"{environment}/deployments",
        "/projects/{project}/environments/{environment}/urls": f"{environment}/urls",
        "/urls": "/urls",
        "/deployments": "/deployments",
        "/deployments/{deployment}": f"/deployments/{deployed['id']}",
        "/bundles/{sha256}": f"/bundles/{deployed['bundle']}",
        "/activity": "/activity",
        "/settings": "/settings",
        "/checks": "/checks",
    }
    for path, place in places.items():
        schema = DOCUMENT["paths"][f"/api/v1{path}"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        conforms(server.get(place), schema, path)


def conforms(value: Any, schema: dict[str, Any], where: str) -> None:
    if "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        options = [one for one in schema["anyOf"] if (one.get("type") == "null") == (value is None)]
        assert options, where
        conforms(value, options[0], where)
        return
    kinds = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    assert kind_of(value) in kinds or (kind_of(value) == "integer" and "number" in kinds), f"{where}: {value!r}"
    if isinstance(value, dict) and "properties" in schema:
        assert set(schema.get("required", ())) <= value.keys() <= schema["properties"].keys(), where
        for name, inner in value.items():
            conforms(inner, schema["properties"][name], f"{where}.{name}")
    if isinstance(value, list) and "items" in schema:
        for inner in value:
            conforms(inner, schema["items"], f"{where}[]")


def kind_of(value: object) -> str:
    names: dict[type, str] = {
        str: "string",
        bool: "boolean",
        int: "integer",
        float: "number",
        dict: "object",
        list: "array",
    }
    return names.get(type(value), "null")


# What people are told to run


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    with Appliance(tmp_path_factory.mktemp("told") / "data") as running:
        yield running


@pytest.mark.parametrize("page", RUN)
def test_the_examples_of_a_page_work(told: Appliance, page: str, tmp_path: Path) -> None:
    """Every `sh` block of a page, one after the other, as somebody would who reads it with a project `blog` at hand."""
    if not shutil.which("curl") or not shutil.which("zip"):
        pytest.skip("curl and zip are not on this machine")
    blocks = re.findall(r"^```sh\n(.*?)^```", text_of(f"{page}.md"), re.DOTALL | re.MULTILINE)
    assert blocks and all("curl" in block for block in blocks)
    begin(told)
    (tmp_path / "index.html").write_text(f"<h1>{page}</h1>")
    (tmp_path / "other.zip").write_bytes(zipped({"index.html": "other"}))
    environ = {
        "PATH": os.environ["PATH"],
        "HOMEPORT_SERVER": told.url,
        "HOMEPORT_KEY": told.key,
        "EMAIL": EMAIL,
        "PASSWORD": PASSWORD,
    }
    script = "\n".join(["set -euo pipefail", *blocks])
    ran = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=120, check=False
    )
    assert ran.returncode == 0, ran.stderr + ran.stdout[-1000:]


def begin(told: Appliance) -> None:
    """What a reader has: `blog`, with something live in production and in staging."""
    for name in ("blog", "journal", "diary"):
        told.ask("DELETE", f"/projects/{name}")
    told.project("blog")
    told.deploy("blog", {"index.html": "live"})
    told.ask("POST", "/projects/blog/environments", json={"name": "staging"})
    told.deploy("blog", {"index.html": "next"}, "staging")


def test_the_line_of_the_contract_works(told: Appliance, tmp_path: Path) -> None:
    if not shutil.which("curl"):
        pytest.skip("curl is not on this machine")
    begin(told)
    (tmp_path / "site.zip").write_bytes(zipped({"index.html": "by the line"}))
    line = """curl -fsS -H "Authorization: Bearer $HOMEPORT_KEY" -H 'Content-Type: application/zip' \
     --data-binary @site.zip "$HOMEPORT_SERVER/api/v1/projects/blog/environments/production/deployments?wait=60" """
    environ = {"PATH": os.environ["PATH"], "HOMEPORT_SERVER": told.url, "HOMEPORT_KEY": told.key}
    subprocess.run(["bash", "-c", line], cwd=tmp_path, env=environ, check=True, capture_output=True, timeout=60)
    assert told.visit("blog").text == "by the line"
