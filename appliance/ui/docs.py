"""The API docs, drawn from the description that the API gives of itself."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from appliance.web.page import render

NAMES = {
    "me": "You",
    "keys": "Keys",
    "projects": "Projects and environments",
    "deployments": "Deployments",
    "bundles": "Bundles",
    "urls": "URLs",
    "activity": "Activity",
    "settings": "Settings",
    "checks": "This host",
    "setup": "Set-up",
    "login": "Sign-in",
    "logout": "Sign-in",
    "openapi.json": "For machines",
    "healthz": "For machines",
    "metrics": "For machines",
}
ORDER = (
    "projects",
    "deployments",
    "bundles",
    "urls",
    "activity",
    "keys",
    "me",
    "settings",
    "checks",
    "login",
    "setup",
    "metrics",
)
ANSWERS = {"default": "4xx, 5xx"}
Json = Mapping[str, Any]


@dataclass(frozen=True)
class Field:
    name: str
    type: str
    about: str
    required: bool
    place: str = "body"


@dataclass(frozen=True)
class Operation:
    """One endpoint, ready to be read and tried."""

    id: str
    method: str
    path: str
    summary: str
    about: str
    inputs: tuple[Field, ...]
    tables: tuple[tuple[str, tuple[Field, ...]], ...]
    body: str | None  # an example to begin with
    file: bool
    answers: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Group:
    name: str
    operations: tuple[Operation, ...]


def index(request: Request) -> Response:
    document: Json = request.app.state.openapi()
    return render(request, "docs/api.html", groups=groups(document), about=f"{document['info']['summary']}.")


def groups(document: Json) -> tuple[Group, ...]:
    found: dict[str, list[Operation]] = {}
    for tag, operation in _operations(document):
        found.setdefault(NAMES.get(tag, tag.capitalize()), []).append(operation)
    rank = {NAMES[tag]: place for place, tag in enumerate(ORDER)}
    return tuple(Group(name, tuple(found[name])) for name in sorted(found, key=lambda name: rank.get(name, len(rank))))


def _operations(document: Json) -> Iterator[tuple[str, Operation]]:
    schemas = document["components"]["schemas"]
    for path, methods in document["paths"].items():
        for method, made in methods.items():
            yield made["tags"][0], _operation(method.upper(), path, made, schemas)


def _operation(method: str, path: str, made: Json, schemas: Json) -> Operation:
    inputs = tuple(_parameter(one) for one in made.get("parameters", ()))
    content: Json = made.get("requestBody", {}).get("content", {})
    body = _fields(content["application/json"]["schema"], schemas) if "application/json" in content else ()
    file = "application/zip" in content
    tables = (("Parameters", inputs), ("Body", body), ("Answer", _answer_fields(made, schemas)))
    example = {one.name: _example(one) for one in body if one.required} if body and not file else None
    return Operation(
        id=made["operationId"].removeprefix(f"{method.lower()}_api_v1_").replace("_", "-") + f"-{method.lower()}",
        method=method,
        path=path,
        summary=made["summary"],
        about=_about(made),
        inputs=inputs,
        tables=tuple((title, fields) for title, fields in tables if fields),
        body=json.dumps(example, indent=2) if example is not None else None,
        file=file,
        answers=tuple((ANSWERS.get(code, code), answer["description"]) for code, answer in made["responses"].items()),
    )


def _about(made: Json) -> str:
    """What may be sent, then who may send it."""
    body = made.get("requestBody", {}).get("description")
    return f"{body}. {made['description']}" if body else str(made["description"])


def _parameter(one: Json) -> Field:
    about = one.get("description") or {"path": "Part of the address"}.get(one["in"], "")
    return Field(one["name"], one["schema"].get("type", "string"), about, bool(one.get("required")), one["in"])


def _answer_fields(made: Json, schemas: Json) -> tuple[Field, ...]:
    for code, answer in made["responses"].items():
        shape = answer.get("content", {}).get("application/json", {}).get("schema")
        if code != "default" and shape:
            items = shape.get("properties", {}).get("items", {}).get("items")
            return tuple(replace(one, required=False) for one in _fields(items or shape, schemas))
    return ()


def _fields(schema: Json, schemas: Json) -> tuple[Field, ...]:
    shape = _resolved(schema, schemas)
    required = shape.get("required", ())
    return tuple(
        Field(name, _type(part, schemas), part.get("description", ""), name in required)
        for name, part in shape.get("properties", {}).items()
    )


def _resolved(schema: Json, schemas: Json) -> Json:
    if "$ref" in schema:
        found: Json = schemas[schema["$ref"].rpartition("/")[2]]
        return found
    return schema


def _type(schema: Json, schemas: Json) -> str:
    """A type in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return " or ".join(_type(one, schemas) for one in schema["anyOf"])
    kind = schema.get("type", "object")
    if isinstance(kind, list):
        return " or ".join(kind)
    return f"list of {_type(schema.get('items', {}), schemas)}" if kind == "array" else str(kind)


def _example(one: Field) -> object:
    examples = {"name": "blog", "email": "you@example.com", "host": "www.example.com", "from": "staging"}
    return examples.get(one.name, {"boolean": False, "integer": 0}.get(one.type, ""))
