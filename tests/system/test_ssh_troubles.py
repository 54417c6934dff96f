"""What goes wrong with a host is told in the right status and in a sentence people understand."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest

from adapters.processes.manager import cluster_manager
from adapters.ssh.installer import SSHInstaller
from adapters.ssh.timings import Timings
from application.cluster_manager import ClusterManager
from application.cluster_templates import SectionText
from application.clusters import (
    ApplyChanges,
    ChangeCluster,
    ChangeClusterSettings,
    CheckCluster,
    ClusterCommand,
    DeleteCluster,
    ForgetHostKey,
    InstallCluster,
)
from domain.cluster_settings import Settings
from domain.clusters import Cluster, ClusterHostKeyPinned, ClusterStatus
from domain.tasks import TaskStatus
from domain.values import ChangeMode
from projections.reader import Shown
from projections.tasks import task as task_by_id
from tests.adapters.http.web.house import House, open_house
from tests.support.servers import SshHost
from tests.system.managed import at_work, cluster_of, declared

pytestmark = pytest.mark.slow
S, T = ClusterStatus, TaskStatus
QUICK = Timings(
    connect_seconds=3, keepalive_seconds=1, patience_seconds=1, longest_pause_seconds=0.2
)
SSH = """
apiVersion: dhctl.deckhouse.io/v1
kind: SSHConfig
sshUser: {{ .user }}
sshPort: {{ .port }}
---
apiVersion: dhctl.deckhouse.io/v1
kind: SSHHost
host: {{ .host }}
"""
PASSWORD = "pass\\wörd & 'more' of it"
PRINTS_ITS_PASSWORD = """
printf '%s\\n' "$P"; printf 'Basic %s\\n' "$(printf 'user:%s' "$P" | base64)"
head -c 8180 /dev/zero | tr '\\0' x; printf '%s\\n' "$P"
echo "the last words are $P"; exit 3
"""
PARAMS: tuple[dict[str, Any], ...] = (
    {"key": "host", "title": "Host", "type": "string"},
    {"key": "port", "title": "Port", "type": "number"},
    {"key": "user", "title": "User", "type": "string"},
    {"key": "secret", "title": "P", "type": "string", "format": "password", "optional": True},
)


@dataclass
class Story:
    """One cluster on one host, and a manager that does what is asked."""

    house: House
    host: SshHost
    manager: ClusterManager
    workspace_id: UUID
    cluster_id: UUID
    task_id: UUID | None = None
    """The task that was asked for last."""

    async def ask(self, kind: type[ClusterCommand]) -> Shown:
        """Ask for a task; what is shown of it when it is over."""
        await self.begin(kind)
        return await self.over()

    async def begin(self, kind: type[ClusterCommand]) -> None:
        await self.house.do(kind(**self.about))
        self.task_id = (await self.cluster()).task_id
        self.manager.notice((await self.house.hub.store.read(limit=10_000))[-1])

    async def over(self) -> Shown:
        async with asyncio.timeout(60):
            while (await self.cluster()).task_id == self.task_id:
                await asyncio.sleep(0.02)
        await self.house.shown()
        assert self.task_id is not None
        shown = await task_by_id(self.house.reads.now, self.workspace_id, self.task_id)
        assert shown is not None
        return shown

    @property
    def about(self) -> dict[str, UUID]:
        return {"workspace_id": self.workspace_id, "cluster_id": self.cluster_id}

    async def cluster(self) -> Cluster:
        return await cluster_of(self.house, self.cluster_id)

    async def status(self) -> ClusterStatus:
        return (await self.cluster()).status

    async def give(self, **values: Any) -> None:
        """Declare more values."""
        cluster = await self.cluster()
        configuration = cluster.configuration
        change = ChangeCluster(
            **self.about,
            name=cluster.name,
            cluster_template_version_id=configuration.template_version_id,
            values={**configuration.values, **values},
        )
        await self.house.do(change)

    async def authorize(self) -> None:
        self.host.authorize((await self.cluster()).ssh_public_key)

    async def until_file(self, name: str) -> None:
        """Until a script has made a file in its home."""
        async with asyncio.timeout(30):
            while not (self.host.home / name).exists():
                await asyncio.sleep(0.02)

    async def pins(self) -> list[ClusterHostKeyPinned]:
        records = await self.house.hub.store.load(self.cluster_id)
        return [r.event for r in records if isinstance(r.event, ClusterHostKeyPinned)]


Tell = Callable[..., Any]


@pytest.fixture
async def tell(database: str, tmp_path: Path, ssh_host: SshHost) -> AsyncIterator[Tell]:
    """Begins a story: the phases, or all of the installation's specification."""
    async with open_house(database, tmp_path) as house:
        manager = cluster_manager(house.hub, house.reads.now)
        manager.tools = replace(manager.tools, installer=SSHInstaller(QUICK))

        async def begin(*phases: dict[str, Any], **spec: Any) -> Story:
            sections = (
                SectionText(name="ssh", source=SSH),
                SectionText(name="installation", source=installation(*phases, **spec)),
            )
            ids = await declared(house, ssh_host, name="odd", params=PARAMS, sections=sections)
            story = Story(house, ssh_host, manager, *ids)
            by_hand = Settings(change_mode=ChangeMode.MANUAL)
            await house.do(ChangeClusterSettings(**story.about, settings=by_hand))
            return story

        async with at_work(manager):
            yield begin


def installation(*phases: dict[str, Any], **spec: Any) -> str:
    document = {"apiVersion": "quarterdeck.io/v1", "kind": "SSHInstallation"}
    text = orjson.dumps({**document, "spec": {"phases": phases, **spec}}).decode()
    return text.replace('"{{ .secret }}"', "{{ .secret | toJson }}")


def phase(name: str, script: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "script": script, **more}


async def test_a_host_that_does_not_let_us_in_is_told_with_the_line_that_helps(tell: Tell) -> None:
    story = await tell(phase("a", "echo here"))
    task = await story.ask(InstallCluster)
    assert (task["status"], await story.status()) == (T.FAILED, S.CREATION_FAILED)
    assert "add this line to the user's ~/.ssh/authorized_keys: ssh-ed25519 " in task["reason"]
    await story.authorize()
    assert (await story.ask(InstallCluster))["status"] == T.SUCCEEDED
    assert await story.status() == S.IN_SYNC


async def test_a_host_key_is_pinned_once_and_another_is_not_spoken_to(tell: Tell) -> None:
    story = await tell(phase("a", "echo here"), check={"script": "true"})
    await story.authorize()
    await story.ask(InstallCluster)
    (pinned,) = await story.pins()
    assert pinned.key == story.host.host_key
    story.host.change_host_key()
    task = await story.ask(CheckCluster)
    assert (task["status"], await story.status()) == (T.FAILED, S.UNKNOWN)
    assert f"{pinned.fingerprint} (ssh-ed25519) is pinned" in task["reason"]
    await story.house.do(
        ForgetHostKey(**story.about, host=story.host.address, port=story.host.port)
    )
    assert (await story.ask(CheckCluster))["status"] == T.SUCCEEDED
    assert await story.status() == S.IN_SYNC
    assert [pin.key for pin in await story.pins()] == [pinned.key, story.host.host_key]


@pytest.mark.parametrize("critical", [False, True])
async def test_a_host_that_goes_away_under_a_script_leaves_its_end_unknown(
    tell: Tell, critical: bool
) -> None:
    script = "touch $HOME/begun; sleep 600"
    story = await tell(phase("long", script, timeout="2s", critical=critical))
    await story.authorize()
    await story.begin(InstallCluster)
    await story.until_file("begun")
    story.host.stop()
    task = await story.over()
    wanted = T.LOST_IN_CRITICAL if critical else T.LOST
    assert (task["status"], await story.status()) == (wanted, S.UNKNOWN)
    assert "did not come back within" in task["reason"]
    assert task["reason"].endswith("Its script may still run there, or it has ended.")


@pytest.mark.parametrize("critical", [False, True])
async def test_a_host_whose_shell_dies_leaves_the_end_unknown_and_the_task_ends(
    tell: Tell, critical: bool
) -> None:
    script = "echo 'kill -9 $$' > $HOME/.bashrc; touch $HOME/begun; sleep 600"
    story = await tell(phase("long", script, timeout="2s", critical=critical))
    await story.authorize()
    await story.begin(InstallCluster)
    await story.until_file("begun")
    story.host.cut_connections()
    task = await story.over()
    wanted = T.LOST_IN_CRITICAL if critical else T.LOST
    assert (task["status"], await story.status()) == (wanted, S.UNKNOWN)
    assert "its log-in shell ends instead of running our command: signal KILL." in task["reason"]
    assert story.host.logins < 15


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("echo No space left.; exit 3", "Phase a failed: exit code 3 after"),
        ("echo waiting; sleep 600", "Phase a did not end within 1 s and was stopped."),
    ],
)
async def test_a_script_that_fails_or_hangs_fails_the_installation(
    tell: Tell, script: str, sentence: str
) -> None:
    story = await tell(phase("a", script, timeout="1s"))
    await story.authorize()
    task = await story.ask(InstallCluster)
    assert (task["status"], await story.status()) == (T.FAILED, S.CREATION_FAILED)
    assert task["reason"].startswith(sentence)
    assert task["reason"].endswith(("No space left.", "waiting"))


async def test_a_flood_of_output_neither_fails_the_installation_nor_fills_the_log(
    tell: Tell,
) -> None:
    flood = "head -c 100000000 /dev/zero | tr '\\0' x"
    story = await tell(phase("flood", flood))
    await story.authorize()
    task = await story.ask(InstallCluster)
    assert (task["status"], await story.status()) == (T.SUCCEEDED, S.IN_SYNC)
    lines = await story.house.hub.task_logs.read(UUID(task["id"]), limit=5000)
    assert sum(len(line.text) for line in lines if line.stream == "out") == 8 * 1024 * 1024
    assert "91,611,392 bytes of output dropped" in "".join(line.text for line in lines)


async def test_a_password_that_a_script_prints_is_masked_wherever_it_is_told(tell: Tell) -> None:
    story = await tell(phase("a", PRINTS_ITS_PASSWORD), env={"P": "{{ .secret }}"})
    await story.give(secret=PASSWORD)
    await story.authorize()
    task = await story.ask(InstallCluster)
    lines = await story.house.hub.task_logs.read(UUID(task["id"]), limit=5000)
    plain, basic, cut, rest, last, *_ = [line.text for line in lines if line.phase == "a"]
    assert (plain, rest, last) == ("***", "***", "the last words are ***")
    assert re.fullmatch(r"Basic dXNlcj.{0,2}\*\*\*.{0,3}", basic)
    assert cut == "x" * 8180 + "***"
    assert task["reason"].endswith("Last line: the last words are ***")


async def test_each_operation_that_fails_has_a_status_of_its_own(tell: Tell) -> None:
    broken = "test ! -e $HOME/broken || { echo It is broken.; exit 1; }"
    story = await tell(
        phase("a", broken),
        check={"script": "sleep 600", "timeout": "1s"},
        destroy={"script": broken},
    )
    await story.authorize()
    await story.ask(InstallCluster)
    (story.host.home / "broken").touch()
    for kind, status, sentence in (
        (ApplyChanges, S.SYNCHRONIZATION_FAILURE, "Last line: It is broken."),
        (CheckCluster, S.UNKNOWN, "The check did not end within 1 s and was stopped."),
        (DeleteCluster, S.DELETION_FAILED, "Last line: It is broken."),
    ):
        task = await story.ask(kind)
        assert (task["status"], await story.status()) == (T.FAILED, status)
        assert task["reason"].endswith(sentence)
    (story.host.home / "broken").unlink()
    assert (await story.ask(DeleteCluster))["status"] == T.SUCCEEDED
    assert await story.status() == S.DELETED
