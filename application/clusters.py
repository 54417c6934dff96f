"""Commands on clusters: declare, render, and ask for what makes it true."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from application.cluster_templates import version_key
from application.commands import Handlers, WorkspaceCommand
from application.permissions import Permission
from application.ports import Rendering, SectionSource
from application.tasks import (
    cluster_name_key,
    delete_when_at_rest,
    queue_change_if_wanted,
    queue_installation_if_wanted,
    queue_task,
)
from application.unique_values import claim_unique_values
from application.work import Work
from application.workspaces import enter
from domain.cluster_settings import ClusterSettings, Settings
from domain.cluster_templates import ClusterTemplate, TemplateVersion
from domain.clusters import Cluster, Configuration, RenderError
from domain.input_parameters import absent_values, parse_parameters, validate_values
from domain.installation import masters_of
from domain.model import Fault, Invalid, NotFound
from domain.secrets import Secret
from domain.values import ClusterName, ConnectionHost, OperationKind

handlers = Handlers()


class CreateCluster(WorkspaceCommand, permission=Permission.WRITE_CLUSTERS):
    """Declare a cluster; whether it is installed too, its workspace says where `install` does not.

    What does not render yet is installed once it does.
    """

    name: ClusterName
    cluster_template_id: UUID | None = None
    cluster_template_version_id: UUID
    registry_id: UUID | None = None
    values: dict[str, Any] = {}
    install: bool | None = None


class ChangeCluster(WorkspaceCommand, permission=Permission.WRITE_CLUSTERS):
    """Declare it anew, as a whole; a password given as the mask stays as it is."""

    cluster_id: UUID
    current_revision: int | None = None
    name: ClusterName
    cluster_template_version_id: UUID
    cluster_template_id: UUID | None = None
    registry_id: UUID | None = None
    values: dict[str, Any] = {}


class ChangeClusterSettings(WorkspaceCommand, permission=Permission.WRITE_CLUSTERS):
    cluster_id: UUID
    settings: Settings


class ClusterCommand(WorkspaceCommand):
    cluster_id: UUID


class InstallCluster(ClusterCommand, permission=Permission.WRITE_CLUSTERS):
    pass


class ApplyChanges(ClusterCommand, permission=Permission.WRITE_CLUSTERS):
    pass


class CheckCluster(ClusterCommand, permission=Permission.WRITE_CLUSTERS):
    pass


class DeleteCluster(ClusterCommand, permission=Permission.WRITE_CLUSTERS):
    """Destroy what was installed, then archive; `forget` archives and touches nothing.

    A task that runs ends first, one that waits is cancelled.
    """

    forget: bool = False


class ForgetHostKey(ClusterCommand, permission=Permission.WRITE_CLUSTERS):
    host: str
    port: int = 22


@handlers.register
async def create_cluster(command: CreateCluster, work: Work) -> UUID:
    workspace = await enter(work, command.workspace_id)
    cluster_id = work.new_id()
    configuration, version = await _configuration(command, work, previous=None)
    keys = await work.world.key_pairs.generate(f"quarterdeck {command.name}")
    work.claim(cluster_name_key(command.workspace_id, command.name), cluster_id)
    await claim_unique_values(work, cluster_id, configuration, before=None)
    settings = Settings(
        change_mode=workspace.settings.change_mode, check_interval=workspace.settings.check_interval
    )
    await work.create(
        ClusterSettings,
        ClusterSettings.id_of(cluster_id),
        ClusterSettings.create(cluster_id, settings),
    )
    await work.create(
        Cluster,
        cluster_id,
        Cluster.create(
            workspace_id=command.workspace_id,
            name=command.name,
            configuration=configuration,
            registry_id=command.registry_id,
            ssh_public_key=keys.public,
            ssh_private_key=keys.private,
            install=workspace.settings.install_on_create
            if command.install is None
            else command.install,
        ),
    )
    await _render(work, cluster_id, version, private_key=keys.private)
    await queue_installation_if_wanted(work, cluster_id)
    return cluster_id


@handlers.register
async def change_cluster(command: ChangeCluster, work: Work) -> UUID:
    cluster = await cluster_of(work, command.workspace_id, command.cluster_id)
    cluster.must_be_at(command.current_revision)
    configuration, version = await _configuration(command, work, previous=cluster)
    if command.name != cluster.name:
        work.release(cluster_name_key(command.workspace_id, cluster.name))
        work.claim(cluster_name_key(command.workspace_id, command.name), command.cluster_id)
    await claim_unique_values(work, command.cluster_id, configuration, cluster.configuration)
    await work.change(Cluster, command.cluster_id, lambda c: c.rename(command.name))
    await work.change(Cluster, command.cluster_id, lambda c: c.choose_registry(command.registry_id))
    changed = await work.change(Cluster, command.cluster_id, lambda c: c.configure(configuration))
    if changed.configuration != cluster.configuration or not changed.rendering:
        await _render(work, command.cluster_id, version)
        await queue_installation_if_wanted(work, command.cluster_id)
        await queue_change_if_wanted(work, command.cluster_id)
    return command.cluster_id


@handlers.register
async def change_cluster_settings(command: ChangeClusterSettings, work: Work) -> UUID:
    cluster = await cluster_of(work, command.workspace_id, command.cluster_id)
    cluster.must_stay()
    await work.change(
        ClusterSettings,
        ClusterSettings.id_of(command.cluster_id),
        lambda s: s.change(command.settings),
    )
    await queue_change_if_wanted(work, command.cluster_id)
    return command.cluster_id


@handlers.register
async def install_cluster(command: InstallCluster, work: Work) -> UUID:
    await cluster_of(work, command.workspace_id, command.cluster_id)
    return await queue_task(work, command.cluster_id, OperationKind.INSTALL)


@handlers.register
async def apply_changes(command: ApplyChanges, work: Work) -> UUID:
    await cluster_of(work, command.workspace_id, command.cluster_id)
    return await queue_task(work, command.cluster_id, OperationKind.CHANGE)


@handlers.register
async def check_cluster(command: CheckCluster, work: Work) -> UUID:
    await cluster_of(work, command.workspace_id, command.cluster_id)
    return await queue_task(work, command.cluster_id, OperationKind.CHECK)


@handlers.register
async def delete_cluster(command: DeleteCluster, work: Work) -> UUID:
    cluster = await cluster_of(work, command.workspace_id, command.cluster_id)
    is_under_way = cluster.is_leaving and cluster.deletion is None
    if cluster.archived_at is None and not is_under_way:
        await delete_when_at_rest(work, command.cluster_id, forget=command.forget)
    return command.cluster_id


@handlers.register
async def forget_host_key(command: ForgetHostKey, work: Work) -> UUID:
    await cluster_of(work, command.workspace_id, command.cluster_id)
    await work.change(
        Cluster, command.cluster_id, lambda c: c.forget_host_key(command.host, command.port)
    )
    return command.cluster_id


async def cluster_of(work: Work, workspace_id: UUID, cluster_id: UUID) -> Cluster:
    """The cluster, if it is of this workspace. Raises NotFound."""
    await enter(work, workspace_id)
    cluster = await work.get(Cluster, cluster_id)
    if cluster.workspace_id != workspace_id:
        raise NotFound(f"There is no cluster {cluster_id}.")
    return cluster


async def _configuration(
    command: CreateCluster | ChangeCluster, work: Work, *, previous: Cluster | None
) -> tuple[Configuration, TemplateVersion]:
    """What is declared, checked against the parameters of its template's version."""
    template_id = await _template_id(command, work, previous)
    template = await work.get(ClusterTemplate, template_id)
    if template.workspace_id != command.workspace_id:
        raise _no_version(command.cluster_template_version_id)
    before = previous.configuration if previous else None
    if before and before.template_version_id == command.cluster_template_version_id:
        version = template.version(command.cluster_template_version_id)
    else:
        version = template.usable_version(command.cluster_template_version_id)
    values = validate_values(
        parse_parameters(list(version.params)),
        command.values,
        before.values if before else None,
        frozenset(before.secret_values) if before else frozenset(),
    )
    kept = {k: v for k, v in (before.secret_values if before else {}).items() if k in values.kept}
    return (
        Configuration(
            template_id=template_id,
            template_version_id=version.id,
            values=values.plain,
            secret_values={**kept, **values.secret},
        ),
        version,
    )


async def _template_id(
    command: CreateCluster | ChangeCluster, work: Work, previous: Cluster | None
) -> UUID:
    """The template of a version: named, that of before, or found through the version's claim."""
    if command.cluster_template_id is not None:
        return command.cluster_template_id
    if previous and await _has(
        work, previous.configuration.template_id, command.cluster_template_version_id
    ):
        return previous.configuration.template_id
    holder = await work.world.store.holder(version_key(command.cluster_template_version_id))
    if holder is None:
        raise _no_version(command.cluster_template_version_id)
    return holder


async def _has(work: Work, template_id: UUID, version_id: UUID) -> bool:
    template = await work.get(ClusterTemplate, template_id)
    return any(version.id == version_id for version in template.versions)


def _no_version(version_id: UUID) -> Invalid:
    pointer = "/cluster_template_version_id"
    return Invalid([Fault(pointer=pointer, detail=f"There is no template version {version_id}.")])


async def _render(
    work: Work, cluster_id: UUID, version: TemplateVersion, *, private_key: str | None = None
) -> None:
    """Render what is declared; a text that comes out as before is no new rendering."""
    cluster = await work.get(Cluster, cluster_id)
    rendering = await render(work, cluster_id, cluster, version, private_key=private_key)
    if rendering.faults:
        errors = tuple(
            RenderError(section=f.section, detail=f.detail, line=f.line, column=f.column)
            for f in rendering.faults
        )
        await work.change(Cluster, cluster_id, lambda c: c.fail_to_render(errors, rendering.engine))
    elif not await _is_same(work, cluster, rendering.texts):
        sections = {
            name: await work.document(text, cluster_id) for name, text in rendering.texts.items()
        }
        masters = await _masters(work, cluster_id, cluster, rendering)
        await work.change(
            Cluster, cluster_id, lambda c: c.render(sections, rendering.engine, masters)
        )


async def render(
    work: Work,
    cluster_id: UUID,
    cluster: Cluster,
    version: TemplateVersion,
    *,
    private_key: str | None = None,
) -> Rendering:
    """What the version's sections give with the cluster's values."""
    vault, documents = work.world.vault, work.world.documents
    declared = cluster.configuration
    given = declared.values.keys() | declared.secret_values.keys()
    opened_key = private_key or await vault.open(cluster_id, cluster.ssh_private_key)
    values = {
        **absent_values(parse_parameters(list(version.params)), given),
        **declared.values,
        **{k: Secret(await vault.open(cluster_id, s)) for k, s in declared.secret_values.items()},
        "dc_sshPublicKey": cluster.ssh_public_key,
        "dc_sshPrivateKey": Secret(opened_key),
        "dc_clusterUUID": str(cluster_id),
        "dc_domain": work.world.domain,
        "dc_caBundle": "",
    }
    sources = [
        SectionSource(s.name, await documents.read(s.source), is_yaml=s.format == "yaml")
        for s in version.sections
    ]
    return await work.world.renderer.render(sources, values, tenant=cluster.workspace_id)


async def _masters(
    work: Work, cluster_id: UUID, cluster: Cluster, rendering: Rendering
) -> tuple[ConnectionHost, ...]:
    """The hosts, which are told in the clear; one in which a secret stands is not told."""
    sealed = cluster.configuration.secret_values.values()
    secrets = [await work.world.vault.open(cluster_id, secret) for secret in sealed]
    return tuple(
        master
        for master in masters_of(rendering.documents)
        if not any(secret in f"{master.user}@{master.host}" for secret in secrets if secret)
    )


async def _is_same(work: Work, cluster: Cluster, texts: Mapping[str, str]) -> bool:
    if cluster.render_errors or set(texts) != set(cluster.sections):
        return False
    for name, ref in cluster.sections.items():
        if await work.world.documents.read(ref) != texts[name]:
            return False
    return True
