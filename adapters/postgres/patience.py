"""An event that cannot be shown is tried again, then parked, so that all others go on."""

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg_pool import AsyncConnectionPool

from adapters.postgres.feeding import (
    PASSES,
    CannotRead,
    Connection,
    Feed,
    Overtaken,
    one_by_one,
    write,
    write_parked,
)
from application.ports import Page

NOT_THE_EVENTS_FAULT = (Overtaken, psycopg.ProgrammingError, *PASSES)
REASON_CHARACTERS = 500
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """How often an event is tried, and how long the pauses are: each twice the one before."""

    tries: int = 5
    first_pause_seconds: float = 0.1

    def pauses(self) -> Iterator[float]:
        for n in range(self.tries):
            yield 0.0 if n == 0 else self.first_pause_seconds * 2 ** (n - 1)


async def write_patiently(
    pool: AsyncConnectionPool[Connection], feed: Feed, page: Page, patience: Patience
) -> None:
    """Bring a feed past a page, event by event, parking what cannot be shown.

    Raises Overtaken or a driver's error when it is not an event's fault.
    """
    if not feed.fresh(page):
        async with pool.connection() as connection:
            await write(connection, [feed], page)
        return
    for single in one_by_one(feed, page):
        await _write_one(pool, feed, single, patience)


async def _write_one(
    pool: AsyncConnectionPool[Connection], feed: Feed, page: Page, patience: Patience
) -> None:
    tries, reason = 0, ""
    for pause in patience.pauses():
        await asyncio.sleep(pause)
        tries += 1
        try:
            async with pool.connection() as connection:
                return await write(connection, [feed], page)
        except NOT_THE_EVENTS_FAULT:
            raise
        except CannotRead as error:
            reason = describe(error)
            break
        except Exception as error:
            # A rule may raise anything at all.
            reason = describe(error)
    logger.error("%s cannot show position %s: %s", feed.name, page.upto, reason)
    async with pool.connection() as connection:
        await write_parked(connection, feed, page, reason, tries)


def describe(error: BaseException) -> str:
    """Why, in one line; a driver's error loses its context, which may hold values."""
    first: Any = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {first[0]}"[:REASON_CHARACTERS]
