"""Routine checks in memory keep what routine checks promise."""

import pytest

from adapters.memory.routine_checks import InMemoryRoutineChecks
from tests.adapters.contracts.routine_checks import RoutineChecksContract


class TestInMemoryRoutineChecks(RoutineChecksContract):
    @pytest.fixture
    def checks(self) -> InMemoryRoutineChecks:
        return InMemoryRoutineChecks()
