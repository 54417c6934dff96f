"""Times as pages tell them: short near now, longer far away, with UTC to be read on each."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from markupsafe import Markup

from domain.instants import in_calendar

MINUTE, HOUR, DAY = 60, 3600, 86400


def zone_called(name: str) -> tzinfo:
    """The time zone of that name, UTC when there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def parsed(text: str) -> datetime:
    """An instant of the read models (RFC 3339)."""
    return datetime.fromisoformat(text)


def instant(text: str, zone: tzinfo) -> datetime | None:
    """The instant someone wrote, in UTC; without an offset it is meant in `zone`."""
    written = text.strip()
    try:
        # An address's plus that was not escaped comes as a space.
        moment = datetime.fromisoformat(written.replace(" ", "+") if "T" in written else written)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    try:
        return in_calendar(moment)
    except ValueError:
        return None


def rfc3339(moment: datetime) -> str:
    """In UTC, ending with Z, with microseconds where there are any."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def day(moment: datetime) -> str:
    return f"{moment.day} {moment:%b}"


def clock(moment: datetime) -> str:
    return f"{moment:%H:%M:%S}"


def short(moment: datetime, now: datetime) -> str:
    """14:32 today, 20 Nov this year, 3 May 2024 else; both in the zone to be shown."""
    if moment.date() == now.date():
        return f"{moment:%H:%M}"
    return day(moment) if moment.year == now.year else f"{day(moment)} {moment.year}"


def full(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y %H:%M:%S}"


def duration(seconds: float) -> str:
    """4 min 12 s, 2 h 5 min, 3 d 4 h; under a second in milliseconds."""
    if seconds < 1:
        return f"{round(max(seconds, 0) * 1000)} ms"
    whole = round(seconds)
    parts = [
        (whole // DAY, "d"),
        (whole % DAY // HOUR, "h"),
        (whole % HOUR // MINUTE, "min"),
        (whole % MINUTE, "s"),
    ]
    first = next((n for n, (value, _) in enumerate(parts) if value), 3)
    return " ".join(f"{value} {unit}" for value, unit in parts[first : first + 2] if value)


def age(seconds: float) -> str:
    """One number: 40 s, 26 min, 3 h, 12 d, 2 y."""
    seconds = max(seconds, 0)
    if seconds < MINUTE:
        return f"{int(seconds)} s"
    if seconds < HOUR:
        return f"{int(seconds // MINUTE)} min"
    if seconds < DAY:
        return f"{int(seconds // HOUR)} h"
    return f"{int(seconds // DAY)} d" if seconds < 730 * DAY else f"{int(seconds // DAY // 365)} y"


def element(moment: datetime, kind: str, text: str, *, css: str = "") -> Markup:
    """A <time> with UTC as its title; a script tells it again in the reader's own zone."""
    classes = Markup(' class="{}"').format(css) if css else ""
    return Markup('<time datetime="{}" data-as="{}" title="{} UTC"{}>{}</time>').format(
        rfc3339(moment), kind, full(moment.astimezone(UTC)), classes, text
    )


class Times:
    """Writes times as seen at one instant from one zone."""

    def __init__(self, now: datetime, zone: tzinfo) -> None:
        self.zone = zone
        self.now = now.astimezone(zone)

    def moment(self, text: str | datetime | None, css: str = "") -> Markup | str:
        """14:32, 20 Nov or 3 May 2024."""
        return self._element(text, "moment", lambda local: short(local, self.now), css)

    def clock(self, text: str | datetime | None, css: str = "") -> Markup | str:
        """14:32:07, whatever the day."""
        return self._element(text, "clock", clock, css)

    def second(self, text: str | datetime | None, css: str = "") -> Markup | str:
        """14:32:07 today, with the day before it else."""
        return self._element(text, "second", self._second, css)

    def full(self, text: str | datetime | None, css: str = "") -> Markup | str:
        """21 November 2026 14:32:07."""
        return self._element(text, "full", full, css)

    def age(self, text: str | datetime | None, css: str = "") -> Markup | str:
        """How long ago: 26 min."""
        return self._element(text, "age", self._age, css)

    def instant(self, moment: datetime, css: str = "") -> Markup:
        """14 Mar 2026 09:12: the instant that is looked at."""
        local = self._local(moment)
        return element(local, "instant", f"{day(local)} {local.year} {local:%H:%M}", css=css)

    def clock_text(self, moment: datetime) -> str:
        return clock(self._local(moment))

    def field(self, moment: str | datetime | None) -> Markup:
        """The value of a field of date and time in the zone, and in UTC for the script."""
        if moment is None:
            return Markup('value=""')
        local = self._local(moment)
        written = local.replace(tzinfo=None).isoformat(timespec="seconds")
        return Markup('value="{}" data-instant="{}"').format(written, rfc3339(local))

    def rfc3339(self, moment: datetime) -> str:
        return rfc3339(moment)

    def since(self, start: str | datetime | None, end: str | datetime | None = None) -> str:
        """How long from start to end, or to now."""
        if start is None:
            return "–"
        last = self._local(end) if end is not None else self.now
        return duration((last - self._local(start)).total_seconds())

    def lasted(self, seconds: float | None) -> str:
        return "–" if seconds is None else duration(seconds)

    def day(self, text: str | datetime) -> str:
        """The heading of a day: Today, 21 November 2026."""
        local = self._local(text)
        name = f"{local.day} {local:%B %Y}"
        if local.date() == self.now.date():
            return f"Today, {name}"
        yesterday = self.now.date() - timedelta(days=1)
        return f"Yesterday, {name}" if local.date() == yesterday else name

    def _element(
        self, text: str | datetime | None, kind: str, told: Callable[[datetime], str], css: str
    ) -> Markup | str:
        if text is None:
            return "–"
        local = self._local(text)
        return element(local, kind, told(local), css=css)

    def _second(self, local: datetime) -> str:
        day_before = "" if local.date() == self.now.date() else f"{short(local, self.now)} "
        return f"{day_before}{clock(local)}"

    def _age(self, local: datetime) -> str:
        return age((self.now - local).total_seconds())

    def _local(self, text: str | datetime) -> datetime:
        moment = parsed(text) if isinstance(text, str) else text
        return moment.astimezone(self.zone)
