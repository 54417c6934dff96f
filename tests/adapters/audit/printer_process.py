"""A printer as a process of its own, to be killed; told the database and the form of the lines."""

import asyncio
import sys
from typing import cast
from zoneinfo import ZoneInfo

from adapters.audit.output import standard_output
from adapters.audit.printer import AuditPrinter
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.leadership import lead_and_work
from adapters.postgres.marks import PostgresMarks
from adapters.postgres.sessions import open_pool
from adapters.postgres.stream import LogStream
from domain.audit import Form


async def main(dsn: str, form: str) -> None:
    output = standard_output()
    assert output is not None
    async with (
        PostgresEventStore(dsn) as store,
        open_pool(dsn, name="audit", size=1) as pool,
    ):
        printer = AuditPrinter(
            LogStream(dsn, store.mapper.recorded),
            store,
            PostgresMarks(pool, "audit"),
            output,
            zone=ZoneInfo("Europe/Moscow"),
            form=cast(Form, form),
        )
        await lead_and_work(dsn, "audit", printer.run)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
