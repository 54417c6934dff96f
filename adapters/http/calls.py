"""A call is one request on its way through a route: who asks, for what, about which workspace."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from starlette.requests import Request

from adapters.http.authentication import context_of
from adapters.http.edge import Edge
from adapters.http.parameters import Reading
from adapters.http.problems import BadRequest
from application.commands import Command, Context, Outcome
from application.permissions import Principal
from domain.model import Fault, NotFound
from projections.reader import Reader, Shown


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
        return await self.edge.bus.execute(command, self.context)

    async def reader(self) -> Reader:
        """A reader of now or of `?at=`, once `?after=` is shown."""
        reading = self.parameters
        assert isinstance(reading, Reading)
        if reading.at is not None and reading.at > self.edge.clock.now():
            detail = "This instant has not come yet."
            raise BadRequest(f"?at: {detail}", faults=[Fault(pointer="?at", detail=detail)])
        return await self.edge.reads.reader(at=reading.at, after=reading.after)


def found(row: Shown | None, what: str, id_: UUID) -> Shown:
    """The row. Raises NotFound when there is none, or none for the one who asks."""
    if row is None:
        raise NotFound(f"There is no {what} {id_}.")
    return row
