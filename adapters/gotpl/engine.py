"""Reads sources, runs them, and says where one failed.

A run tells its place at any time, so that an end that comes from outside has one as well: no more
time, no more memory.
"""

from collections import OrderedDict
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from adapters.gotpl.execution import Run
from adapters.gotpl.faults import SourceFault
from adapters.gotpl.functions import functions
from adapters.gotpl.limits import MEBIBYTE, Limits
from adapters.gotpl.page import Page, Place, place_in
from adapters.gotpl.parser import parse
from adapters.gotpl.sentences import sentence_about
from adapters.gotpl.syntax import Template

_MAX_COMPILED_BYTES = MEBIBYTE
"""Of the sources that are kept as they were read; they take some fifty times as much."""


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
    """The worker has computed long enough. Not an Exception: no function swallows it."""


class Engine:
    """Renders sources one after the other, and remembers how they were read."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._functions = functions()
        self._names = {*self._functions, "include"}
        self._compiled = _Compiled()

    def render(self, source: str, values: Mapping[str, Any]) -> Page:
        """What the source gives with the values. Raises TemplateFault."""
        place = Place()
        try:
            template = self._template(source)
            place.position = 0
            return self._run(template, place).page(values)
        except TimeIsUp:
            raise TemplateFault(self._limits.in_vain, *_known_place(source, place)) from None
        except Exception as error:
            raise self._fault(source, place, error) from None

    def _template(self, source: str) -> Template:
        if len(source.encode(errors="replace")) > self._limits.source_bytes:
            raise TemplateFault(f"has more than {self._limits.source_bytes:,} bytes")
        template = self._compiled.get(source)
        if template is None:
            template = parse(source, self._names)
            self._compiled.put(source, template)
        return template

    def _run(self, template: Template, place: Place) -> Run:
        return Run(
            template,
            self._functions,
            place,
            output_bytes=self._limits.output_bytes,
            deepest=self._limits.template_depth,
        )

    def _fault(self, source: str, place: Place, error: Exception) -> TemplateFault:
        if isinstance(error, TemplateFault):
            return error
        if isinstance(error, MemoryError) or isinstance(error.__cause__, MemoryError):
            mebibytes = self._limits.memory_bytes // MEBIBYTE
            detail = f"needs more than {mebibytes} MiB of memory"
            return OutOfMemory(detail, *_known_place(source, place))
        detail = sentence_about(error, dict.fromkeys(self._names))
        if isinstance(error, SourceFault):
            return TemplateFault(detail, *place_in(source, error.at))
        return TemplateFault(detail, *_known_place(source, place))


def _known_place(source: str, place: Place) -> tuple[int | None, int | None]:
    """None while the source is still being read."""
    return (None, None) if place.position is None else place_in(source, place.position)


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
