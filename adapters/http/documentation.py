"""The API's documentation: the OpenAPI document for programs, and a page of it for people."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from adapters.http.edge import Edge
from adapters.http.openapi import Schema, document
from adapters.http.problems import DOCUMENTATION
from adapters.http.routing import Table
from adapters.http.web.assets import address

TEMPLATES = Path(__file__).parent / "templates"


def routes(edge: Edge, table: Table, prefix: str) -> list[Route]:
    """/documentation, and openapi.json under the API's prefix; both need no token."""
    api = document(table, prefix, edge.site)
    body = orjson.dumps(api)
    where = f"{prefix}/openapi.json"

    async def as_json(_: Request) -> Response:
        headers = {"Cache-Control": "no-cache"}
        return Response(body, headers=headers, media_type="application/json")

    async def as_page(request: Request) -> Response:
        environment = Environment(
            loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined
        )
        page = environment.get_template("documentation.html").render(
            api=api,
            asset=address,
            base=f"{edge.site.public_url}{prefix}",
            document=where,
            nonce=request.state.csp_nonce,
            shapes=list(_shapes(api)),
            tags=_by_tag(api),
        )
        return HTMLResponse(page)

    return [Route(where, as_json), Route(DOCUMENTATION, as_page)]


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that an operation takes or a shape has."""

    name: str
    type: str
    meaning: str = ""
    where: str = ""
    required: bool = False


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer of an operation; `anchor` is where its shape is on the page."""

    status: str
    meaning: str
    shape: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation as the page shows it."""

    id: str
    method: str
    path: str
    summary: str
    permission: str
    fields: list[Field]
    answers: list[Answered]


@dataclass(frozen=True, slots=True)
class Shape:
    """One shape of JSON as the page shows it."""

    name: str
    meaning: str
    fields: list[Field]


def _by_tag(api: Schema) -> list[tuple[str, list[Operation]]]:
    tags: dict[str, list[Operation]] = {}
    for path, operations in api["paths"].items():
        for method, operation in operations.items():
            shown = _operation(api, path, method, operation)
            tags.setdefault(operation["tags"][0], []).append(shown)
    return list(tags.items())


def _operation(api: Schema, path: str, method: str, operation: Schema) -> Operation:
    return Operation(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation["summary"],
        permission=operation["x-permission"],
        fields=[*_parameters(operation), *_body(operation)],
        answers=[_answer(api, *item) for item in operation["responses"].items()],
    )


def _parameters(operation: Schema) -> Iterator[Field]:
    for given in operation["parameters"]:
        told = given.get("description", "")
        yield Field(given["name"], type_of(given["schema"]), told, given["in"], given["required"])


def _body(operation: Schema) -> Iterator[Field]:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    schema = content.get("schema", {})
    for name, field in schema.get("properties", {}).items():
        if not field.get("readOnly"):
            is_required = name in schema.get("required", [])
            yield Field(name, type_of(field), field.get("description", ""), "body", is_required)


def _answer(api: Schema, status: str, answer: Schema) -> Answered:
    if "$ref" in answer:
        answer = api["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    content: Schema = next(iter(answer.get("content", {}).values()), {})
    shape = type_of(content["schema"]) if content else ""
    name = shape.removeprefix("array of ")
    anchor = f"shape-{name}" if name in api["components"]["schemas"] else ""
    return Answered(status, answer["description"], shape, anchor)


def _shapes(api: Schema) -> Iterator[Shape]:
    for name, schema in sorted(api["components"]["schemas"].items()):
        if "properties" in schema:
            fields = [
                Field(field, type_of(told), told.get("description", ""))
                for field, told in schema["properties"].items()
            ]
            yield Shape(name, " ".join(schema.get("description", "").split()), fields)


def type_of(schema: dict[str, Any]) -> str:
    """A schema in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(type_of(choice) for choice in schema["anyOf"]))
    if "enum" in schema:
        return ", ".join(str(choice) for choice in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    if schema.get("type") == "array":
        return f"array of {type_of(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type") or "any")
