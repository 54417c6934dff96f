"""A cluster's configuration: what is declared, what it renders to, what the machines have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from starlette.responses import Response

from adapters.http.validation import validated_body
from adapters.http.web import live, pages
from adapters.http.web.cluster import HOME, found, head_of
from adapters.http.web.configuration_history import configuration_of
from adapters.http.web.endpoints import act, page, preview
from adapters.http.web.forms import Faults, Form, faults_of, id_in
from adapters.http.web.new_cluster import check, field_faults
from adapters.http.web.parameter_fields import Filled, form_fields, values_of
from adapters.http.web.rendering import Rendered, SectionShown, Wanted, rendered, sources_of
from adapters.http.web.visit import Visit
from application.clusters import ChangeCluster, InstallCluster
from application.permissions import Permission
from domain.input_parameters import Header, Parameter, parse_parameters
from domain.model import NotFound, Refusal, RevisionConflict
from projections.cluster_templates import template_of_version, templates_of
from projections.history import HistoryFilter, history_where
from projections.reader import Shown


@dataclass(frozen=True, slots=True)
class Declared:
    """A cluster with the version that its form is made from: its own, or one to move to."""

    cluster: Shown
    template: Shown
    version: Shown
    parameters: Sequence[Parameter | Header]

    @property
    def cluster_id(self) -> UUID:
        return UUID(self.cluster["id"])

    @property
    def is_moving(self) -> bool:
        return bool(self.version["id"] != self.cluster["cluster_template_version_id"])

    @property
    def secrets(self) -> frozenset[str]:
        return frozenset(self.cluster["secret_keys"])


async def configuration(visit: Visit) -> Response:
    """The form with what is declared, and the rendering beside it."""
    declared = await _declared(visit, await found(visit), visit.query("version"))
    return await _page(visit, declared, declared.cluster["values"])


async def change(visit: Visit) -> Response:
    """Declare it anew, unless someone else did meanwhile."""
    form = await visit.form()
    declared = await _declared(visit, await found(visit), form.text("version"))
    values = _values(form, declared)
    fields = {
        "workspace_id": visit.workspace["id"],
        "cluster_id": declared.cluster["id"],
        "current_revision": form.number("current_revision"),
        "name": form.line("name"),
        "cluster_template_id": declared.template["id"],
        "cluster_template_version_id": declared.version["id"],
        "registry_id": declared.cluster["registry_id"],
        "values": values,
    }
    try:
        outcome = await visit.execute(validated_body(ChangeCluster, fields))
    except NotFound:
        raise
    except RevisionConflict:
        return await _page(visit, declared, values, form, conflict=True)
    except Refusal as refusal:
        return await _page(visit, declared, values, form, faults_of(refusal))
    home = f"{visit.home}/clusters/{declared.cluster['id']}"
    if form.text("do") == "install":
        return await _install(visit, declared.cluster_id, home, outcome.position)
    said = "Saved." if outcome.position else "Nothing was changed."
    return pages.done(visit, f"{home}/configuration", said, outcome.position)


async def _install(visit: Visit, cluster_id: UUID, home: str, position: int) -> Response:
    try:
        outcome = await visit.execute(
            InstallCluster(workspace_id=visit.workspace_id, cluster_id=cluster_id)
        )
    except Refusal as refusal:
        said = f"Saved, not installed. {refusal.detail}"
        return pages.done(visit, f"{home}/configuration", said, position)
    return pages.done(visit, f"{home}/infrastructure", "Installing.", outcome.position)


async def look(visit: Visit) -> Response:
    """What the form gives, while it is being changed."""
    form = await visit.form()
    declared = await _declared(visit, await found(visit), form.text("version"))
    values = _values(form, declared)
    faults = check(declared.parameters, values, declared.cluster["values"], declared.secrets)
    shown = await _rendered(visit, declared, values)
    shown = shown.against(await _applied(visit, declared.cluster))
    html = pages.html(
        visit,
        "clusters/_rendered.html",
        rendered=shown,
        shown_tab=form.text("tab"),
        show=form.text("show"),
        is_preview=True,
    )
    return live.fragments(html, field_faults(visit, declared.parameters, faults))


def _values(form: Form, declared: Declared) -> dict[str, Any]:
    return values_of(
        form, declared.parameters, declared.cluster["values"], declared.cluster["secret_keys"]
    )


async def _declared(visit: Visit, cluster: Shown, version_id: str) -> Declared:
    wanted = id_in(version_id or cluster["cluster_template_version_id"])
    template = wanted and await template_of_version(visit.reader, visit.workspace_id, wanted)
    if not template:
        raise NotFound("There is no such template version here.")
    version = next(v for v in template["cluster_template_versions"] if v["id"] == str(wanted))
    return Declared(cluster, template, version, parse_parameters(version["params"]))


async def _rendered(visit: Visit, declared: Declared, values: Mapping[str, Any]) -> Rendered:
    sources = await sources_of(visit, declared.version)
    return await rendered(visit, sources, Wanted(declared.parameters, values, declared.cluster))


async def _desired(visit: Visit, declared: Declared, values: Mapping[str, Any]) -> Rendered:
    """What was rendered when it was saved; anew only where that failed or is not what is asked."""
    cluster = declared.cluster
    is_saved = values == cluster["values"] and not declared.is_moving
    if not is_saved or cluster["render_errors"] or not cluster["sections"]:
        return await _rendered(visit, declared, values)
    texts = await visit.shared.rendered(declared.cluster_id, cluster["sections"])
    order = [section["name"] for section in declared.version["sections"]]
    names = sorted(texts, key=lambda name: order.index(name) if name in order else len(order))
    return Rendered(tuple(SectionShown(name, texts[name]) for name in names))


async def _applied(visit: Visit, cluster: Shown) -> dict[str, str]:
    """What the machines have, by section."""
    return await visit.shared.rendered(UUID(cluster["id"]), cluster["applied_sections"])


async def _in_force(visit: Visit, cluster: Shown) -> Mapping[str, Any] | None:
    """The values that the machines were made with, where others are declared."""
    if not cluster["applied_rendering"]:
        return None
    applied = await configuration_of(
        visit.edge.log, UUID(cluster["id"]), cluster["applied_rendering"], visit.at
    )
    return applied.values if applied and applied.values != cluster["values"] else None


async def _page(
    visit: Visit,
    declared: Declared,
    values: Mapping[str, Any],
    form: Form | None = None,
    faults: Faults | None = None,
    *,
    conflict: bool = False,
) -> Response:
    form, faults, cluster = form or Form(), faults or Faults(), declared.cluster
    filled = Filled(
        values=values,
        saved=cluster["values"],
        secrets=declared.secrets,
        in_force=await _in_force(visit, cluster),
        faults=faults,
    )
    shown = await _desired(visit, declared, values)
    applied = await _applied(visit, cluster)
    return await pages.page(
        visit,
        "cluster/configuration.html",
        status=409 if conflict else 422 if faults else 200,
        subject=declared.cluster_id,
        tab="configuration",
        head=await head_of(visit, cluster, visit.reader),
        cluster=cluster,
        declared=declared,
        templates=await templates_of(visit.reader, visit.workspace_id, without_archived=True),
        form=form,
        faults=faults,
        fields=form_fields(declared.parameters, filled),
        rendered=shown.against(applied) if applied else shown,
        shown_tab=form.text("tab") or visit.query("tab"),
        show=form.text("show") or visit.query("show"),
        conflict=await _conflict(visit, cluster, form) if conflict else None,
    )


async def _conflict(visit: Visit, cluster: Shown, form: Form) -> Shown:
    """Who changed it meanwhile, and what."""
    where = HistoryFilter(
        subject_id=UUID(cluster["id"]),
        topics=("cluster.configured", "cluster.renamed", "cluster.registry_chosen"),
    )
    changes = await history_where(visit.reader, where, limit=1)
    return {
        "revision": cluster["current_revision"],
        "seen": form.text("current_revision"),
        "row": changes.rows[0] if changes.rows else None,
    }


PAGES = [
    page(f"{HOME}/configuration", configuration, Permission.READ_CLUSTERS),
    act(f"{HOME}/configuration", change, Permission.WRITE_CLUSTERS),
    preview(f"{HOME}/configuration/preview", look, Permission.READ_CLUSTERS),
]
