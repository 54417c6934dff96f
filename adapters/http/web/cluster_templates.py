"""Templates: their sections and parameters in an editor, tried before they are published."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from textwrap import dedent
from typing import Any
from uuid import UUID

from starlette.responses import Response

from adapters.http.validation import validated_body
from adapters.http.web import live, pages, parameter_text
from adapters.http.web.differences import Difference, difference
from adapters.http.web.endpoints import act, page, preview
from adapters.http.web.forms import Faults, Form, faults_of
from adapters.http.web.parameter_fields import Filled, form_fields, offered, values_of
from adapters.http.web.parameter_text import Schema
from adapters.http.web.rendering import Rendered, Source, Wanted, rendered, sources_of
from adapters.http.web.visit import Visit
from application.cluster_templates import (
    ArchiveClusterTemplate,
    ChangeClusterTemplate,
    CreateClusterTemplate,
    WithdrawTemplateVersion,
)
from application.permissions import Permission
from application.ports import RenderFault
from domain.model import NotFound, Refusal, RevisionConflict
from projections.cluster_detail import cluster as cluster_by_id
from projections.cluster_list import ClusterFilter, Sort, clusters_where, count_by_status
from projections.cluster_templates import template as template_by_id
from projections.cluster_templates import templates_of
from projections.history import HistoryFilter, history_where
from projections.reader import Shown

MOST_SECTIONS = 50
MOST_CLUSTERS = 50
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

    @property
    def faults(self) -> list[RenderFault]:
        return [*self.schema.faults, *self.rendered.faults]


@dataclass(frozen=True, slots=True)
class Edited:
    """The template and version that an editor is open on; both None for a new template."""

    template: Shown | None = None
    version: Shown | None = None
    clusters: Mapping[str, int] = field(default_factory=dict)
    """How many clusters each version has, by its id."""

    @property
    def next_number(self) -> int:
        return len(self.template["cluster_template_versions"]) + 1 if self.template else 1

    @property
    def is_current(self) -> bool:
        if self.template is None or self.version is None:
            return True
        current = self.template["current_cluster_template_version_id"]
        return bool(self.version["id"] == current)


async def show_all(visit: Visit) -> Response:
    """The templates of a workspace."""
    templates = await templates_of(visit.reader, visit.workspace_id)
    living = [each for each in templates if each["archived_at"] is None]
    used = {
        each["id"]: await _count(visit, ClusterFilter(template_id=UUID(each["id"])))
        for each in living
    }
    return await pages.page(
        visit,
        "templates/list.html",
        templates=living,
        archived=[each for each in templates if each["archived_at"] is not None],
        used=used,
    )


async def _count(visit: Visit, where: ClusterFilter) -> int:
    """How many clusters outside the archive there are of these."""
    living = replace(where, workspace_id=visit.workspace_id, without_archived=True)
    return sum((await count_by_status(visit.reader, living)).values())


async def new(visit: Visit) -> Response:
    draft = Draft(STARTER, STARTER_PARAMETERS)
    return await _editor(visit, Edited(), draft, Form())


async def edit(visit: Visit) -> Response:
    """The editor on the current version, or on the one that the address names."""
    edited = await _edited(visit, visit.query("version"))
    return await _editor(visit, edited, await _draft(visit, edited), Form())


async def _edited(visit: Visit, version_id: str = "") -> Edited:
    template_id = visit.path_id("template_id")
    template = await template_by_id(visit.reader, visit.workspace_id, template_id)
    if template is None:
        raise NotFound(f"There is no template {template_id} in {visit.workspace['name']}.")
    versions: list[Shown] = template["cluster_template_versions"]
    wanted = version_id or template["current_cluster_template_version_id"]
    version = next((each for each in versions if each["id"] == wanted), None)
    if version is None and version_id:
        raise NotFound(f"{template['name']} has no version {version_id[:60]}.")
    clusters = {
        each["id"]: await _count(visit, ClusterFilter(template_version_id=UUID(each["id"])))
        for each in versions
    }
    return Edited(template, version, clusters)


async def _draft(visit: Visit, edited: Edited) -> Draft:
    template, version = edited.template, edited.version
    assert template is not None
    sources = await sources_of(visit, version) if version else []
    raw = version["params"] if version else []
    text = await parameter_text.write(visit.edge.renderer, raw)
    return Draft(sources, text, template["name"], template["comment"])


async def create(visit: Visit) -> Response:
    """Make the template with its first version."""
    form = await visit.form()
    draft = draft_of(form)
    schema = await parameter_text.read(visit.edge.renderer, draft.parameters)
    fields = {
        "workspace_id": visit.workspace["id"],
        "name": draft.name,
        "comment": draft.comment,
        **_version(draft, schema),
    }
    if schema.faults:
        return await _editor(visit, Edited(), draft, form, status=422)
    try:
        command = validated_body(CreateClusterTemplate, fields)
        outcome = await visit.execute(command, form.text("key"))
    except Refusal as refusal:
        return await _editor(visit, Edited(), draft, form, faults_of(refusal), status=422)
    address = f"{visit.home}/templates/{outcome.result}"
    return pages.done(visit, address, f"{draft.name} is published.", outcome.position)


async def publish(visit: Visit) -> Response:
    """Publish what stands in the editor as the next version."""
    form = await visit.form()
    edited, draft = await _edited(visit), draft_of(form)
    assert edited.template is not None
    schema = await parameter_text.read(visit.edge.renderer, draft.parameters)
    if schema.faults:
        return await _editor(visit, edited, draft, form, status=422)
    revision = form.text("current_revision")
    fields = {
        "workspace_id": visit.workspace["id"],
        "cluster_template_id": edited.template["id"],
        "current_revision": int(revision) if revision.isdecimal() else None,
        **_version(draft, schema),
    }
    try:
        command = validated_body(ChangeClusterTemplate, fields)
        outcome = await visit.execute(command, form.text("key"))
    except RevisionConflict:
        return await _editor(visit, edited, draft, form, status=409, conflict=True)
    except Refusal as refusal:
        return await _editor(visit, edited, draft, form, faults_of(refusal), status=422)
    said = f"Version {edited.next_number} is published."
    return pages.done(
        visit,
        f"{visit.home}/templates/{edited.template['id']}",
        said if outcome.position else "It is the current version already.",
        outcome.position,
    )


def _version(draft: Draft, schema: Schema) -> dict[str, Any]:
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


def draft_of(form: Form) -> Draft:
    """What was written in the editor; a section without name and text is none."""
    sources = []
    for number in range(MOST_SECTIONS):
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


async def attempt(visit: Visit) -> Response:
    """What the draft gives, while it is being written."""
    form = await visit.form()
    draft = draft_of(form)
    tried = await _tried(visit, draft, form)
    html = pages.html(visit, "templates/_tried.html", tried=tried, shown_tab=form.text("tried"))
    return live.fragments(
        html,
        {
            "#parameter-form": pages.html(
                visit,
                "templates/_form.html",
                tried=tried,
                values_were_of=form.text("values_of"),
            )
        },
    )


async def _tried(visit: Visit, draft: Draft, form: Form) -> Tried:
    schema = await parameter_text.read(visit.edge.renderer, draft.parameters)
    values, cluster = await _values(visit, form, schema)
    filled = Filled(values=values, secrets=tuple(cluster["secret_keys"]) if cluster else ())
    wanted = Wanted(schema.parameters, values, cluster, is_patient=False)
    shown = Rendered() if schema.faults else await rendered(visit, draft.sources, wanted)
    return Tried(schema, form_fields(schema.parameters, filled), shown)


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
    try:
        return await cluster_by_id(visit.reader, visit.workspace_id, UUID(text))
    except ValueError:
        return None


async def _editor(
    visit: Visit,
    edited: Edited,
    draft: Draft,
    form: Form,
    faults: Faults | None = None,
    *,
    status: int = 200,
    conflict: bool = False,
) -> Response:
    template = edited.template
    where = ClusterFilter(
        workspace_id=visit.workspace_id,
        template_id=UUID(template["id"]) if template else UUID(int=0),
        without_archived=True,
    )
    clusters = await clusters_where(visit.reader, where, sort=Sort.NAME, limit=MOST_CLUSTERS)
    return await pages.page(
        visit,
        "templates/editor.html",
        status=status,
        subject=UUID(template["id"]) if template else None,
        edited=edited,
        template=template,
        draft=draft,
        tried=await _tried(visit, draft, form),
        shown_tab=form.text("tried"),
        form=form,
        faults=faults or Faults(),
        clusters=clusters.rows,
        values_were_of=form.text("values_of"),
        conflict=await _last_change(visit, edited) if conflict else None,
        may=visit.may(Permission.WRITE_TEMPLATES)
        and (template is None or template["archived_at"] is None),
        most_sections=MOST_SECTIONS,
    )


async def _last_change(visit: Visit, edited: Edited) -> Shown | None:
    assert edited.template is not None
    where = HistoryFilter(subject_id=UUID(edited.template["id"]))
    return next(iter((await history_where(visit.reader, where, limit=1)).rows), None)


async def rename(visit: Visit) -> Response:
    """Another name or comment; no new version."""
    form = await visit.form()
    edited = await _edited(visit)
    assert edited.template is not None
    address = f"{visit.home}/templates/{edited.template['id']}"
    fields = {
        "workspace_id": visit.workspace["id"],
        "cluster_template_id": edited.template["id"],
        "name": form.line("name"),
        "comment": form.text("comment"),
    }
    try:
        outcome = await visit.execute(validated_body(ChangeClusterTemplate, fields))
    except Refusal as refusal:
        return pages.done(visit, address, " ".join(faults_of(refusal).but(())))
    return pages.done(visit, address, "Saved.", outcome.position)


async def withdraw(visit: Visit) -> Response:
    """Say that a version is not to be used any more, or is again."""
    form = await visit.form()
    edited = await _edited(visit, form.text("version"))
    assert edited.template is not None
    assert edited.version is not None
    withdrawn = form.text("withdrawn") == "1"
    command = WithdrawTemplateVersion(
        workspace_id=visit.workspace_id,
        cluster_template_id=UUID(edited.template["id"]),
        version_id=UUID(edited.version["id"]),
        withdrawn=withdrawn,
    )
    outcome = await visit.execute(command)
    number = edited.version["version"]
    said = f"Version {number} is {'withdrawn' if withdrawn else 'offered again'}."
    address = f"{visit.home}/templates/{edited.template['id']}?version={edited.version['id']}"
    return pages.done(visit, address, said, outcome.position)


async def archive(visit: Visit) -> Response:
    """Put it away: clusters keep it, new ones are not made from it."""
    template_id = visit.path_id("template_id")
    command = ArchiveClusterTemplate(
        workspace_id=visit.workspace_id, cluster_template_id=template_id
    )
    outcome = await visit.execute(command)
    return pages.done(visit, f"{visit.home}/templates", "It is archived.", outcome.position)


async def compare(visit: Visit) -> Response:
    """Two versions, section by section."""
    edited = await _edited(visit)
    assert edited.template is not None
    versions: list[Shown] = edited.template["cluster_template_versions"]
    old, new = _two(visit, versions)
    return await pages.page(
        visit,
        "templates/compare.html",
        subject=UUID(edited.template["id"]),
        template=edited.template,
        versions=versions,
        old=old,
        new=new,
        differences=await _differences(visit, old, new),
    )


def _two(visit: Visit, versions: Sequence[Shown]) -> tuple[Shown | None, Shown]:
    if not versions:
        raise NotFound("The template has no version yet.")
    by_id = {each["id"]: each for each in versions}
    new = by_id.get(visit.query("to"), versions[-1])
    before = versions[versions.index(new) - 1] if new is not versions[0] else None
    return by_id.get(visit.query("from"), before), new


async def _differences(visit: Visit, old: Shown | None, new: Shown) -> list[tuple[str, Difference]]:
    before, after = await _texts(visit, old), await _texts(visit, new)
    found = [
        (name, difference(before.get(name, ""), after.get(name, "")))
        for name in dict.fromkeys((*after, *before))
    ]
    return [(name, each) for name, each in found if each.count]


async def _texts(visit: Visit, version: Shown | None) -> dict[str, str]:
    if version is None:
        return {}
    parameters = await parameter_text.write(visit.edge.renderer, version["params"])
    sources = {each.name: each.text for each in await sources_of(visit, version)}
    return {parameter_text.NAME: parameters, **sources}


HOME = "/workspaces/{workspace}/templates"
ONE = f"{HOME}/{{template_id}}"
PAGES = [
    page(HOME, show_all, Permission.READ_TEMPLATES),
    page(f"{HOME}/new", new, Permission.WRITE_TEMPLATES),
    act(HOME, create, Permission.WRITE_TEMPLATES),
    preview(f"{HOME}/try", attempt, Permission.READ_TEMPLATES),
    page(ONE, edit, Permission.READ_TEMPLATES),
    act(ONE, publish, Permission.WRITE_TEMPLATES),
    page(f"{ONE}/compare", compare, Permission.READ_TEMPLATES),
    act(f"{ONE}/rename", rename, Permission.WRITE_TEMPLATES),
    act(f"{ONE}/withdraw", withdraw, Permission.WRITE_TEMPLATES),
    act(f"{ONE}/archive", archive, Permission.WRITE_TEMPLATES),
]
