"""Templates are written and rewritten; each edit of what is rendered is a version of its own."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError

from application.cluster_templates import (
    MAX_SOURCE,
    ArchiveClusterTemplate,
    ChangeClusterTemplate,
    CreateClusterTemplate,
    SectionText,
    WithdrawTemplateVersion,
    version_key,
)
from domain.cluster_templates import (
    ClusterTemplate,
    ClusterTemplateArchived,
    ClusterTemplateChanged,
    ClusterTemplateVersionAdded,
    ClusterTemplateVersionWithdrawn,
    TemplateIsArchived,
)
from domain.model import Event, Invalid, NotFound, RevisionConflict, Taken
from tests.application.in_memory import PARAMS, SOURCE, Hub

SECTION = SectionText(name="resources", source=SOURCE)


@pytest.fixture
def hub() -> Hub:
    return Hub()


async def change(hub: Hub, template_id: UUID, **fields: Any) -> list[Event]:
    """What a change of a template recorded."""
    template = await hub.state(ClusterTemplate, template_id)
    before = len(hub.store.records)
    await hub.do(
        ChangeClusterTemplate(
            workspace_id=template.workspace_id, cluster_template_id=template_id, **fields
        )
    )
    return hub.events(before)


def kinds(events: Iterable[Event]) -> list[type[Event]]:
    return [type(event) for event in events]


async def test_a_template_begins_with_its_first_version(hub: Hub) -> None:
    workspace_id = await hub.workspace()
    template_id = await hub.template(workspace_id)
    template = await hub.state(ClusterTemplate, template_id)
    assert template.current is not None
    assert (template.current.number, template.current.params) == (1, PARAMS)
    section = template.current.sections[0]
    assert await hub.documents.read(section.source) == SOURCE
    assert await hub.store.holder(version_key(template.current.id)) == template_id


async def test_a_changed_section_is_a_version_and_the_old_one_stays(hub: Hub) -> None:
    template_id = await hub.template(await hub.workspace())
    first = await hub.version(template_id)
    section = SectionText(name="resources", source="size: 1\n")
    (added,) = await change(hub, template_id, sections=(section,), version_comment="fixed")
    assert isinstance(added, ClusterTemplateVersionAdded)
    assert (added.number, added.comment, added.params) == (2, "fixed", PARAMS)
    template = await hub.state(ClusterTemplate, template_id)
    assert await hub.documents.read(template.version(first).sections[0].source) == SOURCE


async def test_changed_parameters_are_a_version_with_the_same_sections(hub: Hub) -> None:
    template_id = await hub.template(await hub.workspace())
    (added,) = await change(hub, template_id, params=PARAMS[:1])
    assert isinstance(added, ClusterTemplateVersionAdded)
    assert (added.params, len(added.sections)) == (PARAMS[:1], 1)


async def test_what_says_the_same_is_no_version_and_claims_nothing(hub: Hub) -> None:
    template_id = await hub.template(await hub.workspace())
    before = dict(hub.store.claims)
    assert not await change(hub, template_id, params=PARAMS, sections=(SECTION,))
    assert hub.store.claims == before


async def test_a_name_alone_is_no_version(hub: Hub) -> None:
    workspace_id = await hub.workspace()
    template_id = await hub.template(workspace_id, "old")
    assert kinds(await change(hub, template_id, name="new", comment="x")) == [
        ClusterTemplateChanged
    ]
    assert not await change(hub, template_id)
    await hub.template(workspace_id, "old")
    with pytest.raises(Taken):
        await hub.template(workspace_id, "NEW")


async def test_a_template_may_change_the_case_of_its_name(hub: Hub) -> None:
    workspace_id = await hub.workspace()
    template_id = await hub.template(workspace_id, "plain")
    await change(hub, template_id, name="PLAIN")
    with pytest.raises(Taken):
        await hub.template(workspace_id, "plain")


async def test_two_workspaces_may_use_the_same_name(hub: Hub) -> None:
    await hub.template(await hub.workspace("one"), "plain")
    await hub.template(await hub.workspace("two"), "plain")


async def test_a_change_to_another_revision_changes_nothing(hub: Hub) -> None:
    template_id = await hub.template(await hub.workspace())
    with pytest.raises(RevisionConflict):
        await change(hub, template_id, current_revision=1, name="other")
    assert await change(hub, template_id, current_revision=2, name="other")


async def test_every_wrong_parameter_and_section_is_named(hub: Hub) -> None:
    workspace_id = await hub.workspace()
    twice = (SECTION, SectionText(name="notes", source=""), SECTION)
    with pytest.raises(Invalid) as invalid:
        await hub.do(CreateClusterTemplate(workspace_id=workspace_id, name="x", sections=twice))
    assert [f.pointer for f in invalid.value.faults] == ["/sections/2/name"]
    wrong = ({"key": "a b", "title": "A", "type": "string"}, {"key": "c"})
    with pytest.raises(Invalid) as invalid:
        await hub.do(CreateClusterTemplate(workspace_id=workspace_id, name="x", params=wrong))
    assert {f.pointer.split("/")[2] for f in invalid.value.faults} == {"0", "1"}
    assert len(hub.events()) == 1


async def test_a_source_has_a_size() -> None:
    SectionText(name="x", source="s" * MAX_SOURCE)
    with pytest.raises(ValidationError):
        SectionText(name="x", source="s" * (MAX_SOURCE + 1))


async def test_a_version_is_withdrawn_and_given_back(hub: Hub) -> None:
    workspace_id = await hub.workspace()
    template_id = await hub.template(workspace_id)
    about = {"workspace_id": workspace_id, "cluster_template_id": template_id}
    version_id = await hub.version(template_id)
    for withdrawn in (True, True, False):
        await hub.do(WithdrawTemplateVersion(**about, version_id=version_id, withdrawn=withdrawn))
    assert kinds(hub.events(after=3)) == [ClusterTemplateVersionWithdrawn] * 2
    with pytest.raises(NotFound):
        await hub.do(WithdrawTemplateVersion(**about, version_id=uuid4()))


async def test_an_archived_template_gives_its_name_back_and_stays_as_it_is(hub: Hub) -> None:
    workspace_id = await hub.workspace()
    template_id = await hub.template(workspace_id, "plain")
    archive = ArchiveClusterTemplate(workspace_id=workspace_id, cluster_template_id=template_id)
    await hub.do(archive)
    other_id = await hub.template(workspace_id, "plain")
    await hub.do(archive)
    assert kinds(hub.events()).count(ClusterTemplateArchived) == 1
    assert await hub.store.holder(f"cluster_template:{workspace_id}:plain") == other_id
    for fields in ({"name": "other"}, {"sections": ()}, {"name": "other", "params": ()}):
        with pytest.raises(TemplateIsArchived):
            await change(hub, template_id, **fields)


async def test_a_template_of_another_workspace_is_not_found(hub: Hub) -> None:
    template_id = await hub.template(await hub.workspace("ours"))
    theirs = await hub.workspace("theirs")
    about = {"workspace_id": theirs, "cluster_template_id": template_id}
    for command in (
        ChangeClusterTemplate(**about, name="other"),
        ArchiveClusterTemplate(**about),
        WithdrawTemplateVersion(**about, version_id=await hub.version(template_id)),
    ):
        with pytest.raises(NotFound):
            await hub.do(command)
