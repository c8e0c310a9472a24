"""OpenAPI 3.1, drawn from the routes and the dataclasses."""

import types
from collections.abc import Sequence
from dataclasses import MISSING, fields, is_dataclass
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from appliance import __version__
from appliance.access.permissions import PERMISSIONS, PUBLIC, SIGNED_IN
from appliance.api.answers import LONGEST_WAIT, MOST_ITEMS, answer
from appliance.projects.settings import SettingsPatch
from appliance.settings import ABOUT, SAVED
from appliance.web.routes import Declared, Doc
from appliance.web.routes import doc as documented

JsonSchema = dict[str, Any]
CONFIRMED = " A session that was not confirmed within ten minutes is refused with the code `confirm`."
PAGING = {"limit": "At most this many, up to 200", "cursor": "The `next` of the page before"}


@documented("This description", binary="application/json")
async def described(request: Request) -> Response:
    """Drawn once, by the composition root, which knows every route."""
    return answer(request.app.state.openapi())


def document(routes: Sequence[BaseRoute]) -> JsonSchema:
    schemas: dict[str, JsonSchema] = {"Problem": PROBLEM}
    found: dict[str, JsonSchema] = {}
    for one in routes:
        if isinstance(one, Declared) and one.doc is not None:
            method = next(iter(sorted((one.methods or set()) - {"HEAD"}))).lower()
            found.setdefault(one.path, {})[method] = _operation(one, one.doc, method, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Homeport", "version": __version__, "summary": "Deploy built sites from a zip"},
        "servers": [{"url": "/"}],
        "security": [{"key": []}],
        "paths": found,
        "components": {"schemas": dict(sorted(schemas.items())), "securitySchemes": {"key": KEY}},
    }


def _operation(one: Declared, doc: Doc, method: str, schemas: dict[str, JsonSchema]) -> JsonSchema:
    noun = one.path.removeprefix("/api/v1").strip("/").split("/")[0]
    made: JsonSchema = {
        "summary": doc.summary,
        "operationId": f"{method}_{one.path.strip('/').replace('/', '_').replace('{', '').replace('}', '')}",
        "tags": [noun],
        "parameters": _parameters(one, doc),
        "responses": _responses(doc, schemas),
    }
    if one.allow == PUBLIC:
        made["security"] = []
    made["description"] = _who(one.allow) + (CONFIRMED if one.confirm else "")
    if content := _accepted(doc, schemas):
        made["requestBody"] = {"required": True, "content": content}
        if doc.other:
            made["requestBody"]["description"] = doc.other
    return made


def _accepted(doc: Doc, schemas: dict[str, JsonSchema]) -> JsonSchema:
    """The bodies that it takes."""
    content: JsonSchema = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in doc.kinds}
    if "application/zip" in content:
        content["multipart/form-data"] = {"schema": FORM}
    if doc.body is not None:
        content["application/json"] = {"schema": _schema(doc.body, schemas)}
    return content


def _who(allow: str) -> str:
    if allow == PUBLIC:
        return "Anyone may."
    if allow == SIGNED_IN:
        return "Anyone who is signed in may."
    return f"Takes the permission `{allow}`: {PERMISSIONS[allow][0].lower()}{PERMISSIONS[allow][1:]}."


def _parameters(one: Declared, doc: Doc) -> list[JsonSchema]:
    inside = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in one.param_convertors
    ]
    asked = {**doc.query, **(PAGING if doc.listing and not doc.whole else {})}
    query = [
        {"name": name, "in": "query", "description": text, "schema": QUERY.get(name, {"type": "string"})}
        for name, text in asked.items()
    ]
    said = [
        {"name": name, "in": "header", "description": text, "schema": {"type": "string"}}
        for name, text in doc.headers.items()
    ]
    return inside + query + said


def _responses(doc: Doc, schemas: dict[str, JsonSchema]) -> JsonSchema:
    done: JsonSchema = {"description": doc.summary}
    if doc.binary:
        done["content"] = {doc.binary: {}}
    elif doc.returns is not None:
        shape = _schema(doc.returns, schemas)
        done["content"] = {"application/json": {"schema": _page(shape) if doc.listing else shape}}
    answers = {str(doc.status): done}
    if "wait" in doc.query and doc.status == 202:
        answers["201"] = {**done, "description": "It ended well within the wait"}
    answers["default"] = {
        "description": "A problem, in words",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    return answers


def _page(shape: JsonSchema) -> JsonSchema:
    return {
        "type": "object",
        "required": ["items", "next"],
        "properties": {"items": {"type": "array", "items": shape}, "next": {"type": ["string", "null"]}},
    }


def _schema(kind: Any, schemas: dict[str, JsonSchema]) -> JsonSchema:
    if kind is SettingsPatch:
        return {"type": "object", "additionalProperties": False, "properties": SETTINGS}
    if is_dataclass(kind):
        return _object(kind, schemas)
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return {**_schema(inner[0], schemas), "description": inner[1]}
    if origin in (Union, types.UnionType):
        return {"anyOf": [_schema(one, schemas) for one in inner]}
    if origin in (tuple, list):
        return {"type": "array", "items": _schema(inner[0], schemas)}
    return {"type": TYPES[origin or kind]}


def _object(kind: Any, schemas: dict[str, JsonSchema]) -> JsonSchema:
    name = kind.__name__.removesuffix("Shape")
    if name not in schemas:
        schemas[name] = {}
        hints = get_type_hints(kind, include_extras=True)
        properties = {}
        for item in fields(kind):
            properties[item.name.rstrip("_")] = _schema(hints[item.name], schemas)
        required = [item.name.rstrip("_") for item in fields(kind) if item.default is MISSING]
        closed = {"additionalProperties": False} if hasattr(kind, "parse") else {}
        schemas[name] = {"type": "object", "properties": properties, "required": required, **closed}
    return {"$ref": f"#/components/schemas/{name}"}


TYPES: dict[Any, str] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    type(None): "null",
    dict: "object",
    object: "object",
}
QUERY: dict[str, JsonSchema] = {
    "limit": {"type": "integer", "minimum": 1, "maximum": MOST_ITEMS},
    "wait": {"type": "number", "minimum": 0, "maximum": LONGEST_WAIT},
}
KEY = {"type": "http", "scheme": "bearer", "description": "A key (`hp_…`) or a session token"}
FORM = {
    "type": "object",
    "required": ["bundle"],
    "properties": {"bundle": {"type": "string", "format": "binary", "description": "The zip"}},
}
SETTINGS = {name: {"type": ["string", "boolean", "null"], "description": ABOUT[name].text} for name in sorted(SAVED)}
PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "errors"],
    "properties": {
        "type": {"type": "string", "description": "`urn:homeport:` and a code that stays the same"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What happened, to what, and why"},
        "errors": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "description": "A sentence for each field",
        },
        "todo": {"type": "array", "items": {"type": "string"}, "description": "What to do, in order"},
        "said": {"type": "string", "description": "What the machine said, word for word"},
        "entry": {"type": "string", "description": "The name inside the zip that is to blame"},
        "missing": {
            "type": "array",
            "items": {"type": "string"},
            "description": "The contents that have to be sent first, by their SHA-256",
        },
        "more": {"type": "integer", "description": "How many are missing besides"},
        "ticket": {"type": "string", "description": "With `second_factor`: what `POST /login/second` goes on with"},
        "ways": {
            "type": "array",
            "items": {"type": "string"},
            "description": "With `second_factor`: `code`, `passkey`, `recovery_code`",
        },
        "request_id": {"type": "string"},
    },
}
