"""What holds for every read model, also for those that are yet to come."""

import re
from collections import Counter
from pathlib import Path

import pytest

from domain.model import Event
from projections import PROJECTIONS
from projections.projection import Projection

TYPES = {"uuid", "text", "bigint", "integer", "smallint", "boolean", "timestamptz", "jsonb"}
FOLDER = Path(__file__).parents[2] / "projections"
NOT_READ_MODELS = {"__init__", "projection", "reader"}

every_projection = pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda p: p.name)


def test_every_file_is_a_read_model_and_is_known() -> None:
    files = {file.stem for file in FOLDER.glob("*.py")} - NOT_READ_MODELS
    assert files == {projection.name for projection in PROJECTIONS}


def test_no_two_projections_have_a_table_of_one_name() -> None:
    names = Counter(table.name for known in PROJECTIONS for table in known.tables)
    assert {name for name, count in names.items() if count > 1} == set()


@every_projection
def test_its_tables_are_declared_in_types_that_can_be_written(projection: Projection) -> None:
    for table in projection.tables:
        assert set(table.columns.values()) <= TYPES
        assert list(table.columns)[: len(table.key)] == list(table.key)


@every_projection
def test_it_has_a_rule(projection: Projection) -> None:
    assert projection.topics is None or projection.topics <= Event.topics.keys()
    assert projection.topics != frozenset()


def test_every_event_is_somewhere_to_be_seen() -> None:
    assert any(projection.topics is None for projection in PROJECTIONS)


def test_the_readme_names_every_read_model() -> None:
    named = re.findall(r"^\| `(\w+)`", (FOLDER / "README.md").read_text(), re.MULTILINE)
    assert named == [projection.name for projection in PROJECTIONS]
