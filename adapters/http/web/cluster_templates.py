"""Templates: their sections and parameters in an editor, tried before they are published."""

from uuid import UUID

from starlette.responses import Response

from adapters.http.validation import validated_body
from adapters.http.web import live, pages, parameter_text
from adapters.http.web.endpoints import act, page, preview
from adapters.http.web.forms import Faults, Form, faults_of
from adapters.http.web.rendering import sources_of
from adapters.http.web.template_draft import (
    STARTER,
    STARTER_PARAMETERS,
    Draft,
    draft_of,
    try_out,
    version_of,
)
from adapters.http.web.template_opened import Opened, count, opened
from adapters.http.web.visit import Visit
from application.cluster_templates import (
    ArchiveClusterTemplate,
    ChangeClusterTemplate,
    CreateClusterTemplate,
)
from application.permissions import Permission
from domain.cluster_templates import MAX_SECTIONS
from domain.model import Refusal, RevisionConflict
from projections.cluster_list import ClusterFilter, Sort, clusters_where
from projections.cluster_templates import templates_of
from projections.history import HistoryFilter, history_where
from projections.reader import Shown

MOST_CLUSTERS = 50


async def show_all(visit: Visit) -> Response:
    """The templates of a workspace."""
    templates = await templates_of(visit.reader, visit.workspace_id)
    living = [each for each in templates if each["archived_at"] is None]
    used = {
        each["id"]: await count(visit, ClusterFilter(template_id=UUID(each["id"])))
        for each in living
    }
    return await pages.page(
        visit,
        "templates/list.html",
        templates=living,
        archived=[each for each in templates if each["archived_at"] is not None],
        used=used,
    )


async def new(visit: Visit) -> Response:
    draft = Draft(STARTER, STARTER_PARAMETERS)
    return await _editor(visit, Opened(), draft, Form())


async def edit(visit: Visit) -> Response:
    """The editor on the current version, or on the one that the address names."""
    edited = await opened(visit, visit.query("version"))
    return await _editor(visit, edited, await _draft(visit, edited), Form())


async def _draft(visit: Visit, edited: Opened) -> Draft:
    template, version = edited.template, edited.version
    assert template is not None
    sources = await sources_of(visit, version) if version else []
    raw = version["params"] if version else []
    text = await parameter_text.write(visit.edge.renderer, raw, visit.workspace_id)
    return Draft(sources, text, template["name"], template["comment"])


async def create(visit: Visit) -> Response:
    """Make the template with its first version."""
    form = await visit.form()
    draft = draft_of(form)
    schema = await parameter_text.read(visit.edge.renderer, draft.parameters, visit.workspace_id)
    fields = {
        "workspace_id": visit.workspace["id"],
        "name": draft.name,
        "comment": draft.comment,
        **version_of(draft, schema),
    }
    if schema.faults:
        return await _editor(visit, Opened(), draft, form, status=422)
    try:
        command = validated_body(CreateClusterTemplate, fields)
        outcome = await visit.execute(command, form.text("key"))
    except Refusal as refusal:
        return await _editor(visit, Opened(), draft, form, faults_of(refusal), status=422)
    address = f"{visit.home}/templates/{outcome.result}"
    return pages.done(visit, address, f"{draft.name} is published.", outcome.position)


async def publish(visit: Visit) -> Response:
    """Publish what stands in the editor as the next version."""
    form = await visit.form()
    edited, draft = await opened(visit), draft_of(form)
    assert edited.template is not None
    schema = await parameter_text.read(visit.edge.renderer, draft.parameters, visit.workspace_id)
    if schema.faults:
        return await _editor(visit, edited, draft, form, status=422)
    fields = {
        "workspace_id": visit.workspace["id"],
        "cluster_template_id": edited.template["id"],
        "current_revision": form.number("current_revision"),
        **version_of(draft, schema),
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


async def attempt(visit: Visit) -> Response:
    """What the draft gives, while it is being written."""
    form = await visit.form()
    draft = draft_of(form)
    tried = await try_out(visit, draft, form)
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


async def _editor(
    visit: Visit,
    edited: Opened,
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
        tried=await try_out(visit, draft, form),
        shown_tab=form.text("tried"),
        form=form,
        faults=faults or Faults(),
        clusters=clusters.rows,
        values_were_of=form.text("values_of"),
        conflict=await _last_change(visit, edited) if conflict else None,
        may=visit.may(Permission.WRITE_TEMPLATES)
        and (template is None or template["archived_at"] is None),
        most_sections=MAX_SECTIONS,
    )


async def _last_change(visit: Visit, edited: Opened) -> Shown | None:
    assert edited.template is not None
    where = HistoryFilter(subject_id=UUID(edited.template["id"]))
    return next(iter((await history_where(visit.reader, where, limit=1)).rows), None)


async def rename(visit: Visit) -> Response:
    """Another name or comment; no new version."""
    form = await visit.form()
    edited = await opened(visit)
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


async def archive(visit: Visit) -> Response:
    """Put it away: clusters keep it, new ones are not made from it."""
    template_id = visit.path_id("template_id")
    command = ArchiveClusterTemplate(
        workspace_id=visit.workspace_id, cluster_template_id=template_id
    )
    outcome = await visit.execute(command)
    return pages.done(visit, f"{visit.home}/templates", "It is archived.", outcome.position)


HOME = "/workspaces/{workspace}/templates"
ONE = f"{HOME}/{{template_id}}"
PAGES = [
    page(HOME, show_all, Permission.READ_TEMPLATES),
    page(f"{HOME}/new", new, Permission.WRITE_TEMPLATES),
    act(HOME, create, Permission.WRITE_TEMPLATES),
    preview(f"{HOME}/try", attempt, Permission.READ_TEMPLATES),
    page(ONE, edit, Permission.READ_TEMPLATES),
    act(ONE, publish, Permission.WRITE_TEMPLATES),
    act(f"{ONE}/rename", rename, Permission.WRITE_TEMPLATES),
    act(f"{ONE}/archive", archive, Permission.WRITE_TEMPLATES),
]
