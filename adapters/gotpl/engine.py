"""The one place that knows gotpl from inside: compiles, runs, and says where the source failed.

gotpl keeps the place of what it runs in an object of its own. Here it is given ours, so that every
piece of output can be traced back to the source, and so can an end that comes from outside:
no more time, no more memory.
"""

from collections import OrderedDict
from collections.abc import Mapping
from difflib import get_close_matches
from hashlib import blake2b
from typing import Any

from gotpl import ExecutionBudget, SandboxPolicy, Template
from gotpl.errors import TemplateError, TemplateExecutionError
from gotpl.runtime.sync_vm import render_program_to

from adapters.gotpl.functions import functions
from adapters.gotpl.limits import MEBIBYTE, Limits
from adapters.gotpl.page import Page, Place, place_in
from adapters.gotpl.sentences import sentence_about

_MAX_COMPILED_BYTES = MEBIBYTE
"""Of the sources whose compiled form is kept; it takes some fifty times as much."""


class TemplateFault(Exception):
    """Why a source does not render: the sentence and its place in the source (from 1)."""

    def __init__(self, detail: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.line = line
        self.column = column


class OutOfMemory(TemplateFault):
    """The source needs more memory than there is; what is left of it is in pieces."""


class TimeIsUp(BaseException):
    """The worker has computed long enough. Not an Exception: no function of gotpl swallows it."""


class Engine:
    """Renders sources one after the other, and remembers how they compile."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._functions = functions()
        self._policy = SandboxPolicy(
            allow_functions=self._functions,
            allow_context_capabilities=("render-associated",),
            max_template_chars=limits.source_bytes,
            default_budget=ExecutionBudget(max_template_depth=limits.template_depth),
        )
        self._compiled = _Compiled()

    def render(self, source: str, values: Mapping[str, Any]) -> Page:
        """What the source gives with the values. Raises TemplateFault."""
        place = Place()
        try:
            return self._run(self._template(source), Given(values), place)
        except TimeIsUp:
            raise TemplateFault(self._limits.in_vain, *_known_place(source, place)) from None
        except Exception as error:
            raise self._fault(source, place, error) from None

    def _template(self, source: str) -> Template:
        if len(source.encode(errors="replace")) > self._limits.source_bytes:
            raise TemplateFault(f"has more than {self._limits.source_bytes:,} bytes")
        template = self._compiled.get(source)
        if template is None:
            template = Template(
                source, functions=self._functions, missing_key="error", sandbox=self._policy
            )
            self._compiled.put(source, template)
        return template

    def _run(self, template: Template, values: "Given", place: Place) -> Page:
        page = Page(place, self._limits.output_bytes)
        run: Any = render_program_to
        session = template._new_render_session()
        run(
            template._program,
            page,
            values,
            functions=template._runtime_functions,
            missing_key=template.missing_key,
            budget=template.budget,
            sandbox=template.sandbox,
            _namespace=template._namespace,
            _location=place,
            _session=session,
            _budget_state=None if session is None else session.budget_state,
        )
        return page

    def _fault(self, source: str, place: Place, error: Exception) -> TemplateFault:
        if isinstance(error, TemplateFault):
            return error
        if isinstance(error, MemoryError) or isinstance(error.__cause__, MemoryError):
            mebibytes = self._limits.memory_bytes // MEBIBYTE
            detail = f"needs more than {mebibytes} MiB of memory"
            return OutOfMemory(detail, *_known_place(source, place))
        position = getattr(error, "position", None) if isinstance(error, TemplateError) else None
        detail = sentence_about(error, self._functions)
        if position is not None:
            return TemplateFault(detail, *place_in(source, position))
        return TemplateFault(detail, *_known_place(source, place))


def _known_place(source: str, place: Place) -> tuple[int | None, int | None]:
    """None while the source is still being compiled."""
    return (None, None) if place.program is None else place_in(source, place.position)


class Given(dict[str, Any]):
    """The values a template sees. A name that was given without a value is nothing, not unknown."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__({name: value for name, value in values.items() if value is not None})
        self._names = frozenset(values)

    def __gotemplate_lookup__(self, name: str) -> Any:
        if name in self or name in self._names:
            return self.get(name)
        nearest = get_close_matches(name, self._names, n=1)
        hint = f": did you mean {nearest[0]}?" if nearest else ""
        raise TemplateExecutionError(f"there is no value {name}{hint}")


class _Compiled:
    """The templates that were used last, as many as fit."""

    def __init__(self) -> None:
        self._templates: OrderedDict[bytes, tuple[int, Template]] = OrderedDict()
        self._bytes = 0

    def get(self, source: str) -> Template | None:
        key = _digest(source)
        if key not in self._templates:
            return None
        self._templates.move_to_end(key)
        return self._templates[key][1]

    def put(self, source: str, template: Template) -> None:
        self._templates[_digest(source)] = (len(source), template)
        self._bytes += len(source)
        while self._bytes > _MAX_COMPILED_BYTES:
            _, (size, _) = self._templates.popitem(last=False)
            self._bytes -= size


def _digest(source: str) -> bytes:
    return blake2b(source.encode(errors="replace"), digest_size=16).digest()
