"""The one way to change anything: authorise, load, decide, append, and try again on a conflict."""

import inspect
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from functools import cache
from typing import Any, ClassVar, NamedTuple, TypeVar, get_type_hints
from uuid import UUID

from pydantic import TypeAdapter
from pydantic_core import to_json

from application.permissions import Permission
from application.ports import (
    AppendConflict,
    ClaimTaken,
    CommandRecord,
    CommandSeen,
)
from application.state_cache import StateCache
from application.work import Context, Work, World
from domain.model import Refusal, Taken, Value

TRIES = 4


class Command(Value):
    """What someone wants done; the permission it needs stands on its class."""

    permission: ClassVar[Permission]
    secret_fields: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def __pydantic_init_subclass__(cls, permission: Permission | None = None, **_: Any) -> None:
        if permission is not None:
            cls.permission = permission

    def __init_subclass__(cls, **_: Any) -> None:
        super().__init_subclass__()


class WorkspaceCommand(Command):
    """A command inside one workspace."""

    workspace_id: UUID


class ChangedMeanwhile(Refusal, code="conflict"):
    """Others kept changing the same thing; nothing was done."""


class KeyReused(Refusal, code="idempotency_key_reused"):
    """The Idempotency-Key came with another request before."""


class _PerhapsStale(Exception):
    """Nothing is to be done, going by states of which nobody knows whether they are the newest."""


class ShownOnce(Value):
    """A result that holds a word to be seen once: what is remembered of it leaves the word out."""

    @abstractmethod
    def without_word(self) -> "ShownOnce":
        """What may be remembered of it."""


class ShownWord(str):
    """A result that is itself a word to be seen once: nothing is remembered of it."""

    __slots__ = ()


class Outcome(NamedTuple):
    """What came of a command: its result, and the position from which reads show it.

    `recorded_at` is None when nothing was appended now.
    """

    result: Any
    position: int
    is_repeated: bool = False
    recorded_at: datetime | None = None


C = TypeVar("C", bound=Command)
Handler = Callable[[C, Work], Awaitable[Any]]


class Handlers:
    """The handlers of a module, registered by the type of their first argument."""

    def __init__(self) -> None:
        self.by_command: dict[type[Command], Handler[Any]] = {}

    def register(self, handler: Handler[C]) -> Handler[C]:
        command = get_type_hints(handler)[next(iter(inspect.signature(handler).parameters))]
        if command in self.by_command:
            raise TypeError(f"{command.__name__} has a handler already")
        self.by_command[command] = handler
        return handler


class CommandBus:
    """Executes commands: the only place that authorises, repeats and appends."""

    def __init__(self, world: World, cache: StateCache, handlers: Iterable[Handlers]) -> None:
        self.world = world
        self.cache = cache
        self.conflicts = 0
        """How often an append met a stream that had moved on, and the command began again."""
        self._handlers = {c: h for group in handlers for c, h in group.by_command.items()}

    @property
    def commands(self) -> Iterable[type[Command]]:
        return self._handlers.keys()

    async def execute(self, command: Command, context: Context) -> Outcome:
        """Carry out a command.

        Raises a Refusal, Overloaded or Unavailable; nothing was changed then.
        """
        context.principal.must(command.permission, command.__dict__.get("workspace_id"))
        for _ in range(TRIES):
            work = Work(self.world, self.cache, context)
            try:
                return await self._once(command, work)
            except AppendConflict:
                self.conflicts += 1
            except _PerhapsStale:
                pass
            except (CommandSeen, Refusal):
                # A repeated command meets what it did itself: its append is seen, or it is refused.
                earlier = await self._earlier(command, context)
                if earlier is not None:
                    return earlier
                if work.is_fresh:
                    raise
            work.forget()
        raise ChangedMeanwhile("Others kept changing the same thing. Nothing was done; try again.")

    async def _once(self, command: Command, work: Work) -> Outcome:
        """One try. Only an append proves that what it was decided on is still so: a no, and a
        "nothing to do", are said of what was read just now."""
        result = await self._handlers[type(command)](command, work)
        named = work.context.command_id
        if work.is_empty:
            if not work.is_fresh or work.is_overtaken:
                raise _PerhapsStale
            if named is None:
                return Outcome(result, 0)
        record = None if named is None else await self._record(command, named, result)
        if work.is_overtaken:
            raise AppendConflict
        try:
            position, recorded_at = await self.world.store.append(work.append(record))
        except ClaimTaken as taken:
            raise _taken(taken) from taken
        work.remember()
        return Outcome(result, position, False, recorded_at)

    async def _earlier(self, command: Command, context: Context) -> Outcome | None:
        """What came of the command of this id, if it took effect before."""
        if context.command_id is None:
            return None
        earlier = await self.world.store.outcome(context.command_id)
        if earlier is None:
            return None
        if earlier.fingerprint != await self._fingerprint(command):
            raise KeyReused("This Idempotency-Key was used for another request.")
        result = _result_of(self._handlers[type(command)]).validate_json(earlier.result)
        return Outcome(result, earlier.position, is_repeated=True)

    async def _record(self, command: Command, command_id: str, result: Any) -> CommandRecord:
        return CommandRecord(command_id, await self._fingerprint(command), to_json(_kept(result)))

    async def _fingerprint(self, command: Command) -> bytes:
        """What was asked, told apart from anything else; passwords in it cannot be guessed."""
        shown = to_json(command, serialize_unknown=True, fallback=repr)
        return await self.world.vault.fingerprint(type(command).__name__.encode() + b"\0" + shown)


CLAIMED_FIELDS = {"workspace": "slug"}


def _taken(claim: ClaimTaken) -> Taken:
    kind, *_, name = claim.key.split(":", 2)
    if kind == "cluster_value":
        field, _, _ = name.partition("=")
        return Taken(
            f"{field} must be unique, and cluster {claim.holder} has this value.",
            pointer=f"/values/{field}",
        )
    return Taken(
        f"The name {name} is taken: {kind.replace('_', ' ')} {claim.holder} has it.",
        pointer=f"/{CLAIMED_FIELDS.get(kind, 'name')}",
    )


def _kept(result: Any) -> Any:
    match result:
        case ShownOnce():
            return result.without_word()
        case ShownWord():
            return ""
    return result


@cache
def _result_of(handler: Handler[Any]) -> TypeAdapter[Any]:
    """Reads what is remembered of a handler's result."""
    return TypeAdapter(get_type_hints(handler)["return"])
