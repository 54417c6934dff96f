"""The API's description as OpenAPI 3.1, made from the table of routes: what it says is what is."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import TypeAdapter

from adapters.http.api.shapes import Accepted, Problem
from adapters.http.authentication import MAX_KEY
from adapters.http.edge import Site
from adapters.http.problems import kinds
from adapters.http.routing import Route, Table, Takes

REF = "#/components/schemas/{model}"
Schema = dict[str, Any]

EVERY = (400, 401, 403, 421, 500, 503, 504)
OF_COMMANDS = (408, 409, 413, 415, 422)
PROBLEMS = {
    400: "The request cannot be understood.",
    401: "No token or session came, or it is no good.",
    403: "The one who asks may not.",
    404: "There is no such thing, or not for the one who asks.",
    408: "The body did not arrive in time.",
    409: "It cannot be done as things stand; `error` says why.",
    412: "`If-Match` does not name the current revision, or not that of `current_revision`.",
    413: "The body is too large.",
    415: "The body is not said to be JSON.",
    421: "The Host header names another server.",
    422: "The body breaks its rules; each wrong field is named.",
    500: "A defect of the server.",
    503: "Something that is needed is away, or behind; ask again.",
    504: "The answer was not ready in time.",
}
DESCRIPTION = """\
Bodies are JSON objects of at most 1 MiB. Fields that are only read may be sent back: they are
ignored. A field that is not known is refused. Every query takes `at` to look into the past, and
`after` to wait for the `X-Position` of a command. Errors are problem+json (RFC 9457) whose `error`
is one of the words below.
"""
HEADERS: Mapping[str, Schema] = {
    "X-Position": {
        "description": "The position from which reads show what was done: see `after`.",
        "schema": {"type": "integer"},
    },
    "ETag": {
        "description": "Begins with the revision; for If-None-Match and If-Match.",
        "schema": {"type": "string"},
    },
    "Link": {
        "description": 'The pages beside this one, as rel="next" and rel="prev".',
        "schema": {"type": "string"},
    },
    "Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}},
    "WWW-Authenticate": {"schema": {"type": "string"}},
}


def document(table: Table, prefix: str, site: Site) -> Schema:
    """The whole document."""
    schemas = _Schemas(table)
    paths: dict[str, Schema] = {}
    for route in table.routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Quarterdeck",
            "version": site.version,
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": prefix}],
        "tags": [{"name": name} for name in dict.fromkeys(map(_tag, table.routes))],
        "security": [{"token": []}, {"bearer": []}, {"session": []}],
        "paths": paths,
        "components": {
            "schemas": schemas.all,
            "responses": {f"Problem{status}": _problem(status) for status in PROBLEMS},
            "headers": dict(HEADERS),
            "securitySchemes": {
                "token": {"type": "apiKey", "in": "header", "name": "X-Auth-Token"},
                "bearer": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": site.session_cookie},
            },
        },
        "x-errors": [
            {"error": code, "status": status, "meaning": " ".join(meaning.split("\n\n")[0].split())}
            for code, status, meaning in kinds()
        ],
    }


class _Schemas:
    """The schemas of all shapes and bodies, each defined once."""

    def __init__(self, table: Table) -> None:
        adapters = {repr(r.shows): TypeAdapter(r.shows) for r in table.routes}
        adapters[repr(Problem)] = TypeAdapter(Problem)
        adapters[repr(Accepted)] = TypeAdapter(Accepted)
        given = [(key, "serialization", adapter) for key, adapter in adapters.items()]
        bodies = {r.takes.command: r for r in table.routes if r.takes}
        given += [(repr(kind), "validation", TypeAdapter(kind)) for kind in bodies]
        self._by_key, defined = TypeAdapter.json_schemas(given, ref_template=REF)  # type: ignore[arg-type]
        self.all: dict[str, Schema] = defined.get("$defs", {})

    def shown(self, shape: Any) -> Schema:
        return self._by_key[repr(shape), "serialization"]

    def taken(self, kind: Any) -> Schema:
        return self.resolved(self._by_key[repr(kind), "validation"])

    def resolved(self, schema: Schema) -> Schema:
        reference = schema.get("$ref")
        return self.all[reference.rpartition("/")[2]] if reference else schema


def _operation(route: Route, schemas: _Schemas) -> Schema:
    operation: Schema = {
        "operationId": operation_id(route),
        "summary": route.summary,
        "tags": [_tag(route)],
        "description": f"Needs `{route.permission.value}`.",
        "x-permission": route.permission.value,
        "parameters": [*_ids(route), *_query(route), *_headers(route)],
        "responses": _responses(route, schemas),
    }
    if route.takes is not None:
        body = _body(route, route.takes, schemas)
        if body["properties"]:
            content = {"application/json": {"schema": body}}
            operation["requestBody"] = {"required": bool(body.get("required")), "content": content}
    return operation


def operation_id(route: Route) -> str:
    """A name for generated clients, such as `post_clusters_install`."""
    words = [part for part in route.path.split("/")[1:] if not part.startswith("{")]
    one = ["one"] if route.path.endswith("}") else []
    return "_".join([route.method.lower(), *words, *one])


def _tag(route: Route) -> str:
    return route.path.split("/")[1].replace("_", " ")


def _ids(route: Route) -> Iterator[Schema]:
    for name in route.names:
        schema = {"type": "string", "format": "uuid"}
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def _query(route: Route) -> Iterator[Schema]:
    properties = route.parameters.model_json_schema().get("properties", {})
    definitions = route.parameters.model_json_schema().get("$defs", {})
    for name, schema in properties.items():
        told = {k: v for k, v in schema.items() if k not in ("title", "description")}
        choices = [c for c in told.pop("anyOf", []) if c != {"type": "null"}]
        if choices:
            told = {**choices[0], **{k: v for k, v in told.items() if v is not None}}
        if "$ref" in told:
            told = {**definitions[told.pop("$ref").rpartition("/")[2]], **told}
        told.pop("title", None)
        parameter = {"name": name, "in": "query", "required": False, "schema": told}
        if "description" in schema:
            parameter["description"] = schema["description"]
        yield parameter


def _headers(route: Route) -> Iterator[Schema]:
    if route.takes is not None:
        yield _header("Idempotency-Key", "Sent again with the same key, it takes effect once.")
    if route.takes is not None and route.takes.is_guarded:
        yield _header("If-Match", "The ETag that the change is made of.", r'^"?[0-9]{1,15}(-.*)?$')
    if "ETag" in route.headers:
        yield _header("If-None-Match", "The ETag that is known already.")
    if "text/event-stream" in route.media_types:
        yield _header("Last-Event-ID", "The id of the last event that was seen.", "^[0-9]{1,18}$")


def _header(name: str, description: str, pattern: str = "^[ -~]+$") -> Schema:
    schema = {"type": "string", "minLength": 1, "maxLength": MAX_KEY, "pattern": pattern}
    return {
        "name": name,
        "in": "header",
        "required": False,
        "description": description,
        "schema": schema,
    }


def _body(route: Route, takes: Takes, schemas: _Schemas) -> Schema:
    """The command's fields but those that the address says, and what clients read back."""
    whole = schemas.taken(takes.command)
    if takes.whole is not None:
        whole = schemas.resolved(whole["properties"][takes.whole])
    said = {*route.names, "workspace_id", *route.parameters.model_fields}
    if takes.whole is None and "workspace" not in route.parameters.model_fields:
        said -= {"workspace_id"} - set(route.names)
    properties = {k: v for k, v in whole.get("properties", {}).items() if k not in said}
    ignored = {name: {"readOnly": True} for name in sorted(takes.ignores - properties.keys())}
    required = [name for name in whole.get("required", []) if name not in said]
    required += [name for name in takes.requires if name not in required]
    body = {
        "type": "object",
        "properties": {**properties, **ignored},
        "additionalProperties": False,
    }
    return {**body, "required": required} if required else body


def _responses(route: Route, schemas: _Schemas) -> Schema:
    responses: Schema = {
        str(status): _good(route, status, meaning, schemas)
        for status, meaning in route.statuses.items()
    }
    if route.takes is not None:
        responses.setdefault("202", _accepted(schemas))
    for status in sorted(_problems(route)):
        responses[str(status)] = {"$ref": f"#/components/responses/Problem{status}"}
    return responses


def _good(route: Route, status: int, meaning: str, schemas: _Schemas) -> Schema:
    headers = {name: {"$ref": f"#/components/headers/{name}"} for name in route.headers}
    if status == 304:
        return {"description": meaning, "headers": headers}
    shown = schemas.shown(route.shows)
    if status == 202:
        shown = {"anyOf": [shown, schemas.shown(Accepted)]}
    text: Schema = {"schema": {"type": "string"}}
    content = {
        kind: {"schema": shown} if kind == "application/json" else text
        for kind in route.media_types
    }
    return {"description": meaning, "headers": headers, "content": content}


def _accepted(schemas: _Schemas) -> Schema:
    return {
        "description": "It took effect; the read models do not show it yet.",
        "headers": {"X-Position": {"$ref": "#/components/headers/X-Position"}},
        "content": {"application/json": {"schema": schemas.shown(Accepted)}},
    }


def _problems(route: Route) -> set[int]:
    statuses = set(EVERY)
    if route.names or "workspace" in route.parameters.model_fields:
        statuses.add(404)
    if route.takes is not None:
        statuses |= set(OF_COMMANDS)
        if route.takes.is_guarded:
            statuses.add(412)
    return statuses


def _problem(status: int) -> Schema:
    names = {401: ["WWW-Authenticate"], 503: ["Retry-After"]}.get(status, [])
    return {
        "description": PROBLEMS[status],
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names},
        "content": {"application/problem+json": {"schema": {"$ref": REF.format(model="Problem")}}},
    }
