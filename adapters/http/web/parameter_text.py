"""Input parameters as their author writes them: a text of YAML or JSON, and back."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic.alias_generators import to_camel

from adapters.http.web.forms import sentence
from application.ports import Renderer, RenderFault, SectionSource
from domain.input_parameters import Header, Parameter, parse_parameters
from domain.model import Fault, Invalid

NAME = "Input parameters"
ACTION = '{{"{{"}}'
"""How a template says two braces: the text is read where templates are, and is none itself."""
ITEM = re.compile(r"^( *)- ", re.MULTILINE)
PLACE = re.compile(r"/params/(\d+)")


@dataclass(frozen=True, slots=True)
class Schema:
    """What a text of parameters says: raw and understood, or the faults in it."""

    raw: Sequence[Any] = ()
    parameters: Sequence[Parameter | Header] = ()
    faults: Sequence[RenderFault] = ()


async def read(renderer: Renderer, text: str, tenant: UUID) -> Schema:
    """The parameters of a text; YAML is read as strictly as the rendered sections are."""
    source = SectionSource(NAME, text.replace("{{", ACTION))
    rendering = await renderer.render([source], {}, tenant=tenant)
    if rendering.faults:
        return Schema(faults=rendering.faults)
    documents = rendering.documents.get(NAME, ())
    raw = documents[0] if documents else []
    if len(documents) > 1 or not isinstance(raw, list):
        return Schema(faults=[_fault("A list is expected: each entry begins with a hyphen.", 1)])
    try:
        return Schema(raw, parse_parameters(raw))
    except Invalid as invalid:
        return Schema(raw, faults=located(invalid.faults, raw, text))


async def write(renderer: Renderer, raw: Sequence[Any], tenant: UUID) -> str:
    """The parameters as YAML."""
    if not raw:
        return ""
    raw = [_in_order(entry) for entry in raw]
    source = json.dumps(raw, ensure_ascii=False).replace("{{", ACTION)
    rendering = await renderer.render([SectionSource(NAME, source)], {}, tenant=tenant)
    text = rendering.texts.get(NAME) or ""
    return text if not rendering.faults and text.lstrip()[:1] == "-" else _json(raw)


def _in_order(entry: Any) -> Any:
    """The properties in the order of the schema, whatever order they were kept in."""
    if not isinstance(entry, dict):
        return entry
    known = [to_camel(name) for name in (*Header.model_fields, *Parameter.model_fields)]
    return {key: entry[key] for key in sorted(entry, key=lambda key: _place(key, known))}


def _place(key: str, known: Sequence[str]) -> int:
    return known.index(key) if key in known else len(known)


def _json(raw: Sequence[Any]) -> str:
    return json.dumps(list(raw), ensure_ascii=False, indent=2) + "\n"


def located(faults: Sequence[Fault], raw: Sequence[Any], text: str) -> list[RenderFault]:
    """Faults of the schema with the line where their entry begins."""
    lines = [text.count("\n", 0, found.start()) + 1 for found in _items(text)]
    found = []
    for fault in faults:
        place = PLACE.match(fault.pointer)
        number = int(place[1]) if place else -1
        line = lines[number] if len(lines) == len(raw) and 0 <= number < len(lines) else None
        found.append(_fault(f"In {_named(raw, number)}{_rest(fault)} {fault.detail}", line))
    return found


def _items(text: str) -> list["re.Match[str]"]:
    """Where the entries of the outermost list begin."""
    found = list(ITEM.finditer(text))
    return [item for item in found if len(item[1]) == len(found[0][1])]


def _named(raw: Sequence[Any], number: int) -> str:
    entry = raw[number] if 0 <= number < len(raw) else None
    key = entry.get("key") if isinstance(entry, dict) else None
    if isinstance(key, str) and key:
        return key
    return f"entry {number + 1}" if number >= 0 else "the list"


def _rest(fault: Fault) -> str:
    rest = PLACE.sub("", fault.pointer).strip("/")
    return f", {rest}:" if rest else ":"


def _fault(detail: str, line: int | None) -> RenderFault:
    return RenderFault(section=NAME, detail=sentence(detail), line=line)
