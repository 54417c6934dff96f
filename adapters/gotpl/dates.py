"""Sprig's functions of dates that are given: told in UTC, wherever this is run."""

from collections.abc import Callable, Mapping
from datetime import UTC
from typing import Any

from goduration.go import Duration
from gotime.go import Location, ParseError, Time

from adapters.gotpl.kinds import Int64
from adapters.gotpl.sprig import SPRIG

_UTC = Location.from_tzinfo(UTC)


def to_date(layout: str, text: str) -> Time:
    try:
        return must_to_date(layout, text)
    except ParseError:
        return Time.zero()


def must_to_date(layout: str, text: str) -> Time:
    date = Time.parse_in_location(layout, text, _UTC)
    name, seconds = date.zone()
    if name:
        return date
    # A zone that has no name is called by its offset.
    return date.in_location(Location.fixed(date.format("-0700"), seconds))


def must_date_modify(duration: str, date: Time) -> Time:
    return date.add(Duration.parse(duration))


def unix_epoch(date: Time) -> str:
    return str(date.unix())


def duration(seconds: Any) -> str:
    if isinstance(seconds, str):
        return str(SPRIG["duration"](seconds))
    if isinstance(seconds, Int64):
        return str(SPRIG["duration"](str(int(seconds))))
    return "0s"


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "toDate": to_date,
    "mustToDate": must_to_date,
    "mustDateModify": must_date_modify,
    "must_date_modify": must_date_modify,
    "unixEpoch": unix_epoch,
    "duration": duration,
}
