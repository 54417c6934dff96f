"""Loki's push API, and what its answers mean to those who push."""

import asyncio
import re
from collections.abc import Sequence
from datetime import datetime

import httpx2

from adapters.loki.entries import Entry, body

PATH = "/loki/api/v1/push"
HEADERS = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
TIMEOUT_SECONDS = 10.0
REFUSALS = {400, 413, 422}
"""Answers about what was pushed. All others are about Loki, or the way to it."""
# Entries go in order, so one that is behind the newest of its stream has been there before.
KNOWN = ("too far behind", "out of order")
TOO_OLD = re.compile(r"timestamp too old: \S+, oldest acceptable timestamp is: (\S+?)[,;]?(\s|$)")
REASON_CHARACTERS = 500


class Refused(Exception):
    """Loki will not take all of these entries.

    `is_known`: an entry that comes in its turn has been there before. `oldest_nanoseconds`: when
    Loki says how old an entry may be at most, the instant of it, else 0.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.is_known = any(word in reason for word in KNOWN)
        self.oldest_nanoseconds = _oldest(reason)


class NotNow(Exception):
    """Loki cannot take them now; `after_seconds` is what it asks for."""

    def __init__(self, detail: str, after_seconds: float = 0.0) -> None:
        super().__init__(detail)
        self.after_seconds = after_seconds


class LokiClient:
    """Pushes to the Loki at `url`; `tenant` is its X-Scope-OrgID where it has many."""

    def __init__(self, http: httpx2.AsyncClient, url: str, tenant: str | None = None) -> None:
        self._http = http
        self._url = url.rstrip("/") + PATH
        self._headers = HEADERS if tenant is None else {**HEADERS, "X-Scope-OrgID": tenant}

    async def push(self, entries: Sequence[Entry], *, is_late: bool = False) -> None:
        """Give Loki the entries. Raises Refused or NotNow."""
        packed = await asyncio.to_thread(body, entries, is_late=is_late)
        try:
            answer = await self._http.post(
                self._url, content=packed, headers=self._headers, timeout=TIMEOUT_SECONDS
            )
        except (httpx2.TransportError, httpx2.StreamError) as error:
            raise NotNow(f"{type(error).__name__}: {error}") from error
        if answer.is_success:
            return
        reason = f"{answer.status_code}: {answer.text.strip()[:REASON_CHARACTERS]}"
        if answer.status_code not in REFUSALS:
            raise NotNow(reason, _retry_after(answer))
        raise Refused(reason)


def _oldest(reason: str) -> int:
    """The instant before which nothing is taken (`reject_old_samples`), if that is the reason."""
    found = TOO_OLD.search(reason)
    try:
        return int(datetime.fromisoformat(found[1]).timestamp()) * 10**9 if found else 0
    except ValueError:
        return 0


def _retry_after(answer: httpx2.Response) -> float:
    try:
        return max(0.0, float(answer.headers.get("Retry-After", "0")))
    except ValueError:
        return 0.0
