"""What the benchmarks share: figures with their bounds, medians, a PostgreSQL of their own."""

import statistics
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from adapters.embedded.postgres import EmbeddedPostgres

REPEATS = 3


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured figure and the bound it must keep; `at_most` turns the bound round."""

    name: str
    value: float
    bound: float
    at_most: bool = False
    told: str = ""

    @property
    def holds(self) -> bool:
        return self.value <= self.bound if self.at_most else self.value >= self.bound


Benchmark = Callable[[], Iterator[Figure]]


@contextmanager
def postgres() -> Iterator[str]:
    """A fresh PostgreSQL, as durable as in production; its connection string."""
    with tempfile.TemporaryDirectory(prefix="quarterdeck-bench-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        with EmbeddedPostgres(Path(folder) / "postgres") as server:
            yield server.dsn


def median_of(measure: Callable[[], float], repeats: int = REPEATS) -> float:
    return statistics.median(measure() for _ in range(repeats))
