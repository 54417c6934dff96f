"""The words every aggregate is written in: values, events, refusals, and the envelope of a fact."""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import Any, ClassVar, Literal, Self, TypedDict
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict

from domain.secrets import Secret, contains_secret, map_secrets

State = Mapping[str, Any]
Upcaster = Callable[[dict[str, Any]], dict[str, Any]]


class Value(BaseModel):
    """A frozen value; an unknown field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


_set = object.__setattr__


class Action(StrEnum):
    """What an audit line says was done, in the product's own words."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class Audited(Value):
    """What the audit tells of an event: values on create, `[old, new]` on update."""

    auditable_type: str
    action: Action
    audited_changes: dict[str, Any]


class Event(Value):
    """A fact in the past tense, stored for ever under a topic of its own.

    Subclasses name their topic and may name older topics whose stored form they read:

        class ClusterRenamed(Event, topic="cluster.renamed"): ...
    """

    topics: ClassVar[dict[str, type["Event"]]] = {}
    upcasters: ClassVar[dict[str, Upcaster]] = {}
    topic: ClassVar[str] = ""
    holds_secrets: ClassVar[bool] = False

    def __init_subclass__(cls, **_: Any) -> None:
        super().__init_subclass__()

    @classmethod
    def __pydantic_init_subclass__(
        cls, topic: str = "", upcasts: Mapping[str, Upcaster] | None = None, **_: Any
    ) -> None:
        if not topic:
            return
        cls.topic = topic
        cls.holds_secrets = any(contains_secret(f.annotation) for f in cls.model_fields.values())
        for name in (topic, *(upcasts or {})):
            if name in Event.topics:
                raise TypeError(f"topic {name!r} is taken by {Event.topics[name].__name__}")
            Event.topics[name] = cls
        Event.upcasters.update(upcasts or {})

    def audited(self) -> Audited | None:
        """What the audit says of this event; None when it is not an act on a record."""
        return None

    def with_secrets(self, change: Callable[[str, Secret], Secret]) -> Self:
        """This event with each secret replaced by `change(field path, secret)`."""
        return map_secrets(self, change) if self.holds_secrets else self


class Actor(Value):
    """Who did it; `type` is None for Quarterdeck itself."""

    type: Literal["User", "AuthToken"] | None = None
    id: UUID | None = None
    name: str | None = None

    @property
    def known(self) -> dict[str, object]:
        """The actor as an Envelope names it."""
        return self.model_dump(exclude_none=True)


SYSTEM = Actor()


class Envelope(TypedDict, total=False):
    """What is known of the Metadata of facts that are to be written. It is no model, because every
    command makes one and nobody reads it."""

    workspace_id: UUID
    workspace: str
    actor: dict[str, object]
    remote_address: str
    request_id: str
    pid: int
    correlation_id: UUID
    causation_id: UUID
    command_id: str
    traceparent: str


class Metadata(Value):
    """Who, from where, and why: everything around a fact that is not the fact."""

    workspace_id: UUID | None = None
    workspace: str | None = None
    actor: Actor = SYSTEM
    remote_address: str | None = None
    request_id: str | None = None
    pid: int | None = None
    correlation_id: UUID | None = None
    causation_id: UUID | None = None
    command_id: str | None = None
    traceparent: str | None = None


class Recorded:
    """An event in its envelope: where in the log it stands, since when, and who caused it."""

    __slots__ = (
        "_metadata",
        "event",
        "metadata_json",
        "position",
        "recorded_at",
        "stream_id",
        "version",
    )

    def __init__(
        self,
        event: Event,
        stream_id: UUID,
        version: int,
        position: int,
        recorded_at: datetime,
        metadata_json: bytes,
    ) -> None:
        self.event = event
        self.stream_id = stream_id
        self.version = version
        self.position = position
        self.recorded_at = recorded_at
        self.metadata_json = metadata_json
        self._metadata: Metadata | None = None

    @property
    def metadata(self) -> Metadata:
        """The envelope, decoded when first asked for: most readers never ask."""
        if self._metadata is None:
            self._metadata = Metadata.model_validate_json(self.metadata_json)
        return self._metadata

    @property
    def event_id(self) -> UUID:
        return event_id(self.stream_id, self.version)

    def __repr__(self) -> str:
        return f"Recorded({self.position}, {self.stream_id}@{self.version}, {self.event.topic})"


def event_id(stream_id: UUID, version: int) -> UUID:
    """The id of the event at that place: the same wherever it is computed."""
    return uuid5(stream_id, str(version))


class Aggregate(Value):
    """The state that decisions are taken on: the fold of one stream.

    Decisions are methods that yield events or raise a Refusal. `evolve` never refuses.
    """

    evolution: ClassVar[int] = 1
    """Raise it when `evolve` makes other states of the same events, so that no snapshot is used."""

    @classmethod
    @abstractmethod
    def evolve(cls, state: Self | None, event: Event) -> Self:
        """The state after the event; OutOfOrder when it cannot follow."""

    @classmethod
    def fold(cls, events: Iterable[Event], state: Self | None = None) -> Self | None:
        for event in events:
            state = cls.evolve(state, event)
        return state

    def after(self, **changes: Any) -> Self:
        """This state with some fields changed, taken as they are: evolution is not the place to
        refuse. It is model_copy without its generality, because every command comes here."""
        state = type(self).__new__(type(self))
        _set(state, "__dict__", {**self.__dict__, **changes})
        _set(state, "__pydantic_fields_set__", self.__pydantic_fields_set__)
        _set(state, "__pydantic_extra__", None)
        _set(state, "__pydantic_private__", None)
        return state


class OutOfOrder(TypeError):
    """An event that cannot follow the state before it: a defect, never a refusal."""

    def __init__(self, state: object, event: Event) -> None:
        super().__init__(f"{event.topic} cannot follow {type(state).__name__}")


class Refusal(Exception):
    """A decision's no, with a sentence for people; `code` is the word for programs.

    `pointer` is the JSON pointer (RFC 6901) of the field at fault in the request's body.
    """

    code: ClassVar[str] = "refused"

    def __init__(self, detail: str, *, pointer: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.pointer = pointer

    def __init_subclass__(cls, code: str = "", **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.code = code or cls.code


class NotFound(Refusal, code="not_found"):
    """There is no such thing, or not for the one who asks."""


class Taken(Refusal, code="taken"):
    """A name or a key that must be unique belongs to another."""


class Fault(Value):
    """One wrong field: the JSON pointer of it and the sentence about it."""

    pointer: str
    detail: str


MAX_FAULTS = 50
"""How many wrong fields one refusal names: who has mended these asks again."""


class Invalid(Refusal, code="invalid"):
    """The payload breaks its rules; wrong fields are named, the first fifty of them.

    `more_faults` is how many others there are; `more` of them are known without being given.
    """

    def __init__(self, faults: Iterable[Fault], more: int = 0) -> None:
        given = iter(faults)
        self.faults = tuple(islice(given, MAX_FAULTS))
        self.more_faults = more + sum(1 for _ in given)
        super().__init__("; ".join(f"{f.pointer}: {f.detail}" for f in self.faults))


class RevisionConflict(Refusal, code="revision_conflict"):
    """Someone changed it since it was read."""
