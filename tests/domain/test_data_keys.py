"""That a key is erased is told with who wanted it and why, each time."""

from uuid import UUID

import pytest

from domain.data_keys import DataKey, DataKeyErased, data_key_id
from domain.model import OutOfOrder
from domain.workspaces import WorkspaceRenamed

SUBJECT = UUID(int=7)


def test_erasing_tells_whose_key_it_was_who_wanted_it_and_why() -> None:
    (erased,) = DataKey.erase(SUBJECT, " They left. ", "Mira Okafor")
    assert erased == DataKeyErased(
        subject_id=SUBJECT, reason="They left.", ordered_by="Mira Okafor"
    )
    audited = erased.audited()
    assert audited is not None
    assert audited.audited_changes["reason"] == "They left."


def test_a_key_that_came_after_is_erased_in_its_turn() -> None:
    state = None
    for _ in range(2):
        (erased,) = DataKey.erase(SUBJECT, "Again.", "Mira")
        state = DataKey.evolve(state, erased)
    assert state == DataKey(subject_id=SUBJECT)


def test_each_subject_has_a_stream_of_its_own() -> None:
    assert data_key_id(SUBJECT) == data_key_id(SUBJECT) != data_key_id(UUID(int=8))


def test_nothing_else_happens_to_a_key() -> None:
    with pytest.raises(OutOfOrder):
        DataKey.evolve(None, WorkspaceRenamed(name="a", previous_name="b"))
