"""The renderer keeps a few workers warm and gives each request to one of them."""

import asyncio
from collections.abc import Coroutine, Hashable, Mapping, Sequence
from importlib.metadata import version
from time import monotonic
from typing import Any, Self

from adapters.gotpl.answers import learnt, rendering
from adapters.gotpl.child import BrokeOff, Child, DoesNotStart, NeverBegan
from adapters.gotpl.frames import NOT_BEGUN, Frame, answer_of_fault, packed
from adapters.gotpl.limits import SHARE_OF_TIME, Limits
from application.fair_turns import FairTurns, LongWork
from application.ports import Rendering, SectionSource, Unavailable
from domain.redaction import Redactor
from domain.secrets import Secret

ENGINE = f"gotpl {version('gotpl')}, functions 2"
"""`functions` counts the changes of what templates can call."""

_USUAL_LIMITS = Limits()
_ATTEMPTS = 3
SLOW_SECONDS = 1.0
"""A usual template takes hundredths of that."""


class SubprocessRenderer:
    """Renders Go templates with sprig, and reads the YAML that comes out, in other processes.

    A value may be a `Secret`: no fault quotes it. A value None is a name that the template may ask
    for and gets nothing. A fault's line and column are those of the section's source, also where
    the rendered YAML is refused: its text is among the texts then, as it came out.

    One tenant never holds all workers, nor do those together whose last request took long: a
    template that spins keeps its own tenant waiting. At most `waiting` requests of a tenant wait. A
    worker starts when it is first needed and ends after `idle_seconds` without work. Use as an
    async context.
    """

    def __init__(
        self,
        workers: int = 2,
        waiting: int = 64,
        limits: Limits = _USUAL_LIMITS,
        idle_seconds: float = 300.0,
    ) -> None:
        self._turns = FairTurns(
            workers,
            places_of_one=max(1, workers - 1),
            waiting_of_one=waiting,
            slow_seconds=SLOW_SECONDS,
        )
        self._long_work = LongWork()
        self._limits = limits
        self._idle_seconds = idle_seconds
        self._idle: dict[Child, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for child in list(self._idle):
            self._retire(child)
        await asyncio.gather(*self._tasks)

    @property
    def idle_workers(self) -> Sequence[int]:
        """The process ids of the workers that wait for a request."""
        return [child.pid for child in self._idle]

    @property
    def waiting_requests(self) -> int:
        """How many requests wait for a worker."""
        return self._turns.waiting

    async def render(
        self,
        sections: Sequence[SectionSource],
        values: Mapping[str, Any],
        *,
        tenant: Hashable = None,
    ) -> Rendering:
        """Render every section with the same values.

        Raises Overloaded when too many wait, and Unavailable when no worker can be started.
        """
        async with self._turns.turn(tenant):
            answers = await self._answers(sections, values)
        hidden = Redactor()
        if any(answer["fault"] for answer in answers):
            await self._long_work.done(tenant, learnt(hidden, values))
        return rendering(sections, answers, hidden, ENGINE)

    async def _answers(
        self, sections: Sequence[SectionSource], values: Mapping[str, Any]
    ) -> Sequence[Frame]:
        """An answer for each section; one that ends its worker does not end the others."""
        answers: list[Frame] = []
        left = self._limits.seconds
        attempts = 0
        while len(answers) < len(sections) and left > 0:
            child = await self._child()
            began = monotonic()
            try:
                await self._ask(child, sections[len(answers) :], values, left, answers)
            except NeverBegan as error:
                attempts += 1
                if attempts == _ATTEMPTS:
                    raise Unavailable("The renderer of templates takes no work.") from error
            finally:
                self._give_back(child)
            left -= monotonic() - began
        return [*answers, *[NOT_BEGUN] * (len(sections) - len(answers))]

    async def _ask(
        self,
        child: Child,
        sections: Sequence[SectionSource],
        values: Mapping[str, Any],
        seconds: float,
        answers: list[Frame],
    ) -> None:
        job: Frame = {
            "seconds": seconds * SHARE_OF_TIME,
            "values": values,
            "sections": [{"source": s.source, "is_yaml": s.is_yaml} for s in sections],
        }
        try:
            await child.ask(packed(job, default=_revealed), len(sections), seconds, answers)
        except BrokeOff as error:
            answers.append(answer_of_fault(error.detail))

    async def _child(self) -> Child:
        """The worker that worked last, whose compiled templates are the freshest, or a new one."""
        while self._idle:
            child, timer = self._idle.popitem()
            timer.cancel()
            if child.is_alive:
                return child
            self._end(child)
        try:
            return await Child.start(self._limits)
        except (DoesNotStart, OSError) as error:
            raise Unavailable("The renderer of templates does not start.") from error

    def _give_back(self, child: Child) -> None:
        if child.is_fit:
            loop = asyncio.get_running_loop()
            self._idle[child] = loop.call_later(self._idle_seconds, self._retire, child)
        else:
            self._end(child)

    def _retire(self, child: Child) -> None:
        self._idle.pop(child).cancel()
        self._end(child)

    def _end(self, child: Child) -> None:
        self._in_background(child.end(), f"end of template worker {child.pid}")

    def _in_background(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _revealed(value: Any) -> Any:
    if isinstance(value, Secret):
        return value.reveal()
    raise TypeError(f"a template cannot be given a {type(value).__name__}")
