"""What stands in the editor of a template, and what it gives when it is tried."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from textwrap import dedent
from typing import Any

from adapters.http.web import parameter_text
from adapters.http.web.forms import Form, id_in
from adapters.http.web.parameter_fields import Filled, form_fields, offered, values_of
from adapters.http.web.parameter_text import Schema
from adapters.http.web.rendering import Rendered, Source, Wanted, rendered
from adapters.http.web.visit import Visit
from application.ports import RenderFault
from domain.cluster_templates import MAX_SECTIONS
from domain.input_parameters import Header, Parameter, ParameterType, fields_of
from domain.secrets import MASK
from projections.cluster_detail import cluster as cluster_by_id
from projections.reader import Shown

STARTER = (
    Source(
        "SSH parameters",
        dedent("""\
            apiVersion: dhctl.deckhouse.io/v1
            kind: SSHConfig
            sshUser: {{ .user }}
            ---
            apiVersion: dhctl.deckhouse.io/v1
            kind: SSHHost
            host: {{ .host | quote }}
            """),
    ),
    Source(
        "Installation",
        dedent("""\
            apiVersion: quarterdeck.io/v1
            kind: SSHInstallation
            spec:
              phases:
                - name: look-around
                  timeout: 1m
                  script: |
                    uname -a
            """),
    ),
)
STARTER_PARAMETERS = dedent("""\
    - key: host
      title: Host
      type: string
      description: The machine to install on
      span: 3
    - key: user
      title: User
      type: string
      default: root
    """)


@dataclass(frozen=True, slots=True)
class Draft:
    """What stands in the editor."""

    sources: Sequence[Source] = ()
    parameters: str = ""
    name: str = ""
    comment: str = ""
    version_comment: str = ""


@dataclass(frozen=True, slots=True)
class Tried:
    """What a draft gives: its parameters' form, its sections, and everything wrong with it."""

    schema: Schema
    fields: Sequence[Any]
    rendered: Rendered
    assumed: Mapping[str, Any] = field(default_factory=dict)
    """By title, what stands in for a value that whoever makes a cluster must give."""

    @property
    def faults(self) -> list[RenderFault]:
        return [*self.schema.faults, *self.rendered.faults]


def draft_of(form: Form) -> Draft:
    """What was written in the editor; a section without name and text is none."""
    sources = []
    for number in range(MAX_SECTIONS):
        name = form.line(f"section.{number}.name")
        text = form.text(f"section.{number}.source")
        if name or text.strip():
            is_yaml = form.text(f"section.{number}.format", "yaml") == "yaml"
            sources.append(Source(name, text, is_yaml))
    return Draft(
        sources,
        form.text("params"),
        form.line("name"),
        form.text("comment"),
        form.line("version_comment"),
    )


def version_of(draft: Draft, schema: Schema) -> dict[str, Any]:
    """The fields of a version as commands name them."""
    return {
        "version_comment": draft.version_comment,
        "params": list(schema.raw),
        "sections": [
            {
                "name": each.name,
                "format": "yaml" if each.is_yaml else "text",
                "source": each.text,
            }
            for each in draft.sources
        ],
    }


async def try_out(visit: Visit, draft: Draft, form: Form) -> Tried:
    """Render the draft with the values that the form says."""
    schema = await parameter_text.read(visit.edge.renderer, draft.parameters, visit.workspace_id)
    values, cluster = await _values(visit, form, schema)
    filled = Filled(values=values, secrets=tuple(cluster["secret_keys"]) if cluster else ())
    assumed = _stand_ins(schema.parameters, filled)
    wanted = Wanted(schema.parameters, {**values, **assumed}, cluster, is_patient=False)
    shown = Rendered() if schema.faults else await rendered(visit, draft.sources, wanted)
    told = [each for each in fields_of(schema.parameters).values() if not each.is_secret]
    return Tried(
        schema,
        form_fields(schema.parameters, filled),
        shown,
        {each.title: assumed[each.key] for each in told if each.key in assumed},
    )


def _stand_ins(parameters: Sequence[Parameter | Header], filled: Filled) -> dict[str, Any]:
    """A value for each that whoever makes a cluster must give, and that nobody gave yet."""
    return {
        each.key: MASK if each.is_secret else _stand_in(each)
        for each in fields_of(parameters).values()
        if not each.optional and each.default is None and filled.values.get(each.key) in (None, "")
    }


def _stand_in(parameter: Parameter) -> Any:
    if parameter.enum:
        return parameter.enum[0]
    match parameter.type:
        case ParameterType.NUMBER:
            return parameter.min if parameter.min is not None else 1
        case ParameterType.BOOLEAN:
            return False
        case ParameterType.STRING:
            return parameter.key


async def _values(
    visit: Visit, form: Form, schema: Schema
) -> tuple[Mapping[str, Any], Shown | None]:
    """What to render with: what was typed, else what the chosen cluster has, over the defaults."""
    chosen = form.text("values_of")
    cluster = await _cluster(visit, chosen) if chosen else None
    defaults = offered(schema.parameters)
    if chosen == form.text("values_were_of") and form.under("values."):
        return values_of(form, schema.parameters), cluster
    return {**defaults, **(cluster["values"] if cluster else {})}, cluster


async def _cluster(visit: Visit, text: str) -> Shown | None:
    cluster_id = id_in(text)
    return await cluster_by_id(visit.reader, visit.workspace_id, cluster_id) if cluster_id else None
