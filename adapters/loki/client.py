"""Loki's push API, and what its answers mean to those who push."""

import asyncio
import logging
import re
from collections.abc import Sequence
from datetime import datetime

import httpx2

from adapters.loki.entries import Entry, body

logger = logging.getLogger(__name__)

PATH = "/loki/api/v1/push"
HEADERS = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
TIMEOUT_SECONDS = 10.0
REFUSALS = {400, 413, 422}
"""Answers about what was pushed. All others are about Loki, or the way to it."""
NO_METADATA = "structured metadata, but this feature is disallowed"
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
    """Pushes to the Loki at `url`; `tenant` is its X-Scope-OrgID where it has many.

    `url` may name the push path too, as the configuration of other shippers does. A Loki that
    takes no structured metadata gets the lines without their positions.
    """

    def __init__(self, http: httpx2.AsyncClient, url: str, tenant: str | None = None) -> None:
        self._http = http
        self._url = push_address(url)
        self._with_positions = True
        self._headers = HEADERS if tenant is None else {**HEADERS, "X-Scope-OrgID": tenant}

    async def push(self, entries: Sequence[Entry], *, is_late: bool = False) -> None:
        """Give Loki the entries. Raises Refused or NotNow."""
        try:
            await self._push(entries, is_late=is_late)
        except Refused as refused:
            if not self._with_positions or NO_METADATA not in str(refused):
                raise
            logger.warning(
                "Loki takes no structured metadata (allow_structured_metadata):"
                " lines are shipped without their positions"
            )
            self._with_positions = False
            await self._push(entries, is_late=is_late)

    async def _push(self, entries: Sequence[Entry], *, is_late: bool) -> None:
        packed = await asyncio.to_thread(
            body, entries, is_late=is_late, with_positions=self._with_positions
        )
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


def push_address(url: str) -> str:
    """Where a Loki is pushed to, whose address is given with or without the path of its pushes."""
    return url.rstrip("/").removesuffix(PATH) + PATH


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
