"""Commands on tasks: people cancel them, managers claim them and tell how they go."""

from collections.abc import Mapping
from uuid import UUID

from application.cluster_templates import archive_number
from application.commands import Command, Handlers, WorkspaceCommand
from application.permissions import Permission
from application.unique_values import release_unique_values
from application.work import Work
from application.workspaces import enter
from domain.cluster_settings import ClusterSettings
from domain.clusters import Cluster, Deletion
from domain.model import NotFound
from domain.secrets import Secret
from domain.tasks import Task, TaskPhaseEnded, TaskStatus
from domain.values import ChangeMode, OperationKind

handlers = Handlers()


class CancelTask(WorkspaceCommand, permission=Permission.WRITE_TASKS):
    task_id: UUID


class ManagerCommand(Command):
    """What a manager says of a task that it has claimed."""

    task_id: UUID
    manager: str


class ClaimTask(ManagerCommand, permission=Permission.RUN_TASKS):
    """Take a task that waits, or one whose manager is gone."""


class StartPhase(ManagerCommand, permission=Permission.RUN_TASKS):
    phase: str
    critical: bool
    phases: tuple[str, ...]


class EndPhase(ManagerCommand, permission=Permission.RUN_TASKS):
    """`state` is base64 by name; it is sealed with the cluster's key."""

    phase: str
    skipped: bool
    next_phase: str | None
    next_phase_critical: bool
    state: Mapping[str, Secret]


class BeginPhaseAnew(ManagerCommand, permission=Permission.RUN_TASKS):
    """The host has lost the traces of the task: may its phase be begun there anew?"""

    phase: str


class PinHostKey(ManagerCommand, permission=Permission.RUN_TASKS):
    host: str
    port: int
    key: str
    fingerprint: str


class SucceedTask(ManagerCommand, permission=Permission.RUN_TASKS):
    """`in_sync` and `detail` tell what a check found."""

    in_sync: bool = True
    detail: str = ""


class FailTask(ManagerCommand, permission=Permission.RUN_TASKS):
    reason: str


class EndCancelledTask(ManagerCommand, permission=Permission.RUN_TASKS):
    pass


class LoseTask(ManagerCommand, permission=Permission.RUN_TASKS):
    reason: str


@handlers.register
async def cancel_task(command: CancelTask, work: Work) -> UUID:
    await enter(work, command.workspace_id)
    task = await work.get(Task, command.task_id)
    if task.workspace_id != command.workspace_id:
        raise NotFound(f"There is no task {command.task_id}.")
    await _cancel(work, command.task_id)
    return command.task_id


@handlers.register
async def claim_task(command: ClaimTask, work: Work) -> UUID:
    before = await _entered(work, command.task_id)
    await work.change(Task, command.task_id, lambda t: t.claim(command.manager))
    if before.attempt == 0:
        await work.change(
            Cluster, before.cluster_id, lambda c: c.start(before.kind, command.task_id)
        )
    return command.task_id


@handlers.register
async def start_phase(command: StartPhase, work: Work) -> None:
    await _entered(work, command.task_id)
    await work.change(
        Task,
        command.task_id,
        lambda t: t.start_phase(
            command.manager, command.phase, command.phases, critical=command.critical
        ),
    )


@handlers.register
async def end_phase(command: EndPhase, work: Work) -> None:
    await _entered(work, command.task_id)
    ended = TaskPhaseEnded(
        phase=command.phase,
        skipped=command.skipped,
        next_phase=command.next_phase,
        next_phase_critical=command.next_phase_critical,
        state=dict(command.state),
    )
    await work.change(Task, command.task_id, lambda t: t.end_phase(command.manager, ended))


@handlers.register
async def begin_phase_anew(command: BeginPhaseAnew, work: Work) -> None:
    await _entered(work, command.task_id)
    await work.change(
        Task, command.task_id, lambda t: t.lose_traces(command.manager, command.phase)
    )


@handlers.register
async def pin_host_key(command: PinHostKey, work: Work) -> None:
    task = await _entered(work, command.task_id)
    task.must_be_run_by(command.manager)
    await work.change(
        Cluster,
        task.cluster_id,
        lambda c: c.pin_host_key(command.host, command.port, command.key, command.fingerprint),
    )


@handlers.register
async def succeed_task(command: SucceedTask, work: Work) -> None:
    task = await _entered(work, command.task_id)
    await work.change(Task, command.task_id, lambda t: t.succeed(command.manager, command.detail))
    match task.kind:
        case OperationKind.CHECK:
            await _checked(command, task, work)
        case OperationKind.DELETE:
            await archive_cluster(work, task.cluster_id, command.task_id)
        case _:
            await _keep_state(work, command.task_id, task)
            await _applied(command, task, work)


@handlers.register
async def fail_task(command: FailTask, work: Work) -> None:
    task = await _entered(work, command.task_id)
    await work.change(Task, command.task_id, lambda t: t.fail(command.manager, command.reason))
    await _keep_state(work, command.task_id, task)
    await _fail_cluster(work, command.task_id, task, command.reason)


@handlers.register
async def end_cancelled_task(command: EndCancelledTask, work: Work) -> None:
    task = await _entered(work, command.task_id)
    await work.change(Task, command.task_id, lambda t: t.cancel(command.manager))
    await _keep_state(work, command.task_id, task)
    await _fail_cluster(work, command.task_id, task, "Cancelled while it ran.")


@handlers.register
async def lose_task(command: LoseTask, work: Work) -> None:
    task = await _entered(work, command.task_id)
    await work.change(Task, command.task_id, lambda t: t.lose(command.manager, command.reason))
    await _keep_state(work, command.task_id, task)
    await _fail_cluster(work, command.task_id, task, command.reason, lost=True)


async def queue_task(work: Work, cluster_id: UUID, kind: OperationKind) -> UUID:
    """Ask the cluster for an operation and queue the task that will do it."""
    task_id = work.new_id()
    cluster = await work.change(Cluster, cluster_id, lambda c: c.request(kind, task_id))
    await work.create(
        Task,
        task_id,
        Task.queue(
            workspace_id=cluster.workspace_id,
            cluster_id=cluster_id,
            cluster_name=cluster.name,
            kind=kind,
            rendering=cluster.rendering_for(kind),
            sections=cluster.sections_for(kind),
            state=await _opened(work, cluster_id, cluster.installer_state),
        ),
    )
    return task_id


async def _opened(work: Work, stream_id: UUID, state: Mapping[str, Secret]) -> Mapping[str, Secret]:
    """Secrets of one stream, open, to be sealed for another: a sealed one cannot be moved."""
    return {name: Secret(await work.world.vault.open(stream_id, s)) for name, s in state.items()}


async def _keep_state(work: Work, task_id: UUID, task: Task) -> None:
    """What the installer saved in this task is what the cluster's next one begins with."""
    if task.done:
        state = await _opened(work, task_id, task.state)
        await work.change(Cluster, task.cluster_id, lambda c: c.save_state(task_id, state))


async def delete_when_at_rest(work: Work, cluster_id: UUID, *, forget: bool) -> None:
    """Delete the cluster, at once or when the task that runs is over; one that waits never begins.

    What was never installed is only archived.
    """
    cluster = await work.get(Cluster, cluster_id)
    if cluster.task_id is not None:
        task = await work.get(Task, cluster.task_id)
        if task.status is TaskStatus.RUNNING:
            await work.change(Cluster, cluster_id, lambda c: c.want_deletion(forget=forget))
            return
        await _cancel(work, cluster.task_id)
    await _begin_deletion(work, cluster_id, forget=forget)


async def _begin_deletion(work: Work, cluster_id: UUID, *, forget: bool) -> None:
    cluster = await work.get(Cluster, cluster_id)
    if forget or not cluster.was_created:
        await archive_cluster(work, cluster_id)
    else:
        await queue_task(work, cluster_id, OperationKind.DELETE)


async def archive_cluster(work: Work, cluster_id: UUID, task_id: UUID | None = None) -> None:
    """Put the cluster into the archive and give back its name and what it alone has."""
    cluster = await work.get(Cluster, cluster_id)
    if cluster.archived_at is None:
        work.release(cluster_name_key(cluster.workspace_id, cluster.name))
        await release_unique_values(work, cluster.configuration)
    await work.change(
        Cluster, cluster_id, lambda c: c.archive(work.now, archive_number(work.now), task_id)
    )


def cluster_name_key(workspace_id: UUID, name: str) -> str:
    return f"cluster:{workspace_id}:{name}"


async def settings_of(work: Work, cluster_id: UUID) -> ClusterSettings:
    return await work.get(ClusterSettings, ClusterSettings.id_of(cluster_id))


async def queue_change_if_wanted(work: Work, cluster_id: UUID) -> None:
    """In automatic mode a change that waits is applied as soon as nothing else is at work."""
    cluster = await work.get(Cluster, cluster_id)
    if not cluster.has_pending_changes or cluster.task_id is not None or not cluster.applied:
        return
    settings = await settings_of(work, cluster_id)
    if settings.settings.change_mode is ChangeMode.AUTO:
        await queue_task(work, cluster_id, OperationKind.CHANGE)


async def queue_installation_if_wanted(work: Work, cluster_id: UUID) -> None:
    """A cluster that is to be installed without being asked again is, once it renders."""
    cluster = await work.get(Cluster, cluster_id)
    if cluster.awaits_installation:
        await queue_task(work, cluster_id, OperationKind.INSTALL)


async def _go_on(work: Work, cluster_id: UUID) -> None:
    """After a task went well: what waits for it, a deletion before a change."""
    if not await _deletion_has_begun(work, cluster_id):
        await queue_change_if_wanted(work, cluster_id)


async def _deletion_has_begun(work: Work, cluster_id: UUID) -> bool:
    """Begin the deletion that waited for the end of a task, if one did."""
    wanted = (await work.get(Cluster, cluster_id)).deletion
    if wanted is not None:
        await _begin_deletion(work, cluster_id, forget=wanted is Deletion.FORGET)
    return wanted is not None


async def _cancel(work: Work, task_id: UUID) -> None:
    """Cancel a task: one that waits is over at once."""
    task = await work.change(Task, task_id, lambda t: t.request_cancel())
    if task.status.is_over:
        await _fail_cluster(work, task_id, task, "Cancelled before it began.")


async def _entered(work: Work, task_id: UUID) -> Task:
    task = await work.get(Task, task_id)
    await enter(work, task.workspace_id)
    return task


async def _applied(command: SucceedTask, task: Task, work: Work) -> None:
    await work.change(
        Cluster,
        task.cluster_id,
        lambda c: c.apply(task.kind, command.task_id, task.rendering, task.sections),
    )
    await _go_on(work, task.cluster_id)


async def _checked(command: SucceedTask, task: Task, work: Work) -> None:
    await work.change(
        Cluster,
        task.cluster_id,
        lambda c: c.check(command.task_id, command.detail, in_sync=command.in_sync),
    )
    await _go_on(work, task.cluster_id)


async def _fail_cluster(
    work: Work, task_id: UUID, task: Task, reason: str, *, lost: bool = False
) -> None:
    await work.change(
        Cluster, task.cluster_id, lambda c: c.fail(task.kind, task_id, reason, lost=lost)
    )
    await _deletion_has_begun(work, task.cluster_id)
