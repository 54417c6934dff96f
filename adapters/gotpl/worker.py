"""A worker renders sections for its parent, over two pipes, until it is told or made to end."""

import gc
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from adapters.gotpl.confinement import confine
from adapters.gotpl.engine import Engine, OutOfMemory, TemplateFault, TimeIsUp
from adapters.gotpl.frames import (
    HEAD_BYTES,
    NOT_BEGUN,
    Frame,
    answer_of_fault,
    length_in,
    packed,
    unpacked,
)
from adapters.gotpl.limits import MEBIBYTE, Limits
from adapters.gotpl.page import Page, place_in
from adapters.yaml.reading import YamlFault, read_yaml
from adapters.yaml.writing import write_yaml

_DEPTH_OF_CALLS = 10_000
NICENESS = 5
"""Where processors are short, a template that spins gets a third of what the server gets."""


def main(limits: str) -> None:
    """What the parent starts; the limits as JSON."""
    serve(Limits(**json.loads(limits)))


def serve(limits: Limits) -> None:
    """Load everything, give up every right, say so, and render until the pipe is closed."""
    sys.setrecursionlimit(_DEPTH_OF_CALLS)
    worker = Worker(limits)
    worker.warm_up()
    os.nice(NICENESS)
    confine(limits)
    _silence()
    _send({"is_ready": True})
    while job := _receive():
        _send({"has_begun": True})
        for answer in worker.answers(job):
            _send(answer)


class Worker:
    """One section after the other, each with what is left of the request's time."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._engine = Engine(limits)
        self._is_fit = True
        signal.signal(signal.SIGALRM, _time_is_up)

    def warm_up(self) -> None:
        """Whatever loads a module on first use does it now; later it could not."""
        source = '{{ define "x" }}{{ . | quote | upper }}{{ end }}a: {{ include "x" .a | trim }}\n'
        for ending in ("", "{{ .b }}", "{{ fail .a }}", "b: [", "c: {{ list 1 2.5 | toYaml }}"):
            self._answer({"source": source + ending, "is_yaml": True}, {"a": "é"}, 10.0)
        gc.collect()
        gc.freeze()

    def answers(self, job: Frame) -> Iterator[Frame]:
        end = time.monotonic() + job["seconds"]
        for section in job["sections"]:
            left = end - time.monotonic()
            if left <= 0:
                yield {**NOT_BEGUN, "is_fit": self._is_fit}
            else:
                yield self._answer(section, job["values"], left)

    def _answer(self, section: Frame, values: dict[str, Any], seconds: float) -> Frame:
        answer: Frame = {"text": None, "documents": None, "fault": None}
        try:
            with _alarm(seconds):
                self._fill(answer, section["source"], values, is_yaml=section["is_yaml"])
        except TemplateFault as fault:
            self._is_fit &= not isinstance(fault, OutOfMemory)
            about = answer_of_fault(fault.detail, fault.line, fault.column)
            answer = {**about, "text": answer["text"]}
        return {**answer, "is_fit": self._is_fit and self._has_processor_time()}

    def _fill(self, answer: Frame, source: str, values: dict[str, Any], *, is_yaml: bool) -> None:
        page = self._engine.render(source, values)
        answer["text"] = page.text
        if is_yaml:
            try:
                self._parse(answer, source, page)
            except (TimeIsUp, MemoryError, RecursionError):
                detail = "the rendered YAML takes too much time or memory to read"
                raise TemplateFault(detail) from None

    def _parse(self, answer: Frame, source: str, page: Page) -> None:
        try:
            documents = read_yaml(page.text)
        except YamlFault as fault:
            raise _in_source(source, page, fault) from None
        normal = write_yaml(documents)
        if len(normal.encode()) > self._limits.output_bytes:
            raise TemplateFault(
                f"gives more than {self._limits.output_bytes:,} bytes once it is normalised"
            )
        answer |= {"text": normal, "documents": documents}

    def _has_processor_time(self) -> bool:
        return time.process_time() < self._limits.processor_seconds / 2


def _in_source(source: str, page: Page, fault: YamlFault) -> TemplateFault:
    detail = fault.detail_for_reader_of(source)
    if fault.line is None or fault.column is None:
        return TemplateFault(f"the rendered YAML is refused: {detail}")
    place = place_in(source, page.source_position(fault.line, fault.column))
    return TemplateFault(f"line {fault.line} of the rendered YAML: {detail}", *place)


def _time_is_up(_: int, __: FrameType | None) -> None:
    raise TimeIsUp


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """TimeIsUp is raised once the seconds are over, wherever the worker is by then."""
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _silence() -> None:
    """Until now errors were for the operator; from now on they could be a template's words."""
    os.close(2)


def _receive() -> Frame | None:
    head = _read(HEAD_BYTES)
    return unpacked(_read(length_in(head))) if head else None


def _read(count: int) -> bytes:
    """That many bytes; none at all when the parent has closed the pipe."""
    parts = []
    while count and (part := os.read(0, min(count, MEBIBYTE))):
        parts.append(part)
        count -= len(part)
    return b"" if count else b"".join(parts)


def _send(frame: Frame) -> None:
    rest = memoryview(packed(frame))
    while rest:
        rest = rest[os.write(1, rest) :]
