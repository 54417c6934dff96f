"""Tasks over the API: what was asked of a cluster, how far it is, and its log."""

from typing import Annotated
from uuid import UUID

import orjson
from pydantic import Field
from starlette.types import ASGIApp

from adapters.http import answers
from adapters.http.answers import Answer
from adapters.http.api.shapes import tasks as shapes
from adapters.http.calls import Call, found
from adapters.http.parameters import Instant, InWorkspace, Paging, Reading
from adapters.http.routing import Route, Within, changed, command, id_of, query
from application.commands import Outcome
from application.permissions import Permission
from application.ports import TaskLogLine
from application.tasks import CancelTask
from domain.model import NotFound
from domain.tasks import Task, TaskStatus
from domain.values import OperationKind
from projections.reader import Page, Shown, rfc3339
from projections.tasks import task, tasks_where

AT = "/api/v1/tasks"
NDJSON = "application/x-ndjson"


class TaskList(Reading, InWorkspace, Paging):
    cluster_id: UUID | None = None
    status: TaskStatus | None = None
    kind: OperationKind | None = None


class OneTask(Reading, InWorkspace):
    """Where a task is read from and as of when."""


class TaskLog(InWorkspace):
    at: Instant | None = Field(None, description="Show what had been said at this instant.")
    after: Annotated[int, Field(ge=0, le=2**31)] = Field(0, description="Number of the last line.")
    limit: Annotated[int, Field(ge=1, le=10_000)] = 1000


async def list_tasks(call: Call) -> Page:
    """The tasks of a workspace, newest first."""
    wanted = call.parameters
    return await tasks_where(
        await call.reader(),
        workspace_id=call.workspace,
        cluster_id=wanted.cluster_id,
        statuses=[wanted.status] if wanted.status else [],
        kinds=[wanted.kind] if wanted.kind else [],
        limit=wanted.limit,
        cursor=wanted.cursor,
    )


async def read_task(call: Call) -> Shown:
    """One task, phase by phase."""
    id_ = call.path["task_id"]
    return found(await task(await call.reader(), call.workspace, id_), "task", id_)


async def read_log(call: Call) -> Answer:
    """Lines of a task's log, from the one after `after`; as an array or as JSON lines."""
    id_ = call.path["task_id"]
    _, state = await call.edge.cache.load(Task, id_)
    if not isinstance(state, Task) or state.workspace_id != call.workspace:
        raise NotFound(f"There is no task {id_}.")
    wanted = call.parameters
    call.must_have_come(wanted.at)
    logs, limit = call.edge.task_logs, wanted.limit
    if wanted.at is not None:
        limit = max(0, min(limit, await logs.last_number(id_, wanted.at) - wanted.after))
    lines = await logs.read(id_, wanted.after, limit)
    shown = [_line(line) for line in lines]
    if NDJSON in call.request.headers.get("accept", ""):
        body = b"".join(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE) for line in shown)
        return Answer(200, body, NDJSON.encode())
    return answers.json(shown)


async def queued(call: Call, outcome: Outcome) -> ASGIApp:
    """The answer to a command that queued a task: the task, to be followed at its address."""
    return await answered(call, outcome, id_of(outcome), 202)


async def was_cancelled(call: Call, outcome: Outcome) -> ASGIApp:
    return await answered(call, outcome, call.path["task_id"], 202)


async def answered(call: Call, outcome: Outcome, id_: UUID, status: int) -> ASGIApp:
    reader = await call.reader_of(outcome)
    row = found(await task(reader, call.workspace, id_), "task", id_)
    return changed(outcome, row, status, f"{AT}/{id_}")


def _line(line: TaskLogLine) -> Shown:
    return {
        "number": line.number,
        "at": rfc3339(line.at),
        "phase": line.phase,
        "stream": line.stream,
        "text": line.text,
    }


ROUTES: tuple[Route, ...] = (
    query(
        "/tasks",
        list_tasks,
        Permission.READ_TASKS,
        shows=list[shapes.Task],
        within=Within.ONE,
        parameters=TaskList,
    ),
    query(
        "/tasks/{task_id}",
        read_task,
        Permission.READ_TASKS,
        shows=shapes.Task,
        within=Within.ONE,
        of=Task,
        parameters=OneTask,
        is_tagged=True,
    ),
    query(
        "/tasks/{task_id}/log",
        read_log,
        Permission.READ_TASKS,
        shows=list[shapes.LogLine],
        within=Within.ONE,
        of=Task,
        parameters=TaskLog,
        media_types=("application/json", NDJSON),
    ),
    command(
        "POST",
        "/tasks/{task_id}/cancel",
        CancelTask,
        was_cancelled,
        shows=shapes.Task,
        statuses={202: "It is stopped as soon as it can be."},
        within=Within.ONE,
        of=Task,
    ),
)
