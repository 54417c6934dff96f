"""Commands are carried out for whoever came in over HTTP, and counted."""

from time import perf_counter

from adapters.http.edge import Edge
from application.commands import Command, Outcome
from application.work import Context
from domain.model import Refusal


async def execute(edge: Edge, command: Command, context: Context) -> Outcome:
    """What CommandBus.execute gives and raises."""
    begun, came_to = perf_counter(), "failed"
    try:
        outcome = await edge.bus.execute(command, context)
        came_to = "repeated" if outcome.is_repeated else "done"
        return outcome
    except Refusal as refusal:
        came_to = refusal.code
        raise
    finally:
        edge.measures.executed(type(command).__name__, came_to, perf_counter() - begun)
