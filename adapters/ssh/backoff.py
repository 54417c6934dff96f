"""How long to wait before a host is tried again: longer each time, and not in step with others."""

import random

FIRST_PAUSE_SECONDS = 0.25
FIRST_PAUSE_AFTER_REFUSAL_SECONDS = 4.0
"""fail2ban and sshd's PerSourcePenalties bar an address that is refused a few times in a minute."""
MAX_PAUSE_SECONDS = 60.0
OUTAGE_SHARE = 0.1
"""Who was away for long is looked for less often: its return is noticed late by this share."""
JITTER = 0.25


class ReconnectBackoff:
    """Pauses in seconds: each is twice the one before, up to a longest or to a tenth of the time
    that the host has been away, and a quarter more or less by chance."""

    def __init__(self, longest_seconds: float) -> None:
        self._longest = longest_seconds
        self._tries = 0

    def next_pause(self, away_seconds: float, *, after_refusal: bool) -> float:
        """How long to wait now; what refuses is asked less often from the beginning."""
        first = FIRST_PAUSE_AFTER_REFUSAL_SECONDS if after_refusal else FIRST_PAUSE_SECONDS
        longest = max(self._longest, away_seconds * OUTAGE_SHARE, first if after_refusal else 0.0)
        pause = min(first * 2.0 ** min(self._tries, 16), longest, MAX_PAUSE_SECONDS)
        self._tries += 1
        return pause * random.uniform(1 - JITTER, 1 + JITTER)

    def reset(self) -> None:
        """The host has been well for a while."""
        self._tries = 0
