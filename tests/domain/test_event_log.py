"""That the log has lost events is told with what was lost, who had seen it, and who went on."""

import pytest

from domain.event_log import EventLog, EventLossAccepted
from domain.model import OutOfOrder
from domain.workspaces import WorkspaceRenamed


def test_accepting_a_loss_tells_its_positions_who_had_seen_them_who_wanted_it_and_why() -> None:
    (accepted,) = EventLog.accept_loss(7, 9, ("relay",), " Power. ", "Mira Okafor")
    assert accepted == EventLossAccepted(
        after=7, seen=9, readers=("relay",), reason="Power.", ordered_by="Mira Okafor"
    )
    audited = accepted.audited()
    assert audited is not None
    assert audited.audited_changes["seen"] == 9


def test_a_log_may_lose_events_more_than_once() -> None:
    state = None
    for n in (1, 2):
        (accepted,) = EventLog.accept_loss(None, 9, ("loki",), "Again.", "Mira")
        state = EventLog.evolve(state, accepted)
        assert state == EventLog(losses=n)


def test_nothing_else_happens_to_the_log_itself() -> None:
    with pytest.raises(OutOfOrder):
        EventLog.evolve(None, WorkspaceRenamed(name="a", previous_name="b"))
