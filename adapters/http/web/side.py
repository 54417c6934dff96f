"""The numbers that stand beside the words of the side, on every page and as they change."""

from uuid import UUID

from projections.cluster_list import ClusterFilter, count_by_status
from projections.reader import Reader, Shown
from projections.tasks import count_by_task_status


async def side_counts(reader: Reader, workspace: Shown | None) -> tuple[int, int]:
    """A workspace's clusters outside the archive, and its tasks that are not over."""
    if workspace is None:
        return 0, 0
    workspace_id = UUID(workspace["id"])
    living = ClusterFilter(workspace_id=workspace_id, without_archived=True)
    clusters = sum((await count_by_status(reader, living)).values())
    tasks = await count_by_task_status(reader, workspace_id=workspace_id)
    return clusters, tasks.get("queued", 0) + tasks.get("running", 0)
