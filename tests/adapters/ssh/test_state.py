"""What is saved after a phase says all that the next manager needs, and no more of another task."""

from uuid import uuid4

import pytest

from adapters.ssh.failures import Failed
from adapters.ssh.state import NAME, SavedState, outputs_of

TASK = uuid4()


def test_a_task_finds_its_own_state_again() -> None:
    saved = SavedState(task_id=TASK).bound_to("10.0.0.1").with_done("first", {"TOKEN": "a=b"})
    assert SavedState.of(saved.within({}), TASK) == saved


def test_another_task_takes_the_outputs_over_and_nothing_else() -> None:
    saved = SavedState(task_id=TASK).bound_to("10.0.0.1").with_done("first", {"TOKEN": "a"})
    other = uuid4()
    assert SavedState.of(saved.within({}), other) == SavedState(
        task_id=other, outputs={"TOKEN": "a"}
    )


def test_what_others_saved_is_kept() -> None:
    assert SavedState(task_id=TASK).within({"other": b"x"})["other"] == b"x"


def test_a_state_that_cannot_be_read_is_a_sentence() -> None:
    with pytest.raises(Failed, match="cannot be read"):
        SavedState.of({NAME: b"{"}, TASK)


def test_outputs_are_assignments_one_to_a_line() -> None:
    assert outputs_of("first", b"A=1\n\nB=x=y \nA=2") == {"A": "2", "B": "x=y "}
