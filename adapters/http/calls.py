"""A call is one request on its way through a route: who asks, for what, about which workspace."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from starlette.requests import Request

from adapters.http.authentication import context_of
from adapters.http.edge import Edge, NotYet
from adapters.http.executing import execute
from adapters.http.parameters import Reading
from adapters.http.problems import BadRequest
from application.commands import Command, Outcome
from application.permissions import Principal
from application.work import Context
from domain.model import Fault, NotFound
from projections.reader import Reader, Shown

SHOWN_SECONDS = 2.0
"""How long the answer to a command waits for the read models."""
ASKED_SECONDS = 10.0
"""How long a query waits for the position that it was asked for, or for the past to be built."""


@dataclass(slots=True)
class Call:
    """`path` holds the ids of the address by name; `parameters` what stood behind the `?`."""

    edge: Edge
    request: Request
    principal: Principal
    path: Mapping[str, UUID]
    parameters: Any
    workspace_id: UUID | None = None

    @property
    def context(self) -> Context:
        return context_of(self.request, self.principal)

    @property
    def workspace(self) -> UUID:
        """The workspace of a route that is always within one."""
        assert self.workspace_id is not None
        return self.workspace_id

    async def execute(self, command: Command) -> Outcome:
        """Carry out a command; one that found it so already stands at the log's head."""
        outcome = await execute(self.edge, command, self.context)
        if outcome.position:
            return outcome
        return outcome._replace(position=await self.edge.log.head())

    async def reader_of(self, outcome: Outcome) -> Reader:
        """A reader that shows what the command did. Raises NotYet."""
        return await self._reader(None, outcome.position, SHOWN_SECONDS)

    async def reader(self) -> Reader:
        """A reader of now or of `?at=`, once `?after=` is shown. Raises NotYet."""
        reading = self.parameters
        assert isinstance(reading, Reading)
        self.must_have_come(reading.at)
        await self.must_stand(reading.after, "?after")
        return await self._reader(reading.at, reading.after, ASKED_SECONDS)

    def must_have_come(self, at: datetime | None) -> None:
        """Raise BadRequest for an instant to come."""
        if at is not None and at > self.edge.clock.now():
            detail = "This instant has not come yet."
            raise BadRequest(f"?at: {detail}", faults=[Fault(pointer="?at", detail=detail)])

    async def must_stand(self, position: int | None, pointer: str) -> None:
        """Raise BadRequest for a position that the log has not come to."""
        if position is not None and position > await self.edge.log.head():
            detail = "Nothing stands at this position yet."
            raise BadRequest(f"{pointer}: {detail}", faults=[Fault(pointer=pointer, detail=detail)])

    async def at_head(self) -> "Call | None":
        """This call once everything is shown; None when it is about the past or was so already."""
        reading = self.parameters
        if not isinstance(reading, Reading) or reading.at is not None:
            return None
        head = await self.edge.log.head()
        if reading.after == head:
            return None
        return replace(self, parameters=reading.model_copy(update={"after": head}))

    async def _reader(self, at: datetime | None, after: int | None, seconds: float) -> Reader:
        try:
            async with asyncio.timeout(seconds):
                return await self.edge.reads.reader(
                    at=at, after=after, tenant=self.principal.tenant
                )
        except TimeoutError:
            raise NotYet(after or 0) from None


def found(row: Shown | None, what: str, id_: UUID) -> Shown:
    """The row. Raises NotFound when there is none, or none for the one who asks."""
    if row is None:
        raise NotFound(f"There is no {what} {id_}.")
    return row
