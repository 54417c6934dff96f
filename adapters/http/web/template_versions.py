"""The versions of a template: two of them compared, one of them withdrawn."""

from collections.abc import Sequence
from uuid import UUID

from starlette.responses import Response

from adapters.http.web import pages, parameter_text
from adapters.http.web.differences import Difference, difference
from adapters.http.web.endpoints import act, page
from adapters.http.web.rendering import sources_of
from adapters.http.web.template_opened import opened
from adapters.http.web.visit import Visit
from application.cluster_templates import WithdrawTemplateVersion
from application.permissions import Permission
from domain.model import NotFound
from projections.reader import Shown


async def withdraw(visit: Visit) -> Response:
    """Say that a version is not to be used any more, or is again."""
    form = await visit.form()
    edited = await opened(visit, form.text("version"))
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


async def compare(visit: Visit) -> Response:
    """Two versions, section by section."""
    edited = await opened(visit)
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
    parameters = await parameter_text.write(
        visit.edge.renderer, version["params"], visit.workspace_id
    )
    sources = {each.name: each.text for each in await sources_of(visit, version)}
    return {parameter_text.NAME: parameters, **sources}


ONE = "/workspaces/{workspace}/templates/{template_id}"
PAGES = [
    page(f"{ONE}/compare", compare, Permission.READ_TEMPLATES),
    act(f"{ONE}/withdraw", withdraw, Permission.WRITE_TEMPLATES),
]
