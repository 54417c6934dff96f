"""What is shown of cluster templates."""

from datetime import UTC, datetime
from uuid import uuid4

from domain.cluster_templates import (
    ClusterTemplateArchived,
    ClusterTemplateChanged,
    ClusterTemplateCreated,
    ClusterTemplateVersionAdded,
    ClusterTemplateVersionWithdrawn,
    Section,
)
from domain.values import DocumentRef
from projections.cluster_templates import template, template_of_version, templates_of
from tests.projections.scenario import Scenario

ACME, TEMPLATE, FIRST, SECOND = uuid4(), uuid4(), uuid4(), uuid4()
PARAMS = ({"key": "nodes", "title": "Nodes", "type": "number"},)
SECTION = Section(name="Kubernetes", source=DocumentRef(digest="ab" * 32, size=7))
CREATED = ClusterTemplateCreated(workspace_id=ACME, name="core-ha", comment="for all")
VERSIONS = (
    ClusterTemplateVersionAdded(version_id=FIRST, number=1, params=PARAMS, sections=(SECTION,)),
    ClusterTemplateVersionAdded(version_id=SECOND, number=2, previous_version_id=FIRST),
)


async def test_a_template_is_shown_as_the_integration_api_shows_it(scene: Scenario) -> None:
    await scene.given(TEMPLATE, CREATED, *VERSIONS)
    row = await scene.shows(template, ACME, TEMPLATE)
    assert row is not None
    versions = row.pop("cluster_template_versions")
    assert {key: row[key] for key in row if not key.endswith("_at")} == {
        "id": str(TEMPLATE),
        "workspace_id": str(ACME),
        "name": "core-ha",
        "comment": "for all",
        "current_revision": 3,
        "immutable": False,
        "current_cluster_template_version_id": str(SECOND),
        "archive_number": None,
    }
    assert row["archived_at"] is None
    assert [version["version"] for version in versions] == ["1", "2"]
    assert versions[0] == {
        "id": str(FIRST),
        "cluster_template_id": str(TEMPLATE),
        "name": "core-ha",
        "comment": "",
        "version": "1",
        "params": list(PARAMS),
        "sections": [SECTION.model_dump(mode="json")],
        "is_withdrawn": False,
        "created_by": "Mira Okafor",
        "created_at": row["created_at"],
    }


async def test_a_template_without_versions_has_an_empty_list_of_them(scene: Scenario) -> None:
    await scene.given(TEMPLATE, CREATED)
    row = await scene.shows(template, ACME, TEMPLATE)
    assert row is not None
    assert row["cluster_template_versions"] == []
    assert row["current_cluster_template_version_id"] is None


async def test_every_change_is_a_revision(scene: Scenario) -> None:
    await scene.given(
        TEMPLATE,
        CREATED,
        VERSIONS[0],
        ClusterTemplateChanged(
            name="core", comment="", previous_name="core-ha", previous_comment="for all"
        ),
        ClusterTemplateVersionWithdrawn(version_id=FIRST, number=1),
    )
    row = await scene.shows(template_of_version, ACME, FIRST)
    assert row is not None
    assert (row["name"], row["current_revision"]) == ("core", 4)
    assert row["cluster_template_versions"][0]["is_withdrawn"] is True


async def test_an_archived_template_is_left_out_when_asked(scene: Scenario) -> None:
    archived = datetime(2026, 11, 21, 14, tzinfo=UTC)
    await scene.given(
        TEMPLATE, CREATED, ClusterTemplateArchived(archived_at=archived, archive_number="3")
    )
    (row,) = await scene.shows(templates_of, ACME)
    assert (row["archived_at"], row["archive_number"]) == ("2026-11-21T14:00:00.000000Z", "3")
    assert await templates_of(scene.reader, ACME, without_archived=True) == []


async def test_a_template_is_shown_in_its_workspace_only(scene: Scenario) -> None:
    await scene.given(TEMPLATE, CREATED, *VERSIONS)
    assert await scene.shows(template, uuid4(), TEMPLATE) is None
    assert await template_of_version(scene.reader, uuid4(), FIRST) is None
    assert await templates_of(scene.reader, uuid4()) == []
