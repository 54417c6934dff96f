"""A task's folder on a host: what is asked of the toolkit there, over one connection."""

import hashlib
import secrets
import shlex
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Literal, Self
from uuid import UUID

from adapters.ssh.failures import HostGone
from adapters.ssh.remote import LOST, RemoteCommands

PREPARE = (
    "umask 077; echo --quarterdeck--; cd || exit 70; "
    "if [ -d {task} ]; then echo known; elif [ {create} = no ]; then echo absent; exit 0; "
    "else mkdir -p {task} || exit 70; echo new; fi; "
    "if [ -e {toolkit} ]; then cat > /dev/null; else cat > {draft} && "
    '[ "$(wc -c < {draft})" -eq {size} ] && mv {draft} {toolkit} || exit 70; fi; '
    "pwd"
)
"""On one line, because not every log-in shell takes a quoted one with several."""
CALL = (
    '[ -e "$0" ] && exec sh "$0" "$@"; '
    "echo --quarterdeck--; echo the folder of the task is gone >&2; exit 70"
)
"""Another manager that ended the task has removed it, or the host was installed anew."""


@dataclass(frozen=True)
class Found:
    """The last run of a kind in a phase; `is_gone`: its keeper vanished and left no result."""

    number: int
    is_gone: bool
    age_seconds: int | None
    """None when it is not known: the host has no clock that nobody sets."""


@dataclass(frozen=True)
class Ending:
    """What came of a run. `how` is ended, timed-out, stopped, refused (by sudo), or gone."""

    how: str
    code: int = 0
    dropped_bytes: int = 0
    seconds: int | None = None


@dataclass(frozen=True)
class Launch:
    """How a script is started: the bytes of output that a phase may keep, its time, its user."""

    limit_bytes: int
    timeout_seconds: int
    shell: str
    runs_as: Literal["self", "root", "password"] = "self"
    sudo_password: str = field(default="", repr=False)


class TaskFolder:
    """`~/.quarterdeck/<cluster>/<task>/` on a host; methods raise HostGone when that goes away."""

    def __init__(self, commands: RemoteCommands, path: str, toolkit: str) -> None:
        self._commands = commands
        self.path = path
        self._toolkit = toolkit

    @classmethod
    async def make(cls, commands: RemoteCommands, cluster_id: UUID, task_id: UUID) -> Self:
        """The task's folder, made if it is not there."""
        _, home, toolkit = await _prepare(commands, _place(cluster_id, task_id), create=True)
        return cls(commands, f"{home}/{_place(cluster_id, task_id)}", f"{home}/{toolkit}")

    @classmethod
    async def find(cls, commands: RemoteCommands, cluster_id: UUID, task_id: UUID) -> Self | None:
        """The task's folder if it is there."""
        word, home, toolkit = await _prepare(commands, _place(cluster_id, task_id), create=False)
        if word == "absent":
            return None
        return cls(commands, f"{home}/{_place(cluster_id, task_id)}", f"{home}/{toolkit}")

    async def look(self, phase: str, kind: str) -> Found | None:
        """The newest run of this kind; None when none was ever claimed."""
        answer = (await self._ask("look", self._at(phase), kind)).decode()
        if answer.startswith("none"):
            return None
        number, word, age = answer.split()
        return Found(number=int(number), is_gone=word == "gone", age_seconds=_seconds(age))

    async def stage(self, script: str, variables: str) -> str:
        """Bring a script and its variables over; the answer is what `start` calls them."""
        staged = self._at(f"staged-{secrets.token_hex(4)}")
        for name, text in (("script", script), ("env", variables)):
            content = text.encode()
            await self._ask("put", staged, name, str(len(content)), given=content)
        return staged

    async def start(self, phase: str, run: str, staged: str, base: int, launch: Launch) -> None:
        """Claim the run and start it, unless it was claimed before.

        `base` is the number of bytes of the phase's output that were told of already.
        """
        await self._ask(
            "start",
            self._at(phase),
            run,
            staged,
            str(base),
            str(launch.limit_bytes),
            str(launch.timeout_seconds),
            launch.shell,
            launch.runs_as,
            given=launch.sudo_password.encode() + b"\n",
        )

    async def follow(
        self, phase: str, run: str, offset: int
    ) -> AsyncGenerator[bytes | Ending, None]:
        """The phase's output from a byte on, as it comes, and last of all the run's Ending."""
        command = self._command("follow", self._at(phase), run, str(offset))
        last_words: list[bytes] = []
        async with aclosing(self._commands.listen(command, last_words)) as output:
            async for chunk in output:
                yield chunk
        yield _ending(b"".join(last_words))

    async def stop(self, phase: str, run: str) -> None:
        """End the run with all its processes; one that was not claimed yet never starts."""
        await self._ask("stop", self._at(phase), run)

    def state_file(self, phase: str, run: str) -> str:
        """Where the script writes what later phases are to know."""
        return self._at(f"{phase}/{run}/state")

    async def state(self, phase: str, run: str, limit_bytes: int) -> bytes:
        """What it wrote there; a byte more than the limit when it is too much."""
        return await self._ask("state", self._at(f"{phase}/{run}"), str(limit_bytes))

    async def clean(self, *, whole_cluster: bool) -> None:
        """Remove the folder and old ones beside it, or all that there is of the cluster."""
        await self._ask("clean", self.path, "all" if whole_cluster else "task")

    def _at(self, name: str) -> str:
        return f"{self.path}/{name}"

    def _command(self, *words: str) -> str:
        return f"exec sh -c {shlex.join([CALL, self._toolkit, *words])}"

    async def _ask(self, *words: str, given: bytes = b"") -> bytes:
        return await self._commands.ask(self._command(*words), given)


def _place(cluster_id: UUID, task_id: UUID) -> str:
    return f".quarterdeck/{cluster_id}/{task_id}"


async def _prepare(commands: RemoteCommands, task: str, *, create: bool) -> tuple[str, str, str]:
    """`known`, `new` or `absent`; the home folder; and the toolkit's place below it."""
    content = files(__package__).joinpath("toolkit.sh").read_bytes()
    toolkit = f"{task}/toolkit-{hashlib.sha256(content).hexdigest()[:12]}.sh"
    text = PREPARE.format(
        task=task,
        toolkit=toolkit,
        draft=f"{toolkit}.{secrets.token_hex(4)}",
        size=len(content),
        create="yes" if create else "no",
    )
    answer = await commands.ask(f"exec sh -c {shlex.quote(text)}", content)
    word, *rest = answer.decode(errors="replace").splitlines()
    return word, (rest[-1].rstrip("/") if rest else ""), toolkit


def _ending(words: bytes) -> Ending:
    match words.decode(errors="replace").split("\n")[-2:-1]:
        case ["gone"]:
            return Ending(how="gone")
        case [line] if line.startswith("end "):
            _, code, how, dropped, seconds = line.split()
            return Ending(how, int(code), int(dropped), _seconds(seconds))
    raise HostGone(LOST)


def _seconds(word: str) -> int | None:
    return int(word) if word.isdecimal() else None
