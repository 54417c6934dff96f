"""Loki's push API, and what its answers mean to those who push."""

import asyncio
from collections.abc import Sequence

import httpx2

from adapters.loki.entries import Entry, body

PATH = "/loki/api/v1/push"
HEADERS = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
TIMEOUT_SECONDS = 10.0
REFUSALS = {400, 413, 422}
"""Answers about what was pushed. All others are about Loki, or the way to it."""
# Entries go in order, so one that is behind the newest of its stream has been there before.
KNOWN = ("too far behind", "out of order")
REASON_CHARACTERS = 500


class Refused(Exception):
    """Loki will never take all of these entries."""


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

    async def push(self, entries: Sequence[Entry]) -> None:
        """Give Loki the entries. Raises Refused or NotNow."""
        packed = await asyncio.to_thread(body, entries)
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
        if len(entries) > 1 or not any(word in reason for word in KNOWN):
            raise Refused(reason)


def _retry_after(answer: httpx2.Response) -> float:
    try:
        return max(0.0, float(answer.headers.get("Retry-After", "0")))
    except ValueError:
        return 0.0
