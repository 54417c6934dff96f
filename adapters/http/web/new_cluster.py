"""A new cluster: a template's version, a name, the values, and what comes of them beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from starlette.responses import Response

from adapters.http.validation import validated_body
from adapters.http.web import live, pages
from adapters.http.web.endpoints import act, page, preview
from adapters.http.web.forms import Faults, Form, faults_of
from adapters.http.web.parameter_fields import Filled, form_fields, offered, values_of
from adapters.http.web.rendering import Rendered, Wanted, rendered, sources_of
from adapters.http.web.visit import Visit
from application.clusters import CreateCluster, InstallCluster
from application.permissions import Permission
from domain.input_parameters import Header, Parameter, parse_parameters, validate_values
from domain.model import Invalid, Refusal
from projections.cluster_templates import templates_of
from projections.reader import Shown

REQUIRED = "Is required."


@dataclass(frozen=True, slots=True)
class Choice:
    """The template and version that the form is made from."""

    template: Shown
    version: Shown
    parameters: Sequence[Parameter | Header]

    @property
    def versions(self) -> list[Shown]:
        """Those a new cluster may be made from, newest first."""
        found = [v for v in self.template["cluster_template_versions"] if not v["is_withdrawn"]]
        return found[::-1]


async def new(visit: Visit) -> Response:
    """The form, filled with the defaults of the version that the address names."""
    templates = await _usable(visit)
    if not templates:
        return await pages.page(visit, "clusters/no_template.html")
    choice = chosen(templates, visit.query("template"), visit.query("version"))
    return await _page(visit, templates, choice, offered(choice.parameters))


async def create(visit: Visit) -> Response:
    """Save it; with Install also ask for its installation."""
    form = await visit.form()
    templates = await _usable(visit)
    choice = chosen(templates, form.text("template"), form.text("version"))
    values = values_of(form, choice.parameters)
    fields = {
        "workspace_id": visit.workspace["id"],
        "name": form.line("name"),
        "cluster_template_id": choice.template["id"],
        "cluster_template_version_id": choice.version["id"],
        "values": values,
        "install": False,
    }
    try:
        outcome = await visit.execute(validated_body(CreateCluster, fields), form.text("key"))
    except Refusal as refusal:
        return await _page(visit, templates, choice, values, form, faults_of(refusal))
    cluster_id = UUID(str(outcome.result))
    home = f"{visit.home}/clusters/{cluster_id}"
    if form.text("do") != "install":
        return pages.done(visit, home, f"{form.line('name')} is saved.", outcome.position)
    return await _install(visit, cluster_id, home, outcome.position)


async def _install(visit: Visit, cluster_id: UUID, home: str, position: int) -> Response:
    command = InstallCluster(workspace_id=visit.workspace_id, cluster_id=cluster_id)
    try:
        outcome = await visit.execute(command)
    except Refusal as refusal:
        return pages.done(visit, home, f"Saved, not installed. {refusal.detail}", position)
    return pages.done(visit, f"{home}/infrastructure", "Installing.", outcome.position)


async def look(visit: Visit) -> Response:
    """What the form gives, while it is being filled in."""
    form = await visit.form()
    templates = await _usable(visit)
    choice = chosen(templates, form.text("template"), form.text("version"))
    values = values_of(form, choice.parameters)
    faults = check(choice.parameters, values)
    shown = await _rendered(visit, choice, values)
    html = pages.html(visit, "clusters/_rendered.html", rendered=shown, shown_tab=form.text("tab"))
    return live.fragments(html, field_faults(visit, choice.parameters, faults))


def check(
    parameters: Sequence[Parameter | Header],
    values: Mapping[str, Any],
    saved: Mapping[str, Any] | None = None,
    secrets: frozenset[str] = frozenset(),
) -> Faults:
    """What is wrong with the values."""
    try:
        validate_values(parameters, values, saved, secrets)
    except Invalid as invalid:
        return faults_of(invalid)
    return Faults()


def field_faults(
    visit: Visit,
    parameters: Sequence[Parameter | Header],
    faults: Faults,
) -> dict[str, str]:
    """The faults under each field; what is not filled in yet is not scolded."""
    html = {}
    for entry in parameters:
        if isinstance(entry, Parameter) and not entry.hidden:
            wrong = [t for t in faults.at(f"/values/{entry.key}") if t != REQUIRED]
            html[f"#bad-{entry.key}"] = pages.html(
                visit, "clusters/_field_faults.html", key=entry.key, wrong=wrong
            )
    return html


def chosen(templates: Sequence[Shown], template_id: str, version_id: str) -> Choice:
    """The template and version of these ids; the first and its newest where none is named."""
    template = next((each for each in templates if each["id"] == template_id), templates[0])
    usable = [v for v in template["cluster_template_versions"] if not v["is_withdrawn"]]
    version = next((each for each in usable if each["id"] == version_id), usable[-1])
    return Choice(template, version, parse_parameters(version["params"]))


async def _usable(visit: Visit) -> list[Shown]:
    """The templates that have a version which was not withdrawn."""
    found = await templates_of(visit.reader, visit.workspace_id, without_archived=True)
    return [
        template
        for template in found
        if any(not v["is_withdrawn"] for v in template["cluster_template_versions"])
    ]


async def _rendered(visit: Visit, choice: Choice, values: Mapping[str, Any]) -> Rendered:
    sources = await sources_of(visit, choice.version)
    return await rendered(visit, sources, Wanted(choice.parameters, values))


async def _page(
    visit: Visit,
    templates: Sequence[Shown],
    choice: Choice,
    values: Mapping[str, Any],
    form: Form | None = None,
    faults: Faults | None = None,
) -> Response:
    form, faults = form or Form(), faults or Faults()
    filled = Filled(values=values, faults=faults)
    return await pages.page(
        visit,
        "clusters/new.html",
        status=422 if faults else 200,
        templates=templates,
        choice=choice,
        form=form,
        faults=faults,
        fields=form_fields(choice.parameters, filled),
        rendered=await _rendered(visit, choice, values),
        shown_tab=form.text("tab"),
    )


PAGES = [
    page("/workspaces/{workspace}/clusters/new", new, Permission.WRITE_CLUSTERS),
    act("/workspaces/{workspace}/clusters", create, Permission.WRITE_CLUSTERS),
    preview("/workspaces/{workspace}/clusters/preview", look, Permission.WRITE_CLUSTERS),
]
