"""A run of a template, step by step as Go takes them, so that a mistake is found at the same place.

Go remembers the part of the source that it looked at last, and an error is there. So does a run: a
`Place` is moved by each step, and can be asked at any time, also from outside.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from adapters.gotpl.builtins import Refusal
from adapters.gotpl.kinds import NOTHING, is_nothing, is_true, is_whole, type_of
from adapters.gotpl.methods import method_of
from adapters.gotpl.page import Page, Place
from adapters.gotpl.printing import plain
from adapters.gotpl.signatures import ACCEPTED, TAKES_NIL, Signature
from adapters.gotpl.syntax import (
    Action,
    Boolean,
    Branch,
    Break,
    Call,
    Chain,
    Command,
    Continue,
    Dot,
    Field,
    Function,
    Literal,
    Nil,
    Node,
    Number,
    Operand,
    Pipeline,
    Range,
    Template,
    Text,
    Variable,
)

_ABSENT = object()
"""There is nothing before the pipe."""

_SPOKEN = {
    **{"string": "string", "bool": "boolean", "int": "whole number", "uint32": "whole number"},
    **{"float": "number", "map": "map", "time": "time", "version": "version"},
}


class ExecutionFault(Exception):
    """The template cannot go on; the place tells where it was."""


class FunctionFault(ExecutionFault):
    """A function failed; the cause is its own exception."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class Given(dict[str, Any]):
    """The values a template sees. A name that was given without a value is nothing, not unknown."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__({name: value for name, value in values.items() if value is not None})
        self.names = frozenset(values)


class UnknownValue(ExecutionFault):
    """A map does not have the name."""

    def __init__(self, name: str, names: frozenset[str] | None) -> None:
        super().__init__(name)
        self.name = name
        self.names = names


class _Leave(Exception):
    """`break`"""


class _Next(Exception):
    """`continue`"""


class Run:
    """One template; its functions are given, and one is its own: `include`."""

    def __init__(
        self,
        template: Template,
        functions: Mapping[str, Signature],
        place: Place,
        *,
        output_bytes: int,
        deepest: int,
    ) -> None:
        self.functions = {**functions, "include": Signature(("string", "any"), None, self._include)}
        self.place = place
        self._template = template
        self._output_bytes = output_bytes
        self._deepest = deepest
        self._depth = 0

    def page(self, values: Mapping[str, Any]) -> Page:
        """What the template gives. Raises ExecutionFault."""
        page = self._new_page()
        _Frame(self, page, Given(values)).walk(self._template.body)
        return page

    def body(self, name: str) -> tuple[Node, ...]:
        """Of a template that the source defines, and that may still be called."""
        body = self._template.defined.get(name)
        if body is None:
            raise ExecutionFault(f"there is no template {name}")
        if self._depth >= self._deepest:
            raise ExecutionFault(f"templates call each other more than {self._deepest} levels deep")
        return body

    def call(self, body: tuple[Node, ...], page: Page, dot: Any) -> None:
        self._depth += 1
        _Frame(self, page, dot).walk(body)
        self._depth -= 1

    def _include(self, name: str, dot: Any) -> str:
        try:
            body = self.body(name)
        except ExecutionFault as fault:
            raise Refusal(str(fault)) from None
        page = self._new_page()
        self.call(body, page, dot)
        return page.text

    def _new_page(self) -> Page:
        return Page(self.place, self._template.source, self._output_bytes)


class _Frame:
    """One template being run: its dot, its variables and where its text goes."""

    def __init__(self, run: Run, page: Page, dot: Any) -> None:
        self._run = run
        self._place = run.place
        self._page = page
        self._dot = dot
        self._variables: list[tuple[str, Any]] = [("$", dot)]

    # What stands where.

    def walk(self, nodes: tuple[Node, ...]) -> None:
        place = self._place
        for node in nodes:
            place.position = node.at
            match node:
                case Literal():
                    self._page.write(node.text)
                case Action():
                    value = self._pipeline(node.pipeline)
                    if not node.pipeline.declared:
                        place.position = node.at
                        self._write(value)
                case Branch():
                    self._branch(node)
                case Range():
                    self._range(node)
                case Call():
                    self._call(node)
                case Break():
                    raise _Leave
                case Continue():
                    raise _Next

    def _write(self, value: Any) -> None:
        if value is NOTHING:
            raise ExecutionFault(
                "this has no value: put it between {{ if }} and {{ end }}, or give it a default"
            )
        self._page.write(plain(value))

    def _branch(self, node: Branch) -> None:
        outside, dot = len(self._variables), self._dot
        value = self._pipeline(node.pipeline)
        if is_true(value):
            self._dot = value if node.is_with else dot
            self.walk(node.body)
            self._dot = dot
        else:
            self.walk(node.otherwise)
        del self._variables[outside:]

    def _call(self, node: Call) -> None:
        body = self._run.body(node.name)
        dot = NOTHING if node.pipeline is None else self._pipeline(node.pipeline)
        self._run.call(body, self._page, dot)

    def _range(self, node: Range) -> None:
        outside, dot = len(self._variables), self._dot
        value = self._pipeline(node.pipeline)
        inside = len(self._variables)
        is_empty = True
        try:
            for key, item in self._items(value, len(node.pipeline.declared)):
                is_empty = False
                self._bind(node.pipeline, inside, key, item)
                self._dot = item
                with suppress(_Next):
                    self.walk(node.body)
                del self._variables[inside:]
        except _Leave:
            is_empty = False
        self._dot = dot
        if is_empty:
            self.walk(node.otherwise)
        del self._variables[outside:]

    def _items(self, value: Any, declared: int) -> Iterable[tuple[Any, Any]]:
        if isinstance(value, list | tuple):
            return enumerate(value)
        if isinstance(value, Mapping):
            return [(key, value[key]) for key in sorted(value, key=str)]
        if is_whole(value):
            if declared > 1:
                raise ExecutionFault("a range over a number has one variable")
            return ((type(value)(count), type(value)(count)) for count in range(value))
        if is_nothing(value):
            return ()
        raise ExecutionFault(f"there is no range over a value of type {type_of(value)}")

    def _bind(self, pipeline: Pipeline, inside: int, key: Any, item: Any) -> None:
        names = pipeline.declared
        values = (item,) if len(names) == 1 else (key, item)
        for place, name in enumerate(names):
            if pipeline.is_assignment:
                self._assign(name, values[place])
            else:
                self._variables[inside - len(names) + place] = (name, values[place])

    # Pipelines and commands.

    def _pipeline(self, pipeline: Pipeline) -> Any:
        self._place.position = pipeline.at
        value: Any = _ABSENT
        for command in pipeline.commands:
            value = self._command(command, value)
            if value is None:
                value = NOTHING
        for name in pipeline.declared:
            if pipeline.is_assignment:
                self._assign(name, value)
            else:
                self._variables.append((name, value))
        return value

    def _command(self, command: Command, piped: Any) -> Any:
        operands = command.operands
        first = operands[0]
        match first:
            case Function():
                self._place.position = first.at
                return self._function(first.name, command.at, operands[1:], piped)
            case Field():
                self._place.position = first.at
                return self._path(self._dot, first.path, first.at, operands[1:], piped)
            case Variable():
                self._place.position = first.at
                value = self._variable(first.name)
                if first.path:
                    return self._path(value, first.path, first.at, operands[1:], piped)
                self._require_alone(operands, piped)
                return value
            case Chain():
                self._place.position = first.at
                value = self._inner(first)
                return self._path(value, first.path, first.at, operands[1:], piped)
            case Pipeline():
                self._require_alone(operands, piped)
                return self._pipeline(first)
        self._place.position = first.at
        self._require_alone(operands, piped)
        if isinstance(first, Nil):
            raise ExecutionFault("nil is not a command")
        return self._dot if isinstance(first, Dot) else self._constant(first)

    def _require_alone(self, operands: tuple[Operand, ...], piped: Any) -> None:
        if len(operands) > 1 or piped is not _ABSENT:
            raise ExecutionFault("only a function can be given something")

    def _constant(self, operand: Operand) -> Any:
        if isinstance(operand, Number):
            return self._ideal(operand)
        assert isinstance(operand, Boolean | Text)
        return operand.value

    def _ideal(self, number: Number) -> Any:
        """What a number is where nothing says what it should be."""
        if number.complete is not None and number.whole is None and number.real is None:
            return number.complete
        if number.source.endswith("i") and number.complete is not None:
            return number.complete
        if number.is_written_as_real:
            return number.real
        if number.is_too_large:
            raise ExecutionFault(f"{number.source} is larger than a whole number can be")
        return number.whole if number.whole is not None else number.real

    # Fields.

    def _inner(self, chain: Chain) -> Any:
        if isinstance(chain.inner, Nil):
            raise ExecutionFault("nil has no fields")
        self._place.position = chain.inner.at
        if isinstance(chain.inner, Pipeline):
            return self._pipeline(chain.inner)
        assert isinstance(chain.inner, Function)
        return self._function(chain.inner.name, chain.inner.at, (), _ABSENT)

    def _path(
        self, value: Any, path: tuple[str, ...], at: int, arguments: tuple[Operand, ...], piped: Any
    ) -> Any:
        for name in path[:-1]:
            value = self._field(value, name, at, (), _ABSENT)
        return self._field(value, path[-1], at, arguments, piped)

    def _field(
        self, value: Any, name: str, at: int, arguments: tuple[Operand, ...], piped: Any
    ) -> Any:
        method = method_of(value, name)
        if method is not None:
            return self._called(name, method, at, arguments, piped)
        if not isinstance(value, Mapping):
            raise UnknownValue(name, None)
        if arguments or piped is not _ABSENT:
            raise ExecutionFault(f"{name} is a value: only a function can be given something")
        if name in value:
            return value[name]
        names = value.names if isinstance(value, Given) else None
        if names is not None and name in names:
            return None
        raise UnknownValue(name, names)

    # Variables.

    def _variable(self, name: str) -> Any:
        for known, value in reversed(self._variables):
            if known == name:
                return value
        raise ExecutionFault(f"there is no variable {name}")

    def _assign(self, name: str, value: Any) -> None:
        for place in range(len(self._variables) - 1, -1, -1):
            if self._variables[place][0] == name:
                self._variables[place] = (name, value)
                return
        raise ExecutionFault(f"there is no variable {name}: declare it with :=")

    # Functions.

    def _function(self, name: str, at: int, operands: tuple[Operand, ...], piped: Any) -> Any:
        if name in ("and", "or"):
            return self._logic(name, operands, piped)
        return self._called(name, self._run.functions[name], at, operands, piped)

    def _logic(self, name: str, operands: tuple[Operand, ...], piped: Any) -> Any:
        """What decides is the answer, and what stands behind it is not looked at."""
        if not operands and piped is _ABSENT:
            raise ExecutionFault(f"{name} must be given something")
        value: Any = piped
        for operand in operands:
            value = self._argument(operand, "value")
            if is_true(value) == (name == "or"):
                return value
        return value if piped is _ABSENT else piped

    def _called(
        self, name: str, function: Signature, at: int, operands: tuple[Operand, ...], piped: Any
    ) -> Any:
        count = len(operands) + (piped is not _ABSENT)
        if not function.takes(count):
            raise ExecutionFault(f"{name} takes {function.wanted}, and was given {count}")
        arguments = []
        for place, operand in enumerate(operands):
            arguments.append(self._argument(operand, function.type_at(place)))
        if piped is not _ABSENT:
            arguments.append(self._fitting(piped, function.type_at(len(operands))))
        try:
            return function.call(*arguments)
        except ExecutionFault:
            raise
        except Exception as error:
            self._place.position = at
            raise FunctionFault(name) from error

    def _argument(self, operand: Operand, kind: str) -> Any:
        self._place.position = operand.at
        match operand:
            case Nil():
                if kind not in TAKES_NIL:
                    raise ExecutionFault(f"nil is no {kind}")
                return None if kind == "any" else {} if kind == "map" else NOTHING
            case Dot():
                return self._fitting(self._dot, kind)
            case Field():
                return self._fitting(
                    self._path(self._dot, operand.path, operand.at, (), _ABSENT), kind
                )
            case Variable():
                value = self._variable(operand.name)
                if operand.path:
                    value = self._path(value, operand.path, operand.at, (), _ABSENT)
                return self._fitting(value, kind)
            case Pipeline():
                return self._fitting(self._pipeline(operand), kind)
            case Function():
                return self._fitting(self._function(operand.name, operand.at, (), _ABSENT), kind)
            case Chain():
                value = self._path(self._inner(operand), operand.path, operand.at, (), _ABSENT)
                return self._fitting(value, kind)
        return self._converted(operand, kind)

    def _converted(self, operand: Operand, kind: str) -> Any:
        """A constant is what its place wants, if it can be that."""
        match operand, kind:
            case Number(), ("int" | "uint32"):
                if operand.whole is not None and (kind == "int" or operand.whole >= 0):
                    return operand.whole
            case Number(), "float":
                if operand.real is not None:
                    return operand.real
            case Text(), "string":
                return operand.value
            case Boolean(), "bool":
                return operand.value
            case _, ("any" | "value"):
                return self._constant(operand)
        raise ExecutionFault(f"a {_SPOKEN[kind]} is wanted here")

    def _fitting(self, value: Any, kind: str) -> Any:
        if kind in ("any", "value"):
            return None if value is NOTHING and kind == "any" else value
        if value is NOTHING and kind in TAKES_NIL:
            return {}
        if not ACCEPTED[kind](value):
            found = "nothing" if is_nothing(value) else f"a value of type {type_of(value)}"
            raise ExecutionFault(f"a {_SPOKEN[kind]} is wanted here, not {found}")
        return value
