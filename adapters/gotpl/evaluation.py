"""What the pipelines of a template give: their commands, fields, variables and functions."""

from collections.abc import Mapping
from typing import Any

from adapters.gotpl import syntax
from adapters.gotpl.conversion import converted, fitting, ideal, nil_as
from adapters.gotpl.faults import ExecutionFault, FunctionFault, UnknownValue
from adapters.gotpl.kinds import NOTHING, is_true
from adapters.gotpl.methods import method_of
from adapters.gotpl.page import Place
from adapters.gotpl.signatures import Signature
from adapters.gotpl.variables import Variables

_ABSENT = object()
"""There is nothing before the pipe."""


class Given(dict[str, Any]):
    """The values a template sees. A name that was given without a value is nothing, not unknown."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__({name: value for name, value in values.items() if value is not None})
        self.names = frozenset(values)


class Evaluation:
    """Of one template: its dot, which blocks change, and its variables; moves the run's place."""

    def __init__(self, functions: Mapping[str, Signature], place: Place, dot: Any) -> None:
        self.dot = dot
        self.variables = Variables(dot)
        self._functions = functions
        self._place = place

    def pipeline(self, pipeline: syntax.Pipeline) -> Any:
        """The value of the last command, which the declared variables have too.

        Raises ExecutionFault.
        """
        self._place.position = pipeline.at
        value: Any = _ABSENT
        for command in pipeline.commands:
            value = self._command(command, value)
            if value is None:
                value = NOTHING
        for name in pipeline.declared:
            self.variables.bind(name, value, is_assignment=pipeline.is_assignment)
        return value

    def _command(self, command: syntax.Command, piped: Any) -> Any:
        first, others = command.operands[0], command.operands[1:]
        if isinstance(first, syntax.Pipeline):
            _require_alone(others, piped)
            return self.pipeline(first)
        self._place.position = first.at
        match first:
            case syntax.Function():
                return self._function(first.name, command.at, others, piped)
            case syntax.Field():
                return self._path(self.dot, first.path, first.at, others, piped)
            case syntax.Chain():
                return self._path(self._inner(first), first.path, first.at, others, piped)
            case syntax.Variable():
                value = self.variables.value(first.name)
                if first.path:
                    return self._path(value, first.path, first.at, others, piped)
                _require_alone(others, piped)
                return value
        _require_alone(others, piped)
        if isinstance(first, syntax.Nil):
            raise ExecutionFault("nil is not a command")
        return self.dot if isinstance(first, syntax.Dot) else ideal(first)

    def _path(
        self,
        value: Any,
        path: tuple[str, ...],
        at: int,
        arguments: tuple[syntax.Operand, ...] = (),
        piped: Any = _ABSENT,
    ) -> Any:
        for name in path[:-1]:
            value = self._field(value, name, at, (), _ABSENT)
        return self._field(value, path[-1], at, arguments, piped)

    def _field(
        self, value: Any, name: str, at: int, arguments: tuple[syntax.Operand, ...], piped: Any
    ) -> Any:
        method = method_of(value, name)
        if method is not None:
            return self._called(name, method, at, arguments, piped)
        if not isinstance(value, Mapping):
            raise UnknownValue(name, None)
        if arguments or piped is not _ABSENT:
            raise ExecutionFault(f"{name} is a value: only a function can be given something")
        return _entry(value, name)

    def _inner(self, chain: syntax.Chain) -> Any:
        if isinstance(chain.inner, syntax.Nil):
            raise ExecutionFault("nil has no fields")
        self._place.position = chain.inner.at
        if isinstance(chain.inner, syntax.Pipeline):
            return self.pipeline(chain.inner)
        assert isinstance(chain.inner, syntax.Function)
        return self._function(chain.inner.name, chain.inner.at)

    def _function(
        self,
        name: str,
        at: int,
        operands: tuple[syntax.Operand, ...] = (),
        piped: Any = _ABSENT,
    ) -> Any:
        if name in ("and", "or"):
            return self._logic(name, operands, piped)
        return self._called(name, self._functions[name], at, operands, piped)

    def _logic(self, name: str, operands: tuple[syntax.Operand, ...], piped: Any) -> Any:
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
        self,
        name: str,
        function: Signature,
        at: int,
        operands: tuple[syntax.Operand, ...],
        piped: Any,
    ) -> Any:
        count = len(operands) + (piped is not _ABSENT)
        if not function.takes(count):
            raise ExecutionFault(f"{name} takes {function.wanted}, and was given {count}")
        arguments = []
        for place, operand in enumerate(operands):
            arguments.append(self._argument(operand, function.type_at(place)))
        if piped is not _ABSENT:
            arguments.append(fitting(piped, function.type_at(len(operands))))
        try:
            return function.call(*arguments)
        except ExecutionFault:
            raise
        except Exception as error:
            self._place.position = at
            raise FunctionFault(name) from error

    def _argument(self, operand: syntax.Operand, kind: str) -> Any:
        self._place.position = operand.at
        match operand:
            case syntax.Nil():
                return nil_as(kind)
            case syntax.Dot():
                value = self.dot
            case syntax.Field():
                value = self._path(self.dot, operand.path, operand.at)
            case syntax.Variable():
                value = self.variables.value(operand.name)
                if operand.path:
                    value = self._path(value, operand.path, operand.at)
            case syntax.Pipeline():
                value = self.pipeline(operand)
            case syntax.Function():
                value = self._function(operand.name, operand.at)
            case syntax.Chain():
                value = self._path(self._inner(operand), operand.path, operand.at)
            case _:
                return converted(operand, kind)
        return fitting(value, kind)


def _require_alone(others: tuple[syntax.Operand, ...], piped: Any) -> None:
    if others or piped is not _ABSENT:
        raise ExecutionFault("only a function can be given something")


def _entry(value: Mapping[str, Any], name: str) -> Any:
    if name in value:
        return value[name]
    names = value.names if isinstance(value, Given) else None
    if names is not None and name in names:
        return None
    raise UnknownValue(name, names)
