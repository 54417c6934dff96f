"""How long the installer waits for what."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Timings:
    """Spans in seconds."""

    connect_seconds: float = 10.0
    """For a host to answer and let us in."""
    keepalive_seconds: float = 5.0
    """Between signs of life; a host that gives none three times is gone."""
    patience_seconds: float = 60.0
    """At least so long a host that went away is tried again, and while its phase has time left."""
    longest_pause_seconds: float = 5.0
    """Between two tries; a host that stays away is tried less often (backoff.py)."""
    answer_seconds: float = 60.0
    """For a command to begin, and to answer."""
    steady_seconds: float = 30.0
    """A connection that held so long is no part of the trouble before it."""
    grace_seconds: float = 30.0
    """After a script's time is up, for the host to stop it by itself."""
