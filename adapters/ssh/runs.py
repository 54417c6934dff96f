"""Scripts on the task's host: each is run once, whoever goes away meanwhile, and then followed."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from functools import partial
from uuid import UUID

from adapters.ssh.failures import Failed, HostGone, Lost
from adapters.ssh.folder import Ending, Found, TaskFolder
from adapters.ssh.job import Job, Outcome
from adapters.ssh.lines import Lines
from adapters.ssh.outage import Note, Outage
from adapters.ssh.reach import Reach
from adapters.ssh.remote import RemoteCommands
from adapters.ssh.sentences import span
from adapters.ssh.task_log import TaskLog
from adapters.ssh.timings import Timings
from application.ports import OperationRequest, Report, TracesLost

MOST_RUNS = 5
"""So often a script is run again because its host was started anew under it."""
STOP_SECONDS = 40.0
STATE_BYTES = 64 * 1024


class Runs:
    """The runs of one task on its host."""

    def __init__(
        self,
        request: OperationRequest,
        reach: Reach,
        timings: Timings,
        log: TaskLog,
        ask: Callable[[Report], Awaitable[None]],
    ) -> None:
        self._request = request
        self._reach = reach
        self._timings = timings
        self._log = log
        self._ask = ask
        self._host = ""
        self._folder: TaskFolder | None = None
        self._running: tuple[Job, str] | None = None
        self._may_have_begun = False
        self._until = 0.0

    @property
    def is_on_host(self) -> bool:
        """Whether there is a folder of the task, and a connection to it."""
        return self._folder is not None

    async def choose_host(self, note: Note) -> str:
        """Bind the task to the first host that lets us in, with a folder for it there."""
        host, connection = await self._reach.choose(note)
        self.bind(host)
        commands = RemoteCommands(connection, self._timings.answer_seconds)
        try:
            self._folder = await TaskFolder.make(commands, *self._ids)
        except HostGone as gone:
            how = "" if gone.is_answer else "went away at once: "
            raise Failed(f"{self._address} {how}{gone}.") from None
        return host

    def bind(self, host: str) -> None:
        self._host = host

    async def carry_out(self, job: Job) -> Outcome:
        """What came of the job, through every loss of the connection. Raises Lost or Failed."""
        self._may_have_begun = job.may_have_begun
        self._grant(job)
        self._log.tail.clear()
        outage = Outage(self._timings)
        while True:
            try:
                outcome = await self._attempt(job, outage)
            except HostGone as gone:
                self._folder = None
                await self._wait(job, outage, gone)
            else:
                if outcome is not None:
                    self._running = None
                    return outcome

    async def stop(self, perhaps: Sequence[Job]) -> None:
        """End what runs, and tell its last lines. Raises HostGone when the host cannot be told.

        `perhaps` are the jobs that another manager may have left running.
        """
        try:
            async with asyncio.timeout(STOP_SECONDS):
                if self._running:
                    await self._again_if_gone(partial(self._stop, *self._running))
                elif perhaps:
                    await self._again_if_gone(partial(self._stop_any, perhaps))
        except TimeoutError:
            raise HostGone("does not answer") from None

    async def clean(self, *, whole_cluster: bool) -> None:
        """Leave nothing of the task on the host. Raises HostGone or Failed."""
        folder = self._folder or await self._redial()
        await folder.clean(whole_cluster=whole_cluster)

    async def _attempt(self, job: Job, outage: Outage) -> Outcome | None:
        """One connection's worth of following; None when the run vanished meanwhile."""
        folder = await self._open(job)
        await outage.connected(self._address, partial(self._log.note, job.phase))
        run = await self._run_of(folder, job)
        self._running = (job, run)
        ending = await self._follow(folder, job, run, outage)
        if ending.how == "gone":
            return None
        if ending.dropped_bytes:
            kept = f"a phase keeps its first {job.launch.limit_bytes:,} bytes"
            await self._log.note(
                job.phase, f"{ending.dropped_bytes:,} bytes of output dropped: {kept}."
            )
        written = b""
        if job.kind == "script" and ending.how == "ended":
            written = await folder.state(job.phase, run, STATE_BYTES)
        return Outcome(ending, tuple(self._log.tail), written)

    async def _open(self, job: Job) -> TaskFolder:
        if self._folder is None:
            commands = await self._commands()
            self._folder = await TaskFolder.find(commands, *self._ids)
            if self._folder is None:
                await self._accept_lost_traces(job)
                self._folder = await TaskFolder.make(commands, *self._ids)
        return self._folder

    async def _run_of(self, folder: TaskFolder, job: Job) -> str:
        """The run to follow: the one that is there, or one that is started now."""
        found = await folder.look(job.phase, job.kind)
        if found and not found.is_gone:
            if self._running is None:
                age = found.age_seconds
                begun = "" if age is None else f", begun {span(age)} ago"
                await self._log.note(job.phase, f"Found on the host{begun}.")
            self._grant(job, found.age_seconds or 0)
            return f"{job.kind}.{found.number}"
        if found:
            await self._accept_vanished(job, found)
        run = f"{job.kind}.{found.number + 1 if found else 1}"
        variables = job.variables(folder.state_file(job.phase, run))
        staged = await folder.stage(job.script, variables)
        self._running = (job, run)
        self._may_have_begun = True
        self._grant(job)
        await folder.start(job.phase, run, staged, self._log.offset(job.phase), job.launch)
        return run

    async def _follow(
        self, folder: TaskFolder, job: Job, run: str, outage: Outage | None = None
    ) -> Ending:
        lines = Lines(self._log.offset(job.phase))
        async with aclosing(folder.follow(job.phase, run, lines.offset)) as output:
            while True:
                try:
                    async with asyncio.timeout(self._patience_seconds()):
                        piece = await anext(output)
                except TimeoutError:
                    break
                if outage:
                    outage.heard()
                if isinstance(piece, Ending):
                    await self._log.add(job.phase, lines.rest())
                    return piece
                await self._log.add(job.phase, lines.feed(piece))
        raise Failed(
            f"{job.title} did not end within {span(job.launch.timeout_seconds)}, "
            f"and {self._address} did not stop it either."
        )

    async def _stop(self, job: Job, run: str, folder: TaskFolder) -> None:
        await folder.stop(job.phase, run)
        await self._follow(folder, job, run)

    async def _stop_any(self, jobs: Sequence[Job], folder: TaskFolder) -> None:
        for job in jobs:
            found = await folder.look(job.phase, job.kind)
            if found and not found.is_gone:
                await self._stop(job, f"{job.kind}.{found.number}", folder)

    async def _again_if_gone(self, do: Callable[[TaskFolder], Awaitable[None]]) -> None:
        """The connection may have died unnoticed: then a new one is tried, once."""
        if self._folder:
            try:
                await do(self._folder)
            except HostGone:
                pass
            else:
                return
        await do(await self._redial())

    async def _redial(self) -> TaskFolder:
        self._folder = await TaskFolder.make(await self._commands(), *self._ids)
        return self._folder

    async def _commands(self) -> RemoteCommands:
        connection = await self._reach.dial(self._host)
        return RemoteCommands(connection, self._timings.answer_seconds)

    async def _wait(self, job: Job, outage: Outage, gone: HostGone) -> None:
        """Until the next try. Raises Lost or Failed when there is no time left for one."""
        try:
            await outage.wait(self._address, gone, self._until, partial(self._log.note, job.phase))
        except HostGone:
            raise self._stays_away(job, gone, outage.seconds) from None

    def _stays_away(self, job: Job, gone: HostGone, seconds: float) -> Failed:
        how = "was of no use for" if gone.is_answer else "did not come back within"
        text = f"{job.title}: {self._address} {how} {span(seconds)}: it {gone}."
        if job.kind == "script" and self._may_have_begun:
            return Lost(f"{text} Its script may still run there, or it has ended.")
        return Failed(text)

    async def _accept_lost_traces(self, job: Job) -> None:
        """Only who still has the task may go on: another manager may have ended it meanwhile."""
        is_dangerous = job.critical and (job.kind == "script" or job.may_have_begun)
        if self._may_have_begun and is_dangerous:
            raise Lost(
                f"{job.title} is critical and nobody can say how it ended: {self._address} knows "
                "nothing of the task; it was probably installed anew. Look at the host before the "
                "phase is run again."
            )
        await self._ask(TracesLost(job.phase))
        again = "running the phase again" if self._may_have_begun else "beginning anew"
        await self._log.note(job.phase, f"The host knows nothing of the task: {again}.")

    async def _accept_vanished(self, job: Job, found: Found) -> None:
        if job.critical and job.kind == "script":
            raise Lost(
                f"{job.title} is critical and nobody can say how it ended: its process on "
                f"{self._address} has vanished; the host was started anew or the process was "
                "killed. Look at the host before the phase is run again."
            )
        if found.number >= MOST_RUNS:
            raise Failed(f"{job.title} has vanished from {self._address} {found.number} times.")
        text = "Its process has vanished: the host was started anew, or it was killed."
        await self._log.note(job.phase, f"{text} Running it again.")

    def _grant(self, job: Job, used_seconds: float = 0.0) -> None:
        self._until = self._now() + job.launch.timeout_seconds - used_seconds

    def _patience_seconds(self) -> float:
        """How long output may be waited for: the host ends the script by itself when time is up."""
        grace = self._timings.grace_seconds
        return max(self._until - self._now(), 0.0) + grace

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    @property
    def _address(self) -> str:
        return str(self._reach.address(self._host))

    @property
    def _ids(self) -> tuple[UUID, UUID]:
        return self._request.cluster_id, self._request.task_id
