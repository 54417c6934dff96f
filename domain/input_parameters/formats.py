"""Formats a text can be asked to have, each with the sentence that asks for it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Address
from urllib.parse import urlsplit

from domain.input_parameters.schema import Format


@dataclass(slots=True, frozen=True)
class FormatRule:
    sentence: str
    holds: Callable[[str], bool]


_DATE_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL = re.compile(rf"[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@{_LABEL}(?:\.{_LABEL}){{1,10}}")


def _is_date_time(text: str) -> bool:
    if not _DATE_TIME.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text.upper())
    except ValueError:
        return False
    return True


def _is_url(text: str) -> bool:
    """With a scheme and a host; a port beyond 65535 raises, as does an open bracket."""
    try:
        parts = urlsplit(text)
        has_port_or_none = parts.port != 0
    except ValueError:
        return False
    has_spaces = any(character.isspace() for character in text)
    return bool(parts.scheme and parts.hostname) and has_port_or_none and not has_spaces


def _is_ipv4(text: str) -> bool:
    try:
        IPv4Address(text)
    except ValueError:
        return False
    return True


FORMATS = {
    Format.PASSWORD: FormatRule("must be a password", lambda _: True),
    Format.DATE_TIME: FormatRule("must be a time such as 2026-01-31T09:30:00Z", _is_date_time),
    Format.URL: FormatRule("must be an address such as https://example.com/path", _is_url),
    Format.EMAIL: FormatRule(
        "must be a mail address such as name@example.com",
        lambda text: bool(_EMAIL.fullmatch(text)),
    ),
    Format.UUID: FormatRule(
        "must be a UUID such as 123e4567-e89b-12d3-a456-426614174000",
        lambda text: bool(_UUID.fullmatch(text)),
    ),
    Format.IPV4: FormatRule("must be an IPv4 address such as 192.0.2.1", _is_ipv4),
}
