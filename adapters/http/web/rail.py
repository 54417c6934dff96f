"""The time rail: what changed when, as the graduated border of a chart, and the hand on it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from adapters.http.web.times import full, parsed, rfc3339
from adapters.http.web.visit import Visit
from projections.activity import activity_between, activity_of
from projections.history import HistoryFilter, history_where
from projections.reader import Reader, Shown

WIDTH, HEIGHT = 960, 19
"""Of the drawing, in its own units."""
TALLEST, LOWEST = 14.0, 1.5
MINUTE = timedelta(minutes=1)
MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Span:
    """How long a rail is, its buckets, one stretch of its border, and how far its words stand."""

    length: timedelta
    buckets: int
    stretch: timedelta
    apart: timedelta

    @property
    def bucket_seconds(self) -> int:
        return round(self.length.total_seconds() / self.buckets)


SPANS = {
    "1h": Span(timedelta(hours=1), 60, timedelta(minutes=5), timedelta(minutes=10)),
    "24h": Span(timedelta(hours=24), 192, timedelta(hours=1), timedelta(hours=4)),
    "7d": Span(timedelta(days=7), 192, timedelta(hours=12), timedelta(days=1)),
    "30d": Span(timedelta(days=30), 192, timedelta(days=1), timedelta(days=5)),
}


@dataclass(frozen=True, slots=True)
class Word:
    """A word under the border; a minor one may go where there is no room."""

    x: float
    at: str
    text: str
    is_minor: bool


@dataclass(frozen=True, slots=True)
class Bars:
    """How much changed in each bucket: all of it, and what failed, each as one path."""

    all: str
    bad: str


@dataclass(frozen=True, slots=True)
class Turns:
    """The last change up to the instant, and the instants of the changes before and after it."""

    position: int
    before: str | None = None
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Rail:
    """The rail as a page draws it; x and widths are percentages."""

    start: str
    step_seconds: int
    steps: int
    hand: int
    label: str
    bars: Bars
    own: tuple[tuple[float, bool], ...]
    """The subject's own changes: where, and whether one failed."""
    bands: tuple[tuple[float, float], ...]
    words: tuple[Word, ...]
    turns: Turns

    @property
    def part(self) -> float:
        """How far along the hand stands."""
        return round(100 * self.hand / self.steps, 2)


async def rail_of(visit: Visit, subject: UUID | None) -> Rail:
    """The rail around the instant that is shown; `subject` is a stream that the page is about."""
    span = SPANS[visit.preferences.span]
    start, end = window(visit, span)
    step = max(1, round(span.length.total_seconds() / 1440))
    steps = round(span.length.total_seconds() / step)
    # What came after the instant is drawn too: one may go there.
    reader = await visit.edge.reads.reader() if visit.at else visit.reader
    return Rail(
        start=rfc3339(start),
        step_seconds=step,
        steps=steps,
        hand=steps if visit.at is None else round((visit.at - start).total_seconds() / step),
        label=full(visit.at.astimezone(visit.times.zone)) if visit.at else "Now",
        bars=await _bars(visit, reader, span, start, end),
        own=await _own(reader, subject, start, end) if subject else (),
        bands=tuple(_bands(visit, span, start, end)),
        words=tuple(_words(visit, span, start, end)),
        turns=await _turns(visit, reader, subject),
    )


def window(visit: Visit, span: Span) -> tuple[datetime, datetime]:
    """From when to when, in whole minutes: up to now, or as much after the instant as before."""
    now = _minute_after(visit.now.astimezone(UTC))
    if visit.at is None:
        return now - span.length, now
    end = min(now, _minute_after(visit.at + span.length / 2))
    return end - span.length, end


async def _bars(visit: Visit, reader: Reader, span: Span, start: datetime, end: datetime) -> Bars:
    """The bars, made once a minute for all who look at the same stretch of time."""
    workspace_id = visit.principal.workspace_id
    if visit.shown_workspace is not None:
        workspace_id = visit.workspace_id

    async def make() -> Bars:
        found = await activity_between(
            reader, start, end, span.bucket_seconds, workspace_id=workspace_id
        )
        return bars(found, span, start)

    return await visit.shared.rails.get((start, end, workspace_id), make)


def bars(found: Sequence[Shown], span: Span, start: datetime) -> Bars:
    """The bars of what was found in each bucket."""
    changes, failures = [0] * span.buckets, [0] * span.buckets
    for row in found:
        bucket = int((parsed(row["at"]) - start).total_seconds() // span.bucket_seconds)
        if 0 <= bucket < span.buckets:
            changes[bucket] += row["changes"]
            failures[bucket] += row["failures"]
    tallest = max(max(changes), 1)
    return Bars(drawn(changes, tallest), drawn(failures, tallest))


def drawn(counts: Sequence[int], tallest: int) -> str:
    """Bars of these heights as one path; the square root keeps a quiet hour visible."""
    unit = WIDTH / len(counts)
    width = max(2, round(unit * 0.4))
    path = ""
    for n, count in enumerate(counts):
        if count:
            height = max(LOWEST, TALLEST * (count / tallest) ** 0.5)
            path += f"M{n * unit:g} {HEIGHT}v-{height:.1f}h{width}v{height:.1f}"
    return path


async def _own(
    reader: Reader, subject: UUID, start: datetime, end: datetime
) -> tuple[tuple[float, bool], ...]:
    seconds = max(1, round((end - start).total_seconds() / 480))
    found = await activity_of(reader, subject, start, end, seconds)
    return tuple((_part(parsed(row["at"]), start, end), bool(row["failures"])) for row in found)


async def _turns(visit: Visit, reader: Reader, subject: UUID | None) -> Turns:
    """What Previous and Next lead to: changes of the subject, else of what the page shows."""
    if visit.at is None:
        return Turns(visit.position)
    workspace_id = visit.workspace_id if visit.shown_workspace else visit.principal.workspace_id
    upto = HistoryFilter(until=visit.at + MOMENT)
    about = HistoryFilter(
        subject_id=subject, workspace_id=None if subject else workspace_id, only_audited=True
    )
    before = replace(about, until=visit.at)
    after = replace(about, since=visit.at + MOMENT)
    last = (await history_where(reader, upto, limit=1)).rows
    earlier = (await history_where(reader, before, limit=1)).rows
    later = (await history_where(reader, after, limit=1, oldest_first=True)).rows
    return Turns(
        last[0]["position"] if last else 0,
        earlier[0]["time"] if earlier else None,
        later[0]["time"] if later else None,
    )


def _bands(
    visit: Visit, span: Span, start: datetime, end: datetime
) -> Iterator[tuple[float, float]]:
    """Every second stretch of the border, filled."""
    for n, left in _stretches(visit, span, start, end):
        if n % 2 == 0:
            x = _part(max(left, start), start, end)
            yield x, round(_part(min(left + span.stretch, end), start, end) - x, 2)


def _words(visit: Visit, span: Span, start: datetime, end: datetime) -> Iterator[Word]:
    every = round(span.apart / span.stretch)
    for n, left in _stretches(visit, span, start, end):
        x = _part(left, start, end)
        if n % every == 0 and 3 < x < 97:
            yield Word(x, rfc3339(left), _word(visit, left), is_minor=n // every % 3 != 0)


def _stretches(
    visit: Visit, span: Span, start: datetime, end: datetime
) -> Iterator[tuple[int, datetime]]:
    """The beginnings of the stretches in local time, numbered so that day and night alternate."""
    midnight = start.astimezone(visit.times.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    per_day = timedelta(days=1) / span.stretch
    first = int((start - midnight) / span.stretch)
    for n in range(first, first + int(span.length / span.stretch) + 2):
        left = midnight + n * span.stretch
        if left < end:
            yield n + round(midnight.toordinal() * per_day), left


def _word(visit: Visit, moment: datetime) -> str:
    local = moment.astimezone(visit.times.zone)
    return f"{local.day} {local:%b}" if local.hour == local.minute == 0 else f"{local:%H:%M}"


def _part(moment: datetime, start: datetime, end: datetime) -> float:
    return round(100 * ((moment - start) / (end - start)), 2)


def _minute_after(moment: datetime) -> datetime:
    whole = moment.replace(second=0, microsecond=0)
    return whole if whole == moment else whole + MINUTE
