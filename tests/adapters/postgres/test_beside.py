"""Claims, remembered commands and snapshots are what the log says, or each fault has its name."""

import asyncio
from dataclasses import dataclass
from typing import Any, LiteralString
from uuid import UUID, uuid4

import psycopg
import pytest

from adapters.postgres.beside import Beside, verify_beside
from adapters.postgres.event_store import PostgresEventStore
from application.ports import Append, Claim, CommandRecord, StreamAppend
from application.state_cache import snapshot_topic
from application.workspaces import slug_key
from domain.users import User
from domain.workspaces import Workspace, WorkspaceCreated, WorkspaceRenamed

KINDS = [Workspace, User]


@dataclass
class Written:
    """A log of three workspaces, each made by a command and with a snapshot."""

    dsn: str
    workspaces: list[UUID]

    async def verify(self) -> Beside:
        return await asyncio.to_thread(verify_beside, self.dsn, KINDS)

    def change(self, sql: LiteralString, *parameters: Any) -> None:
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            changed = connection.execute(sql, parameters)
            assert changed.rowcount == 1


@pytest.fixture
async def written(log_database: str) -> Written:
    workspaces = []
    async with PostgresEventStore(log_database) as store:
        for n in range(3):
            workspace_id, slug = uuid4(), f"w{n}"
            made = WorkspaceCreated(name=f"W{n}", slug=slug)
            renamed = WorkspaceRenamed(name=f"V{n}", previous_name=f"W{n}")
            await store.append(
                Append(
                    [StreamAppend(workspace_id, 0, [made, renamed])],
                    {"command_id": f"c{n}", "workspace": slug},
                    claims=[Claim(slug_key(slug), workspace_id)],
                    command=CommandRecord(f"c{n}", b"asked", b"{}"),
                )
            )
            state = Workspace.evolve(Workspace.evolve(None, made), renamed)
            topic, body = snapshot_topic(Workspace), state.model_dump_json().encode()
            await store.save_snapshot(workspace_id, 2, topic, body)
            workspaces.append(workspace_id)
        nothing = CommandRecord("nothing", b"asked", b"{}")
        await store.append(Append([], {"command_id": "nothing"}, command=nothing))
    return Written(log_database, workspaces)


async def test_what_nobody_touched_is_what_the_log_says(written: Written) -> None:
    assert await written.verify() == Beside(3, 4, 3, [])


async def test_an_empty_log_has_nothing_beside_it(log_database: str) -> None:
    assert await asyncio.to_thread(verify_beside, log_database, KINDS) == Beside(0, 0, 0, [])


async def test_each_claim_that_differs_is_named(written: Written) -> None:
    one, two, _ = written.workspaces
    written.change("delete from log.claims where key = 'workspace:w0'")
    written.change("update log.claims set holder = %s where key = 'workspace:w1'", one)
    written.change("insert into log.claims values ('workspace:mine', %s, 1)", two)
    assert (await written.verify()).differences == [
        f"claim workspace:mine: {two} has it, but not by the log",
        f"claim workspace:w0: nobody has it, but by the log {one} does",
        f"claim workspace:w1: {one} has it, but by the log {two} does",
    ]


async def test_each_command_that_differs_is_named(written: Written) -> None:
    written.change("delete from log.commands where command_id = 'c0'")
    written.change("update log.commands set position = 3 where command_id = 'c1'")
    written.change(
        "update log.commands set recorded_at = recorded_at - interval '1 h' where command_id = 'c2'"
    )
    written.change("insert into log.commands values ('made up', '', '', 2, now())")
    assert (await written.verify()).differences == [
        "command c0: it is not remembered, but took effect at position 2",
        "command c1: it is remembered at position 3 instead of 4",
        "command c2: it is remembered with another time than its event's",
        "command made up: it is remembered at position 2, which is not its own",
    ]


async def test_each_snapshot_that_differs_is_named(written: Written) -> None:
    one, two, three = sorted(written.workspaces, key=lambda w: w.bytes)
    change = "update log.snapshots set state = %s where originator_id = %s"
    written.change(change, b'{"not": "a workspace"}', one)
    written.change("update log.snapshots set originator_version = 9 where originator_id = %s", two)
    topic = snapshot_topic(User)
    written.change("update log.snapshots set topic = %s where originator_id = %s", topic, three)
    told = (await written.verify()).differences
    assert told == [
        f"snapshot of Workspace {one} at version 2: it is not what its events make",
        f"snapshot of Workspace {two} at version 9: its stream has only 2 events",
        f"snapshot of User {three} at version 2: its stream is of another kind",
    ]


async def test_a_snapshot_of_an_older_form_is_never_read_and_let_be(written: Written) -> None:
    for workspace_id in written.workspaces:
        written.change(
            "update log.snapshots set topic = 'snapshot.Workspace.0.old', state = 'x'"
            " where originator_id = %s",
            workspace_id,
        )
    assert (await written.verify()).differences == []
