"""What is saved after each phase, so that any manager can go on from there."""

import re
from collections.abc import Mapping
from typing import Self
from uuid import UUID

from pydantic import ValidationError

from adapters.ssh.failures import Failed
from domain.model import Value

NAME = "phases.json"
MAX_OUTPUTS_BYTES = 64 * 1024
ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)")


class SavedState(Value):
    """The host the task is bound to, its ended phases, and what scripts left for later ones.

    `outputs` outlive the task: a change and the delete see what the installation wrote.
    """

    task_id: UUID
    host: str | None = None
    done: tuple[str, ...] = ()
    outputs: dict[str, str] = {}

    @classmethod
    def of(cls, state: Mapping[str, bytes], task_id: UUID) -> Self:
        """The task's own state, or a fresh one that takes the cluster's outputs over."""
        if NAME not in state:
            return cls(task_id=task_id)
        try:
            saved = cls.model_validate_json(state[NAME])
        except ValidationError:
            raise Failed(
                "The saved state of the cluster's last operation cannot be read."
            ) from None
        return saved if saved.task_id == task_id else cls(task_id=task_id, outputs=saved.outputs)

    def within(self, state: Mapping[str, bytes]) -> dict[str, bytes]:
        """The state to save: this, and whatever else was there."""
        return {**state, NAME: self.model_dump_json().encode()}

    def bound_to(self, host: str) -> Self:
        return self.model_copy(update={"host": host})

    def with_done(self, phase: str, outputs: Mapping[str, str]) -> Self:
        changes = {"done": (*self.done, phase), "outputs": {**self.outputs, **outputs}}
        return self.model_copy(update=changes)


def outputs_of(phase: str, written: bytes) -> dict[str, str]:
    """The KEY=value lines that a script wrote to $QUARTERDECK_STATE.

    Raises Failed when they are too much or are something else.
    """
    if len(written) > MAX_OUTPUTS_BYTES:
        raise Failed(
            f"Phase {phase} wrote more than {MAX_OUTPUTS_BYTES // 1024} KiB to $QUARTERDECK_STATE."
        )
    outputs: dict[str, str] = {}
    for number, line in enumerate(written.decode(errors="replace").split("\n"), 1):
        if line.strip():
            outputs.update([_assignment(phase, number, line)])
    return outputs


def _assignment(phase: str, number: int, line: str) -> tuple[str, str]:
    found = ASSIGNMENT.fullmatch(line.replace("\0", "\N{REPLACEMENT CHARACTER}"))
    if not found:
        raise Failed(f"Phase {phase}: line {number} of $QUARTERDECK_STATE is not KEY=value.")
    return found[1], found[2]
