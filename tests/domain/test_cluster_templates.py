"""A template grows by versions that never change; some are withdrawn; it is archived at last."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from domain.cluster_templates import (
    ClusterTemplate,
    ClusterTemplateArchived,
    ClusterTemplateChanged,
    ClusterTemplateCreated,
    ClusterTemplateVersionAdded,
    ClusterTemplateVersionWithdrawn,
    Section,
    TemplateIsArchived,
    VersionIsWithdrawn,
)
from domain.model import Action, Audited, NotFound, RevisionConflict
from domain.values import DocumentRef
from tests.support.scenario import given

NOON = datetime(2025, 6, 18, 12, tzinfo=UTC)
WORKSPACE, FIRST, SECOND = UUID(int=1), UUID(int=11), UUID(int=12)
SECTION = Section(name="resources", source=DocumentRef(digest="aa", size=2))
PARAMS = ({"key": "size", "title": "Size", "type": "number"},)

created = ClusterTemplateCreated(workspace_id=WORKSPACE, name="plain", comment="a start")
first = ClusterTemplateVersionAdded(version_id=FIRST, number=1, sections=(SECTION,))
second = ClusterTemplateVersionAdded(
    version_id=SECOND,
    number=2,
    comment="sized",
    params=PARAMS,
    sections=(SECTION,),
    previous_version_id=FIRST,
)
withdrawn = ClusterTemplateVersionWithdrawn(version_id=FIRST, number=1)
archived = ClusterTemplateArchived(archived_at=NOON, archive_number="20250618")


def test_a_template_begins_without_a_version() -> None:
    given().when(ClusterTemplate.create, WORKSPACE, "plain", "a start").then(created)
    given(created).leaves(ClusterTemplate, current=None, revision=1)


def test_versions_are_numbered_and_the_newest_is_current() -> None:
    given(created).when(ClusterTemplate.add_version, FIRST, "", (), (SECTION,)).then(first)
    given(created, first).when(
        ClusterTemplate.add_version, SECOND, "sized", PARAMS, (SECTION,)
    ).then(second)
    template = ClusterTemplate.fold([created, first, second])
    assert template is not None
    assert template.current is not None
    assert (template.current.id, template.current.number) == (SECOND, 2)
    assert template.version(FIRST).params == ()


def test_a_version_that_says_what_the_current_one_says_is_not_added() -> None:
    given(created, first).when(
        ClusterTemplate.add_version, SECOND, "again", (), (SECTION,)
    ).then_nothing()


def test_name_and_comment_change_together_and_the_audit_shows_what_differs() -> None:
    changed = ClusterTemplateChanged(
        name="plain", comment="better", previous_name="plain", previous_comment="a start"
    )
    given(created).when(ClusterTemplate.change, "plain", "better").then(changed)
    given(created).when(ClusterTemplate.change, "plain", "a start").then_nothing()
    assert changed.audited() == Audited(
        auditable_type="ClusterTemplate",
        action=Action.UPDATE,
        audited_changes={"comment": ["a start", "better"]},
    )


def test_every_change_is_a_revision() -> None:
    given(created, first, second, withdrawn, archived).leaves(ClusterTemplate, revision=5)


def test_a_change_to_another_revision_is_a_conflict() -> None:
    template = ClusterTemplate.fold([created, first])
    assert template is not None
    template.must_be_at(2)
    template.must_be_at(None)
    with pytest.raises(RevisionConflict) as conflict:
        template.must_be_at(1)
    assert conflict.value.pointer == "/current_revision"


def test_a_withdrawn_version_is_not_used_until_it_is_given_back() -> None:
    given(created, first).when(ClusterTemplate.withdraw_version, FIRST, withdrawn=True).then(
        withdrawn
    )
    given(created, first, withdrawn).when(
        ClusterTemplate.withdraw_version, FIRST, withdrawn=True
    ).then_nothing()
    template = ClusterTemplate.fold([created, first, withdrawn])
    assert template is not None
    with pytest.raises(VersionIsWithdrawn):
        template.usable_version(FIRST)
    back = withdrawn.model_copy(update={"withdrawn": False})
    given(created, first, withdrawn).when(
        ClusterTemplate.withdraw_version, FIRST, withdrawn=False
    ).then(back)
    template = ClusterTemplate.fold([back], template)
    assert template is not None
    assert template.usable_version(FIRST).id == FIRST


def test_a_version_that_is_not_there_is_not_found() -> None:
    given(created, first).when(
        ClusterTemplate.withdraw_version, SECOND, withdrawn=True
    ).then_refused(NotFound)


def test_an_archived_template_stays_as_it_is() -> None:
    past = given(created, first, archived)
    past.when(ClusterTemplate.archive, NOON, "2").then_nothing()
    past.when(ClusterTemplate.change, "other", "").then_refused(TemplateIsArchived)
    past.when(ClusterTemplate.add_version, SECOND, "", PARAMS, ()).then_refused(TemplateIsArchived)
    past.when(ClusterTemplate.withdraw_version, FIRST, withdrawn=True).then_refused(
        TemplateIsArchived
    )


def test_an_archived_template_is_not_used_for_new_clusters() -> None:
    template = ClusterTemplate.fold([created, first, archived])
    assert template is not None
    with pytest.raises(TemplateIsArchived):
        template.usable_version(FIRST)
    assert template.version(FIRST).number == 1
