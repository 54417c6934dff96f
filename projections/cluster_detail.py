"""A cluster as its own page shows it: its values, its renderings, and what is applied."""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from domain.cluster_settings import ClusterSettingsChanged, ClusterSettingsCreated
from domain.clusters import (
    ClusterApplied,
    ClusterChecked,
    ClusterConfigured,
    ClusterCreated,
    ClusterHostKeyForgotten,
    ClusterHostKeyPinned,
    ClusterOperationFailed,
    ClusterRendered,
    ClusterRenderFailed,
    ClusterStatus,
    Configuration,
)
from domain.model import Recorded
from domain.values import DocumentRef
from projections.projection import Change, Projection, Row, Table
from projections.reader import Reader, Shown

details = Table(
    "cluster_details",
    {
        "cluster_id": "uuid",
        "values": "jsonb",
        "secret_keys": "jsonb",
        "configured_at": "timestamptz",
        "template_version_switched_at": "timestamptz",
        "rendered_at": "timestamptz",
        "render_errors": "jsonb",
        "applied_at": "timestamptz",
        "applied_sections": "jsonb",
        "checked_at": "timestamptz",
        "is_as_declared": "boolean",
        "check_detail": "text",
        "failed_at": "timestamptz",
        "failure": "text",
        "ssh_public_key": "text",
    },
    key=["cluster_id"],
)
renderings = Table(
    "cluster_renderings",
    {
        "cluster_id": "uuid",
        "rendering": "integer",
        "sections": "jsonb",
        "engine": "text",
        "rendered_at": "timestamptz",
    },
    key=["cluster_id", "rendering"],
)
host_keys = Table(
    "cluster_host_keys",
    {
        "cluster_id": "uuid",
        "host": "text",
        "port": "bigint",
        "fingerprint": "text",
        "pinned_at": "timestamptz",
    },
    key=["cluster_id", "host", "port"],
)
settings = Table(
    "cluster_settings",
    {
        "cluster_id": "uuid",
        "settings_id": "uuid",
        "change_mode": "text",
        "check_interval": "integer",
        "revision": "bigint",
    },
    key=["cluster_id"],
)
cluster_detail = Projection("cluster_detail", 1, [details, renderings, host_keys, settings])


@cluster_detail.when
def created(event: ClusterCreated, recorded: Recorded) -> Iterator[Change]:
    yield details.put(
        recorded.stream_id,
        **_declared(event.configuration, recorded),
        template_version_switched_at=recorded.recorded_at,
        render_errors=[],
        ssh_public_key=event.ssh_public_key,
    )


@cluster_detail.when
def configured(event: ClusterConfigured, recorded: Recorded) -> Iterator[Change]:
    yield details.patch(recorded.stream_id, **_declared(event.configuration, recorded))
    if event.configuration.template_version_id != event.previous.template_version_id:
        yield details.patch(recorded.stream_id, template_version_switched_at=recorded.recorded_at)


@cluster_detail.when
def rendered(event: ClusterRendered, recorded: Recorded) -> Iterator[Change]:
    yield details.patch(recorded.stream_id, rendered_at=recorded.recorded_at, render_errors=[])
    yield renderings.put(
        recorded.stream_id,
        event.rendering,
        sections=_references(event.sections),
        engine=event.engine,
        rendered_at=recorded.recorded_at,
    )


@cluster_detail.when
def render_failed(event: ClusterRenderFailed, recorded: Recorded) -> Iterator[Change]:
    errors = [error.model_dump(mode="json") for error in event.errors]
    yield details.patch(recorded.stream_id, render_errors=errors)


@cluster_detail.when
def applied(event: ClusterApplied, recorded: Recorded) -> Iterator[Change]:
    yield details.patch(
        recorded.stream_id,
        applied_at=recorded.recorded_at,
        applied_sections=_references(event.sections),
        failed_at=None,
        failure=None,
    )


@cluster_detail.when
def checked(event: ClusterChecked, recorded: Recorded) -> Iterator[Change]:
    yield details.patch(
        recorded.stream_id,
        checked_at=recorded.recorded_at,
        is_as_declared=event.in_sync,
        check_detail=event.detail or None,
        failed_at=None,
        failure=None,
    )


@cluster_detail.when
def operation_failed(event: ClusterOperationFailed, recorded: Recorded) -> Iterator[Change]:
    yield details.patch(recorded.stream_id, failed_at=recorded.recorded_at, failure=event.reason)


@cluster_detail.when
def host_key_pinned(event: ClusterHostKeyPinned, recorded: Recorded) -> Iterator[Change]:
    yield host_keys.put(
        recorded.stream_id,
        event.host,
        event.port,
        fingerprint=event.fingerprint,
        pinned_at=recorded.recorded_at,
    )


@cluster_detail.when
def host_key_forgotten(event: ClusterHostKeyForgotten, recorded: Recorded) -> Iterator[Change]:
    yield host_keys.drop(recorded.stream_id, event.host, event.port)


@cluster_detail.when
def settings_changed(
    event: ClusterSettingsCreated | ClusterSettingsChanged, recorded: Recorded
) -> Iterator[Change]:
    yield settings.put(
        event.cluster_id,
        settings_id=recorded.stream_id,
        change_mode=event.settings.change_mode,
        check_interval=event.settings.check_interval,
        revision=recorded.version,
    )


def _declared(configuration: Configuration, recorded: Recorded) -> Row:
    return {
        "values": configuration.values,
        "secret_keys": sorted(configuration.secret_values),
        "configured_at": recorded.recorded_at,
    }


def _references(sections: Mapping[str, DocumentRef]) -> dict[str, Any]:
    return {name: document.model_dump(mode="json") for name, document in sections.items()}


SHOWN = """
    select c.cluster_id as id, c.workspace_id, c.name, c.current_revision,
           d.values, d.secret_keys,
           c.template_id as cluster_template_id,
           c.template_version_id as cluster_template_version_id,
           d.template_version_switched_at as cluster_template_version_switched_at,
           t.name as cluster_template_name, v.number::text as cluster_template_version,
           t.current_version_id = c.template_version_id as is_on_current_version,
           c.registry_id, null as registry_mode,
           c.created_at, c.updated_at, c.archived_at, c.archive_number,
           c.was_created, c.task_id is not null as is_locked, null as cluster_type,
           c.status, null as agent_status, null as agent_api_key,
           d.applied_at as cluster_configuration_applied_at,
           d.checked_at as cluster_configuration_checked_at,
           d.configured_at as cluster_configuration_updated_at,
           'no' as resources_sync_state, '[]'::jsonb as resources_state_results,
           null as resources_checked_at, null as resources_applied_at,
           d.render_errors, jsonb_build_object('masters', c.masters) as connection_hosts,
           '[]'::jsonb as cluster_agent_data,
           c.has_drifted, c.was_created and not c.is_broken
               and (c.rendering <> c.applied_rendering or c.has_drifted) as has_pending_changes,
           c.rendering, c.applied_rendering, d.rendered_at,
           coalesce(desired.sections, '{}') as sections,
           coalesce(d.applied_sections, '{}') as applied_sections,
           d.is_as_declared, d.check_detail, d.failed_at, d.failure,
           c.task_id, c.task_kind, d.ssh_public_key,
           coalesce(keys.pinned, '[]') as host_keys,
           case when s.cluster_id is null then null else jsonb_build_object(
               'id', s.settings_id, 'change_mode', s.change_mode,
               'check_interval', s.check_interval) end as settings,
           c.last_change_at, c.last_change_by, c.last_change_by_type, c.last_change,
           c.last_change_detail, c.position
    from clusters c
    join cluster_details d on d.cluster_id = c.cluster_id
    left join cluster_templates t on t.template_id = c.template_id
    left join cluster_template_versions v on v.version_id = c.template_version_id
    left join cluster_renderings desired
        on desired.cluster_id = c.cluster_id and desired.rendering = c.rendering
    left join cluster_settings s on s.cluster_id = c.cluster_id
    left join lateral (
        select jsonb_agg(jsonb_build_object(
                   'host', host, 'port', port, 'fingerprint', fingerprint) order by host, port)
               as pinned
        from cluster_host_keys where cluster_id = c.cluster_id
    ) keys on true
"""
"""A cluster as JSON. `sections` and `applied_sections` are references to documents by name;
`values` holds no secret, `secret_keys` names the parameters that are one."""


async def cluster(reader: Reader, workspace_id: UUID, cluster_id: UUID) -> Shown | None:
    """One cluster with all that is known of it; None when it is of another workspace."""
    return await reader.row(
        f"{SHOWN} where c.cluster_id = %(id)s and c.workspace_id = %(workspace_id)s",
        {"id": cluster_id, "workspace_id": workspace_id},
    )


async def installed_clusters(reader: Reader) -> list[Shown]:
    """The clusters at rest that were installed: `id`, `check_interval` in minutes, and `seen_at`,
    when a task last told how they are."""
    return await reader.rows(
        "select c.cluster_id as id, s.check_interval,"
        " greatest(d.applied_at, d.checked_at, d.failed_at) as seen_at"
        " from clusters c join cluster_details d on d.cluster_id = c.cluster_id"
        " join cluster_settings s on s.cluster_id = c.cluster_id"
        " where c.archived_at is null and c.task_id is null and c.status = any(%(statuses)s)"
        " and d.applied_at is not null",
        {"statuses": [ClusterStatus.IN_SYNC, ClusterStatus.PENDING_CHANGES, ClusterStatus.UNKNOWN]},
    )
