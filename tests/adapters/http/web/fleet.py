"""A small fleet with one cluster in each state, and tasks that were told how they went."""

from typing import Any
from uuid import UUID

from application.cluster_templates import ChangeClusterTemplate
from application.clusters import ChangeCluster, CreateCluster, InstallCluster
from application.ports import LogLine
from application.tasks import (
    ClaimTask,
    EndPhase,
    FailTask,
    PinHostKey,
    StartPhase,
    SucceedTask,
)
from application.workspaces import CreateWorkspace
from domain.cluster_templates import ClusterTemplate
from domain.clusters import Cluster
from domain.secrets import Secret
from domain.values import ChangeMode
from domain.workspaces import WorkspaceSettings
from projections.cluster_list import ClusterFilter, clusters_where
from projections.cluster_templates import templates_of
from projections.workspaces import workspace_called
from tests.adapters.http.web.house import House

EXAMPLE = "/workspaces/example"
"""The address of the workspace that is filled."""
MANAGER = "hub-a"
PHASES = ("connect", "look-around", "prepare-node", "start-workers", "greet")
STATE = {"progress": Secret("eA==")}
PEOPLE = ("Mira Okafor", "Asel Nurlanova", "Henrik Dahl")


async def fill(house: House) -> UUID:
    """The example's workspace with some clusters more; its id."""
    workspace_id = await house.example()
    await house.do(
        CreateWorkspace(
            name="Payments EU",
            slug="payments-eu",
            settings=WorkspaceSettings(change_mode=ChangeMode.MANUAL),
        )
    )
    template_id, version_id = await template_of(house)
    names = ("pay-prod-fra-1", "pay-prod-ams-1", "store-oslo-014", "lake-hel-2", "train-kiruna-1")
    made = [
        await create(house, workspace_id, template_id, version_id, name, PEOPLE[n % 3])
        for n, name in enumerate(names)
    ]
    await install(house, workspace_id, made[0])
    await install(house, workspace_id, made[1])
    await change(house, workspace_id, made[1], greeting="Hello again")
    await fail(house, workspace_id, made[2])
    await begin(house, workspace_id, made[3])
    await another_version(house, workspace_id, template_id)
    await house.shown()
    return workspace_id


async def clusters_of(house: House) -> dict[str, str]:
    """The ids of all clusters by their names."""
    found = await clusters_where(await house.reads.reader(), ClusterFilter())
    return {row["name"]: row["id"] for row in found.rows}


async def home_of(house: House, name: str) -> str:
    """The address of a cluster's first page."""
    return f"{EXAMPLE}/clusters/{(await clusters_of(house))[name]}"


async def template_of(house: House) -> tuple[UUID, UUID]:
    """The example's template and its first version, which the clusters have."""
    reader = await house.reads.reader()
    workspace = await workspace_called(reader, EXAMPLE.rsplit("/", 1)[1])
    assert workspace is not None
    (template,) = await templates_of(reader, UUID(workspace["id"]))
    first, *_ = template["cluster_template_versions"]
    return UUID(template["id"]), UUID(first["id"])


async def create(
    house: House, workspace_id: UUID, template_id: UUID, version_id: UUID, name: str, who: str
) -> UUID:
    command = CreateCluster(
        workspace_id=workspace_id,
        name=name,
        cluster_template_id=template_id,
        cluster_template_version_id=version_id,
        values={"sshPort": 2222, "greeting": f"Hello from {name}", "workers": 2},
    )
    return UUID(str((await house.do(command, who=who)).result))


async def begin(house: House, workspace_id: UUID, cluster_id: UUID) -> UUID:
    """A task that runs, in its fourth phase."""
    queued = await house.do(InstallCluster(workspace_id=workspace_id, cluster_id=cluster_id))
    task_id = UUID(str(queued.result))
    await run(house, task_id, PHASES[:3])
    await start(house, task_id, "start-workers")
    lines = [LogLine("start-workers", f"worker-{n}: starting", offset=n * 20) for n in range(1, 9)]
    await house.hub.task_logs.write(task_id, lines)
    return task_id


async def run(house: House, task_id: UUID, phases: tuple[str, ...]) -> None:
    await house.manage(ClaimTask(task_id=task_id, manager=MANAGER))
    for phase in phases:
        await start(house, task_id, phase)
        note = LogLine(phase, f"Phase {phase} begins", "note")
        await house.hub.task_logs.write(task_id, [note, LogLine(phase, "done", offset=10)])
        await end(house, task_id, phase, skipped=phase == "look-around", state=STATE)


async def start(house: House, task_id: UUID, phase: str) -> None:
    await house.manage(
        StartPhase(
            task_id=task_id,
            manager=MANAGER,
            phase=phase,
            critical=phase == "start-workers",
            phases=PHASES,
        )
    )


async def end(house: House, task_id: UUID, phase: str, **outcome: Any) -> None:
    place = PHASES.index(phase) + 1
    told = {"skipped": False, "state": {}, **outcome}
    await house.manage(
        EndPhase(
            task_id=task_id,
            manager=MANAGER,
            phase=phase,
            next_phase=PHASES[place] if place < len(PHASES) else None,
            next_phase_critical=False,
            **told,
        )
    )


async def install(house: House, workspace_id: UUID, cluster_id: UUID) -> None:
    queued = await house.do(InstallCluster(workspace_id=workspace_id, cluster_id=cluster_id))
    task_id = UUID(str(queued.result))
    await house.manage(ClaimTask(task_id=task_id, manager=MANAGER))
    await house.manage(
        PinHostKey(
            task_id=task_id,
            manager=MANAGER,
            host="127.0.0.1",
            port=2222,
            key="ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHhlbGxv",
            fingerprint="SHA256:pYw5e0mB8dpFnXn1qgTgNQ9o3Xq8w2yQhT7v6m1c4Zk",
        )
    )
    for phase in PHASES:
        await start(house, task_id, phase)
        await end(house, task_id, phase)
    await house.manage(SucceedTask(task_id=task_id, manager=MANAGER))


async def change(house: House, workspace_id: UUID, cluster_id: UUID, **values: object) -> None:
    """Declare other values; the change that follows at once is left to wait."""
    _, cluster = await house.hub.cache.load(Cluster, cluster_id)
    assert isinstance(cluster, Cluster)
    await house.do(
        ChangeCluster(
            workspace_id=workspace_id,
            cluster_id=cluster_id,
            name=cluster.name,
            cluster_template_version_id=cluster.configuration.template_version_id,
            values={**cluster.configuration.values, **values},
        ),
        who="Asel Nurlanova",
    )


async def fail(house: House, workspace_id: UUID, cluster_id: UUID) -> None:
    queued = await house.do(InstallCluster(workspace_id=workspace_id, cluster_id=cluster_id))
    task_id = UUID(str(queued.result))
    await run(house, task_id, PHASES[:2])
    await start(house, task_id, "prepare-node")
    reason = "Phase prepare-node: mkdir: cannot create directory: No space left on device."
    await house.manage(FailTask(task_id=task_id, manager=MANAGER, reason=reason))


async def another_version(house: House, workspace_id: UUID, template_id: UUID) -> None:
    _, template = await house.hub.cache.load(ClusterTemplate, template_id)
    assert isinstance(template, ClusterTemplate)
    assert template.current is not None
    params = [dict(param) for param in template.current.params]
    params[-1] = {**params[-1], "max": 9}
    await house.do(
        ChangeClusterTemplate(
            workspace_id=workspace_id,
            cluster_template_id=template_id,
            version_comment="Up to nine workers",
            params=tuple(params),
        ),
        who="Henrik Dahl",
    )
