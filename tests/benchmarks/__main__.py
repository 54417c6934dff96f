"""`make bench`: every figure, or those named; BENCH_JSON=file writes them as {name: number}."""

import os
import sys
from importlib import import_module
from pathlib import Path

import orjson

from tests.benchmarks.bench import Figure

MODULES = [
    "appending",
    "replaying",
    "projecting",
    "serving",
    "fleet",
    "live_pages",
    "kafka_relay",
    "hostile",
]


def main(names: list[str]) -> int:
    figures: list[Figure] = []
    for name in names or MODULES:
        for figure in import_module(f"tests.benchmarks.{name}").run():
            figures.append(figure)
            _tell(figure)
    if path := os.environ.get("BENCH_JSON"):
        Path(path).write_bytes(orjson.dumps({f.name: round(f.value, 4) for f in figures}))
    return 0


def _tell(figure: Figure) -> None:
    mark = "ok  " if figure.holds else "MISS"
    sign = "<=" if figure.at_most else ">="
    print(
        f"{mark} {figure.name:44s} {figure.value:10.2f}  {sign} {figure.bound:g}  {figure.told}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
