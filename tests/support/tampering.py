"""Ways to change a log behind its back, and the position at which that must be noticed."""

import random
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import psycopg

Connection = psycopg.AsyncConnection[Any]
Tampering = Callable[[Connection, random.Random], Awaitable[set[int]]]
"""Changes something; the positions of which verification must name one."""

EVENT_COLUMNS = {
    "originator_id": "uuid_send(originator_id)",
    "originator_version": "int8send(originator_version)",
    "notification_id": "int8send(notification_id)",
    "topic": "convert_to(topic, 'UTF8')",
    "state": "state",
    "metadata": "metadata",
    "recorded_at": "timestamptz_send(recorded_at)",
    "leaf_hash": "leaf_hash",
}
WRITTEN_BACK = {
    "originator_id": "encode(%s, 'hex')::uuid",
    "originator_version": "('x' || encode(%s, 'hex'))::bit(64)::bigint",
    "notification_id": "('x' || encode(%s, 'hex'))::bit(64)::bigint",
    "topic": "convert_from(%s, 'UTF8')",
    "recorded_at": "timestamptz '2000-01-01 00:00+00'"
    " + ('x' || encode(%s, 'hex'))::bit(64)::bigint * interval '1 microsecond'",
    "size": "('x' || encode(%s, 'hex'))::bit(64)::bigint",
}


async def one(connection: Connection, sql: str, *parameters: Any) -> Any:
    """The first column of the first row."""
    row = await (await connection.execute(sql.encode(), parameters)).fetchone()
    assert row is not None
    return row[0]


async def do(connection: Connection, sql: str, *parameters: Any) -> None:
    await connection.execute(sql.encode(), parameters)


async def some_position(connection: Connection, chance: random.Random) -> int:
    return chance.randint(1, await one(connection, "select position from log.head"))


def flipped(value: bytes, chance: random.Random) -> bytes:
    bit = chance.randrange(len(value) * 8)
    changed = bytearray(value)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


async def flip_a_bit_of_an_event(connection: Connection, chance: random.Random) -> set[int]:
    column = chance.choice(list(EVENT_COLUMNS))
    position = await some_position(connection, chance)
    value = await one(
        connection,
        f"select {EVENT_COLUMNS[column]} from log.stored_events where notification_id = %s",
        position,
    )
    await do(
        connection,
        f"update log.stored_events set {column} = {WRITTEN_BACK.get(column, '%s')}"
        " where notification_id = %s",
        flipped(value, chance),
        position,
    )
    least = await one(connection, "select min(notification_id) from log.stored_events")
    return {least} if least < 1 else {position}


async def delete_an_event(connection: Connection, chance: random.Random) -> set[int]:
    position = await some_position(connection, chance)
    await do(connection, "delete from log.stored_events where notification_id = %s", position)
    return {position}


async def cut_off_the_tail(connection: Connection, chance: random.Random) -> set[int]:
    position = await some_position(connection, chance)
    await do(connection, "delete from log.stored_events where notification_id >= %s", position)
    return {position}


async def exchange_two_events(connection: Connection, chance: random.Random) -> set[int]:
    one_, other = await some_position(connection, chance), await some_position(connection, chance)
    if one_ == other:
        return await exchange_two_events(connection, chance)
    move = "update log.stored_events set notification_id = %s where notification_id = %s"
    await do(connection, move, 0, one_)
    await do(connection, move, one_, other)
    await do(connection, move, other, 0)
    return {min(one_, other)}


async def insert_an_event(connection: Connection, chance: random.Random) -> set[int]:
    """A good one by all that it says of itself, where none was written."""
    head = await one(connection, "select position from log.head")
    position = chance.choice([head + 1, head + 2, 0, -1, -(2**62)])
    await do(
        connection,
        "insert into log.stored_events"
        " select originator_id, (select max(o.originator_version) from log.stored_events o"
        "                        where o.originator_id = e.originator_id) + 1,"
        "        topic, state, %s, recorded_at, metadata, leaf_hash"
        " from log.stored_events e where notification_id = %s",
        position,
        await some_position(connection, chance),
    )
    return {min(position, head + 1)}


async def append_an_event_that_proves_itself(
    connection: Connection, chance: random.Random
) -> set[int]:
    """By somebody who knows how leaves are made, but not that the log counts them."""
    head = await one(connection, "select position from log.head")
    await do(
        connection,
        "select log.append_one(%s, 1, 'sign_in_link.used', %s, '{}', 1)",
        UUID(bytes=chance.randbytes(16)),
        b'{"session_id":"00000000-0000-0000-0000-000000000001"}',
    )
    await do(
        connection,
        "update log.head set position = %s, recorded_at = (select recorded_at"
        " from log.stored_events where notification_id = %s)",
        head,
        head,
    )
    return {head + 1}


async def move_the_head(connection: Connection, chance: random.Random) -> set[int]:
    head = await one(connection, "select position from log.head")
    to = chance.choice([n for n in range(head + 4) if n != head])
    await do(connection, "update log.head set position = %s", to)
    return {min(head, to) + 1} if to else {1}


async def turn_the_clock(connection: Connection, chance: random.Random) -> set[int]:
    step = chance.choice([-1, 1]) * chance.randint(1, 10**9)
    await do(
        connection,
        "update log.head set recorded_at = recorded_at + %s * interval '1 microsecond'",
        step,
    )
    return {await one(connection, "select position from log.head")}


async def change_a_document(connection: Connection, chance: random.Random) -> set[int]:
    column = chance.choice(["digest", "size", "body"])
    digest = await some_document(connection, chance)
    position = await first_reference(connection, digest)
    read = "int8send(size)" if column == "size" else column
    value = await one(connection, f"select {read} from log.documents where digest = %s", digest)
    await do(
        connection,
        f"update log.documents set {column} = {WRITTEN_BACK.get(column, '%s')} where digest = %s",
        flipped(value, chance),
        digest,
    )
    return {position}


async def delete_a_document(connection: Connection, chance: random.Random) -> set[int]:
    digest = await some_document(connection, chance)
    position = await first_reference(connection, digest)
    await do(connection, "delete from log.documents where digest = %s", digest)
    return {position}


async def some_document(connection: Connection, chance: random.Random) -> bytes:
    count = await one(connection, "select count(*) from log.documents")
    digest: bytes = await one(
        connection,
        "select digest from log.documents order by digest limit 1 offset %s",
        chance.randrange(count),
    )
    return digest


async def first_reference(connection: Connection, digest: bytes) -> int:
    position: int = await one(
        connection,
        "select min(notification_id) from log.stored_events"
        " where position(convert_to(encode(%s, 'hex'), 'UTF8') in state) > 0",
        digest,
    )
    return position


TAMPERINGS: list[Tampering] = [
    *[flip_a_bit_of_an_event] * 8,
    delete_an_event,
    cut_off_the_tail,
    exchange_two_events,
    insert_an_event,
    append_an_event_that_proves_itself,
    move_the_head,
    turn_the_clock,
    change_a_document,
    change_a_document,
    delete_a_document,
]
