"""How much the long forms do: the issue's counts, or what a variable of the environment says."""

import os


def count(variable: str, otherwise: int) -> int:
    """The count of `SOAK_…`; the issue's where nothing is set."""
    return int(os.environ.get(variable, "").replace("_", "") or otherwise)


CUTS = count("SOAK_CUTS", 10_000)
TAMPERED = count("SOAK_TAMPERED", 10_000)
EVENTS = count("SOAK_EVENTS", 10_000_000)
KILLS = count("SOAK_KILLS", 1_000)
POSTGRES_KILLS = count("SOAK_POSTGRES_KILLS", 300)
FAILOVERS = count("SOAK_FAILOVERS", 100)
LIVES = count("SOAK_LIVES", 3_000)
OUTAGE_SECONDS = count("SOAK_OUTAGE_SECONDS", 60)
