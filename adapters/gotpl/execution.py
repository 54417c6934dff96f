"""A run of a template, step by step as Go takes them, so that a mistake is found at the same place.

Go remembers the part of the source that it looked at last, and an error is there. So does a run: a
`Place` is moved by each step, and can be asked at any time, also from outside.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from adapters.gotpl import syntax
from adapters.gotpl.evaluation import Evaluation, Given
from adapters.gotpl.faults import ExecutionFault, Refusal
from adapters.gotpl.kinds import NOTHING, is_nothing, is_true, is_whole, type_of
from adapters.gotpl.page import Page, Place
from adapters.gotpl.printing import plain
from adapters.gotpl.signatures import Signature


class Run:
    """One template; its functions are given, and one is its own: `include`."""

    def __init__(
        self,
        template: syntax.Template,
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

    def body(self, name: str) -> tuple[syntax.Node, ...]:
        """Of a template that the source defines, and that may still be called."""
        body = self._template.defined.get(name)
        if body is None:
            raise ExecutionFault(f"there is no template {name}")
        if self._depth >= self._deepest:
            raise ExecutionFault(f"templates call each other more than {self._deepest} levels deep")
        return body

    def call(self, body: tuple[syntax.Node, ...], page: Page, dot: Any) -> None:
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


class _Leave(Exception):
    """`break`"""


class _Next(Exception):
    """`continue`"""


class _Frame:
    """One template being run: what its pipelines give, and where its text goes."""

    def __init__(self, run: Run, page: Page, dot: Any) -> None:
        self._run = run
        self._place = run.place
        self._page = page
        self._evaluation = Evaluation(run.functions, run.place, dot)

    def walk(self, nodes: tuple[syntax.Node, ...]) -> None:
        place = self._place
        for node in nodes:
            place.position = node.at
            match node:
                case syntax.Literal():
                    self._page.write(node.text)
                case syntax.Action():
                    value = self._evaluation.pipeline(node.pipeline)
                    if not node.pipeline.declared:
                        place.position = node.at
                        self._write(value)
                case syntax.Branch():
                    self._branch(node)
                case syntax.Range():
                    self._range(node)
                case syntax.Call():
                    self._call(node)
                case syntax.Break():
                    raise _Leave
                case syntax.Continue():
                    raise _Next

    def _write(self, value: Any) -> None:
        if value is NOTHING:
            raise ExecutionFault(
                "this has no value: put it between {{ if }} and {{ end }}, or give it a default"
            )
        self._page.write(plain(value))

    def _branch(self, node: syntax.Branch) -> None:
        evaluation = self._evaluation
        outside, dot = len(evaluation.variables), evaluation.dot
        value = evaluation.pipeline(node.pipeline)
        if is_true(value):
            evaluation.dot = value if node.is_with else dot
            self.walk(node.body)
            evaluation.dot = dot
        else:
            self.walk(node.otherwise)
        evaluation.variables.keep(outside)

    def _call(self, node: syntax.Call) -> None:
        body = self._run.body(node.name)
        dot = NOTHING if node.pipeline is None else self._evaluation.pipeline(node.pipeline)
        self._run.call(body, self._page, dot)

    def _range(self, node: syntax.Range) -> None:
        evaluation = self._evaluation
        outside, dot = len(evaluation.variables), evaluation.dot
        value = evaluation.pipeline(node.pipeline)
        is_empty = True
        with suppress(_Leave):
            for key, item in _items(value, len(node.pipeline.declared)):
                is_empty = False
                evaluation.variables.keep(outside)
                self._bind(node.pipeline, key, item)
                evaluation.dot = item
                with suppress(_Next):
                    self.walk(node.body)
        evaluation.dot = dot
        if is_empty:
            self.walk(node.otherwise)
        evaluation.variables.keep(outside)

    def _bind(self, pipeline: syntax.Pipeline, key: Any, item: Any) -> None:
        values = (item,) if len(pipeline.declared) == 1 else (key, item)
        for name, value in zip(pipeline.declared, values, strict=False):
            self._evaluation.variables.bind(name, value, is_assignment=pipeline.is_assignment)


def _items(value: Any, declared: int) -> Iterable[tuple[Any, Any]]:
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
