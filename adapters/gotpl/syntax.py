"""What a template is made of once it has been read. Places are where Go has them, in characters."""

from dataclasses import dataclass, field


@dataclass(slots=True, frozen=True)
class Nil:
    at: int


@dataclass(slots=True, frozen=True)
class Dot:
    at: int


@dataclass(slots=True, frozen=True)
class Boolean:
    at: int
    value: bool


@dataclass(slots=True, frozen=True)
class Text:
    """A string in quotes of any kind."""

    at: int
    value: str


@dataclass(slots=True, frozen=True)
class Number:
    """A number is whatever its place wants: each form is None where it cannot be that."""

    at: int
    source: str
    whole: int | None = None
    real: float | None = None
    complete: complex | None = None
    is_too_large: bool = False
    is_written_as_real: bool = False


Constant = Boolean | Text | Number


@dataclass(slots=True, frozen=True)
class Function:
    at: int
    name: str


@dataclass(slots=True, frozen=True)
class Field:
    """`.a.b`"""

    at: int
    path: tuple[str, ...]


@dataclass(slots=True, frozen=True)
class Variable:
    """`$x.a.b`"""

    at: int
    name: str
    path: tuple[str, ...] = ()


@dataclass(slots=True, frozen=True)
class Chain:
    """`(pipeline).a.b`"""

    at: int
    inner: "Operand"
    path: tuple[str, ...]


@dataclass(slots=True, frozen=True)
class Command:
    at: int
    operands: "tuple[Operand, ...]"


@dataclass(slots=True, frozen=True)
class Pipeline:
    """`$declared := command | command`"""

    at: int
    declared: tuple[str, ...]
    is_assignment: bool
    commands: tuple[Command, ...]


Operand = Nil | Dot | Constant | Function | Field | Variable | Chain | Pipeline


@dataclass(slots=True, frozen=True)
class Literal:
    """What stands between the actions."""

    at: int
    text: str


@dataclass(slots=True, frozen=True)
class Action:
    at: int
    pipeline: Pipeline


@dataclass(slots=True, frozen=True)
class Branch:
    """`if` and `with`: the second makes its value the dot."""

    at: int
    pipeline: Pipeline
    body: "tuple[Node, ...]"
    otherwise: "tuple[Node, ...]"
    is_with: bool


@dataclass(slots=True, frozen=True)
class Range:
    at: int
    pipeline: Pipeline
    body: "tuple[Node, ...]"
    otherwise: "tuple[Node, ...]"


@dataclass(slots=True, frozen=True)
class Break:
    at: int


@dataclass(slots=True, frozen=True)
class Continue:
    at: int


@dataclass(slots=True, frozen=True)
class Call:
    """`template`, and the place where a `block` stands."""

    at: int
    name: str
    pipeline: Pipeline | None


Node = Literal | Action | Branch | Range | Break | Continue | Call


@dataclass(slots=True, frozen=True)
class Template:
    """A source that was read, and the templates it defines."""

    source: str
    body: tuple[Node, ...]
    defined: dict[str, tuple[Node, ...]] = field(default_factory=dict)
