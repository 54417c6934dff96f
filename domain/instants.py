"""An instant can be told in every time zone and counted from: in UTC, within the calendar."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime

FIRST_YEAR, LAST_YEAR = 2, 9998
"""A year at each end of the calendar is left for zones and spans: the years 1 to 9999 are all
that Python has."""


def in_calendar(moment: datetime) -> datetime:
    """An instant with a zone, in UTC. Raises ValueError when it is at the end of the calendar."""
    try:
        instant = moment.astimezone(UTC)
    except OverflowError:
        instant = None
    if instant is None or not FIRST_YEAR <= instant.year <= LAST_YEAR:
        raise ValueError(
            f"this instant is beyond the calendar, which is of the years {FIRST_YEAR} to"
            f" {LAST_YEAR}"
        )
    return instant


Instant = Annotated[AwareDatetime, AfterValidator(in_calendar)]
"""An instant that a client says."""
