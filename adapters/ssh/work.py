"""What an operation does: it finds the host, goes phase by phase, and leaves no traces behind."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Literal

from adapters.ssh.conversation import Conversation
from adapters.ssh.failures import Failed, HostGone, Stopped
from adapters.ssh.folder import Launch
from adapters.ssh.job import Job, Outcome
from adapters.ssh.keys import login_keys
from adapters.ssh.reach import Reach
from adapters.ssh.runs import Runs
from adapters.ssh.sentences import how_it_failed, plain, shortened
from adapters.ssh.state import SavedState, outputs_of
from adapters.ssh.task_log import TaskLog
from adapters.ssh.timings import Timings
from adapters.ssh.variables import variables_of
from application.ports import Finished, OperationRequest, PhaseEnded, PhaseStarted
from domain.installation import CONNECT, Check, Phase, plan_of
from domain.values import OperationKind

MOST_DRIFT_CHARACTERS = 4000


class Work:
    """One operation. All it knows is in the request, in what it saves, or on the host.

    Raises Invalid or Failed when the request cannot be worked on.
    """

    def __init__(
        self, request: OperationRequest, talk: Conversation, timings: Timings, kept_bytes: int
    ) -> None:
        plan = plan_of(request.documents)
        keys = login_keys(request.private_key, plan.connection.private_keys)
        self._request = request
        self._talk = talk
        self._kept_bytes = kept_bytes
        self._installation = plan.installation
        self._sudo_password = plan.connection.sudo_password
        self._phases = plan.installation.phases_for(request.kind)
        self._saved = SavedState.of(request.state, request.task_id)
        self._reach = Reach(plan.connection, keys, request.known_hosts, timings, talk.ask)
        self._log = TaskLog(talk.tell, request.log_offsets)
        self._runs = Runs(request, self._reach, timings, self._log, talk.ask)
        self._is_resumed = request.is_resumed and self._saved.host is not None
        if self._saved.host is not None:
            self._runs.bind(self._saved.host)

    @property
    def state(self) -> Mapping[str, bytes]:
        """What to save: a check leaves it as it was."""
        if self._request.kind is OperationKind.CHECK:
            return self._request.state
        return self._saved.within(self._request.state)

    async def carry_out(self) -> Finished:
        """The end that is no failure. Raises Failed, Lost or Stopped for the others."""
        if not self._phases:
            return Finished(self.state)
        if self._request.kind is OperationKind.CHECK:
            return await self._checked()
        await self._connect()
        for number, phase in enumerate(self._phases):
            if phase.name not in self._saved.done:
                await self._run(phase, self._phases[number + 1 :])
        await self._leave_no_traces()
        return Finished(self.state)

    async def abandon(self) -> None:
        """Stop the script that runs. Raises HostGone or Failed when its host cannot be told."""
        await self._runs.stop(tuple(self._left_running()))

    async def hang_up(self) -> None:
        await self._reach.hang_up()

    def _left_running(self) -> Iterator[Job]:
        """What a manager before us may have begun and not seen the end of."""
        pending = [phase for phase in self._phases if phase.name not in self._saved.done]
        if self._is_resumed and pending:
            phase = pending[0]
            if phase.check:
                yield self._check_of(phase, phase.check, "The check")
            yield self._script_of(phase)

    async def _connect(self) -> None:
        if self._saved.host is not None:
            return
        await self._begin(CONNECT)
        host = await self._runs.choose_host(partial(self._log.note, CONNECT))
        await self._log.note(CONNECT, f"Connected to {self._reach.name(host)}.")
        self._saved = self._saved.bound_to(host)
        await self._end(CONNECT, self._phases)

    async def _run(self, phase: Phase, rest: Sequence[Phase]) -> None:
        await self._begin(phase.name, critical=phase.critical)
        outputs = {}
        has_nothing_to_do = await self._has_nothing_to_do(phase)
        if has_nothing_to_do:
            await self._log.note(phase.name, "Its check says that there is nothing to do.")
        else:
            outcome = await self._runs.carry_out(self._script_of(phase))
            self._must_have(outcome, f"Phase {phase.name}", phase.timeout_seconds, code=0)
            outputs = outputs_of(phase.name, outcome.written)
        self._is_resumed = False
        await self._end(phase.name, rest, outputs, skipped=has_nothing_to_do)

    async def _has_nothing_to_do(self, phase: Phase) -> bool:
        if phase.check is None:
            return False
        title = f"The check of phase {phase.name}"
        outcome = await self._runs.carry_out(self._check_of(phase, phase.check, title))
        self._must_have(outcome, title, phase.check.timeout_seconds)
        return outcome.ending.code == 0

    async def _checked(self) -> Finished:
        try:
            return await self._check()
        except Failed:
            if self._runs.is_on_host and not self._request.leaves_traces:
                await self._leave_no_traces()
            raise

    async def _check(self) -> Finished:
        await self._begin(self._phases[0].name)
        await self._runs.choose_host(partial(self._log.note, self._phases[0].name))
        differences = []
        for number, phase in enumerate(self._phases):
            if number:
                await self._begin(phase.name)
            outcome = await self._runs.carry_out(self._check_of(phase, phase, "The check"))
            self._must_have(outcome, "The check", phase.timeout_seconds)
            if outcome.ending.code != 0:
                differences.append(difference(phase.name, outcome))
        await self._leave_no_traces()
        drift = shortened("\n".join(differences), MOST_DRIFT_CHARACTERS)
        return Finished(self.state, in_sync=not differences, drift=drift or None)

    def _script_of(self, phase: Phase) -> Job:
        return self._job(
            phase, "script", f"Phase {phase.name}", phase.script, phase.timeout_seconds
        )

    def _check_of(self, phase: Phase, check: Check | Phase, title: str) -> Job:
        return self._job(phase, "check", title, check.script, check.timeout_seconds)

    def _job(
        self, phase: Phase, kind: Literal["script", "check"], title: str, script: str, seconds: int
    ) -> Job:
        return Job(
            phase=phase.name,
            kind=kind,
            title=title,
            script=script,
            variables=partial(
                variables_of,
                self._request,
                phase.name,
                self._saved.outputs,
                self._installation.env,
            ),
            launch=self._launch(seconds),
            critical=phase.critical,
            may_have_begun=self._is_resumed,
        )

    def _launch(self, seconds: int) -> Launch:
        shell = self._installation.shell
        if not self._installation.sudo:
            return Launch(self._kept_bytes, seconds, shell)
        if self._sudo_password is None:
            return Launch(self._kept_bytes, seconds, shell, "root")
        return Launch(self._kept_bytes, seconds, shell, "password", self._sudo_password.reveal())

    def _must_have(
        self, outcome: Outcome, title: str, timeout_seconds: int, code: int | None = None
    ) -> None:
        """Raises unless the script ended by itself, and with this exit code if one is given."""
        ending = outcome.ending
        if ending.how == "stopped":
            raise Stopped
        if ending.how != "ended" or code not in (None, ending.code):
            last = outcome.last_lines[-1] if outcome.last_lines else ""
            raise Failed(how_it_failed(title, ending, timeout_seconds, last))

    async def _begin(self, phase: str, *, critical: bool = False) -> None:
        names = tuple(each.name for each in self._phases)
        if self._request.kind is not OperationKind.CHECK:
            names = (CONNECT, *names)
        await self._talk.tell(PhaseStarted(phase, critical, names))

    async def _end(
        self,
        phase: str,
        rest: Sequence[Phase],
        outputs: Mapping[str, str] = MappingProxyType({}),
        *,
        skipped: bool = False,
    ) -> None:
        self._saved = self._saved.with_done(phase, outputs)
        after = rest[0] if rest else None
        ended = PhaseEnded(
            phase,
            self.state,
            next_phase=after.name if after else None,
            next_phase_critical=after.critical if after else False,
            skipped=skipped,
        )
        await self._talk.ask(ended)

    async def _leave_no_traces(self) -> None:
        try:
            await self._runs.clean(whole_cluster=self._request.kind is OperationKind.DELETE)
        except (HostGone, Failed) as reason:
            await self._log.note(
                self._phases[-1].name, f"The host keeps the task's folder: {reason}."
            )


def difference(phase: str, outcome: Outcome) -> str:
    """What a check found, in its own words."""
    words = "\n".join(filter(None, map(plain, outcome.last_lines)))
    return f"{phase}: {words or f'exit code {outcome.ending.code}'}"
