"""Clients of a fleet that never give up: what got no answer is asked again with the same key.

Each thing they ask for has a word that nothing else has, so that the log can be held against it.
"""

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from itertools import cycle
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import httpx2

from adapters.postgres.event_store import PostgresEventStore
from domain.clusters import events as clusters
from domain.model import Recorded
from domain.values import OperationKind
from domain.workspaces import WorkspaceCreated, WorkspaceRenamed
from tests.support.quarterdeck import Quarterdeck, eventually
from tests.support.servers import SshHost

PAUSE_SECONDS = 0.05
ANSWER_SECONDS = 45.0
PATIENCE_SECONDS = 600.0
"""Longer than all outages of the long form in a row."""
CHANGES = 8
LOG_PAGE = 2_000
ERROR = '"level": "error"'

SSH = """\
apiVersion: dhctl.deckhouse.io/v1
kind: SSHConfig
sshUser: {{ .user }}
sshPort: {{ .port }}
---
apiVersion: dhctl.deckhouse.io/v1
kind: SSHHost
host: {{ .host | quote }}
"""
INSTALLATION = """\
apiVersion: quarterdeck.io/v1
kind: SSHInstallation
spec:
  phases:
    - name: first
      script: echo "$QUARTERDECK_TASK_ID first" >> ran
    - name: second
      script: |
        echo "$QUARTERDECK_TASK_ID second" >> ran
        echo {{ .greeting | squote }}
  destroy:
    script: echo "$QUARTERDECK_TASK_ID destroy" >> ran
"""
TEMPLATE = {
    "name": "load",
    "params": [
        {"key": "host", "title": "Host", "type": "string"},
        {"key": "port", "title": "Port", "type": "number"},
        {"key": "user", "title": "User", "type": "string"},
        {"key": "greeting", "title": "Greeting", "type": "string"},
    ],
    "sections": [
        {"name": "SSH", "source": SSH},
        {"name": "Installation", "source": INSTALLATION},
    ],
}


class Asking:
    """One token's way in through several addresses, each time another one."""

    def __init__(self, urls: Sequence[str], token: str) -> None:
        self.urls = urls
        self.token = token
        self._clients = [
            httpx2.AsyncClient(
                base_url=f"{url}/api/v1/", headers={"X-Auth-Token": token}, timeout=ANSWER_SECONDS
            )
            for url in urls
        ]
        self._next = cycle(self._clients)
        self.done: dict[str, int] = {}
        """Where each acknowledged command stands in the log, by its word."""
        self.unanswered = 0
        self.refused: Counter[str] = Counter()

    async def command(self, word: str, method: str, path: str, body: Any = None) -> Any:
        """Ask until it is acknowledged; the JSON of the answer."""
        answer = await self._answer(method, path, json=body, key=uuid4().hex)
        self.done[word] = int(answer.headers["X-Position"])
        return answer.json()

    async def read(self, path: str) -> Any:
        return (await self._answer("GET", path)).json()

    async def pages(self, path: str) -> AsyncIterator[Any]:
        """Every item of a list, page by page."""
        more = f"{path}?limit=500"
        while more:
            answer = await self._answer("GET", more)
            for item in answer.json():
                yield item
            more = str(answer.links.get("next", {}).get("url", "")).removeprefix("/api/v1/")

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()

    async def _answer(
        self, method: str, path: str, json: Any = None, key: str | None = None
    ) -> httpx2.Response:
        headers = {"Idempotency-Key": key} if key else {}
        while True:
            try:
                answer = await next(self._next).request(method, path, json=json, headers=headers)
            except httpx2.TransportError:
                self.unanswered += 1
            else:
                if answer.is_success:
                    return answer
                must_be_for_now(answer)
                self.refused[method] += 1
            await asyncio.sleep(PAUSE_SECONDS)


def must_be_for_now(answer: httpx2.Response) -> None:
    """The one refusal that a good command may meet: not now, and when to come again."""
    told = f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text}"
    if answer.status_code == 504:
        return
    assert answer.status_code == 503, told
    assert int(answer.headers["Retry-After"]) > 0, told
    assert answer.headers["Content-Type"] == "application/problem+json", told
    assert answer.json()["status"] == 503, told


class Load:
    """Hands at work in a thread of their own, for as long as the context; then none is left over.

    `declaring` hands declare clusters and change them, `installing` hands let them be installed,
    changed and destroyed on the host, and one hand makes workspaces and renames them.
    """

    def __init__(
        self,
        apis: Sequence[Quarterdeck],
        host: SshHost | None = None,
        *,
        declaring: int = 2,
        installing: int = 1,
    ) -> None:
        self._apis = apis
        urls = [api.url for api in apis]
        self.everywhere = Asking(urls, apis[0].token("--global"))
        everywhere = apis[0].client(self.everywhere.token)
        everywhere.ok("POST", "workspaces", {"name": "Load", "slug": "load"})
        self.inside = Asking(urls, apis[0].token("--workspace", "load"))
        inside = apis[0].client(self.inside.token)
        template = inside.ok("POST", "cluster_templates", TEMPLATE)
        self._version = template["current_cluster_template_version_id"]
        self._host = host
        self._hands: list[Callable[[], Coroutine[Any, Any, None]]] = [
            self._keep_house,
            *(partial(self._declare, n) for n in range(declaring)),
            *(partial(self._install, n) for n in range(installing if host else 0)),
        ]
        self._over = threading.Event()
        self._fault: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="load")
        self.revisions: dict[str, int] = {}
        """What each declared cluster must be at, by its name."""
        self.houses: list[str] = []
        """The slugs of the workspaces that were made."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join(PATIENCE_SECONDS)
        if error is None:
            assert not self._thread.is_alive(), "a command was never acknowledged"
            self._must_be_well()

    @property
    def acknowledged(self) -> int:
        return len(self.everywhere.done) + len(self.inside.done)

    @property
    def counts(self) -> dict[str, int]:
        """What came of all that was asked."""
        both = (self.everywhere, self.inside)
        return {
            "acknowledged": self.acknowledged,
            "unanswered": sum(asked.unanswered for asked in both),
            "refused for now": sum(asked.refused.total() for asked in both),
        }

    @property
    def refused_writes(self) -> int:
        """How many commands were told to come again later."""
        both = self.everywhere.refused + self.inside.refused
        return both.total() - both["GET"]

    def until_more(
        self,
        count: int,
        told: Callable[[], object] = lambda: "",
        meanwhile: Callable[[], None] = lambda: None,
    ) -> None:
        """Wait until so many more commands are acknowledged, and do something again and again."""
        wanted = self.acknowledged + count

        def are_there() -> bool:
            meanwhile()
            self._must_be_well()
            return self.acknowledged >= wanted

        eventually(are_there, PATIENCE_SECONDS, told)

    def _must_be_well(self) -> None:
        if self._fault is not None:
            lines = [line for api in self._apis for line in api.errors.splitlines()]
            raise AssertionError([line for line in lines if ERROR in line][-3:]) from self._fault

    def _run(self) -> None:
        try:
            asyncio.run(self._work())
        except BaseException as fault:
            self._fault = fault

    async def _work(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for hand in self._hands:
                    group.create_task(hand())
        finally:
            await self.everywhere.close()
            await self.inside.close()

    def _names(self, kind: str) -> Iterator[str]:
        """Names without end, until it is over."""
        n = 0
        while not self._over.is_set():
            yield f"{kind}-{n}"
            n += 1

    async def _keep_house(self) -> None:
        for slug in self._names("house"):
            made = await self.everywhere.command(
                f"create workspace {slug}", "POST", "workspaces", {"name": slug, "slug": slug}
            )
            self.houses.append(slug)
            for change in range(CHANGES):
                name = f"{slug} {change}"
                await self.everywhere.command(
                    f"rename to {name}", "PUT", f"workspaces/{made['id']}", {"name": name}
                )

    async def _declare(self, number: int) -> None:
        for name in self._names(f"declared-{number}"):
            cluster_id = await self._create(name)
            for revision in range(1, CHANGES):
                await self._configure(cluster_id, name, revision)

    async def _install(self, number: int) -> None:
        """The whole life of a cluster, again and again."""
        assert self._host is not None
        for name in self._names(f"installed-{number}"):
            cluster_id = await self._create(name)
            after = self.inside.done[f"create {name}"]
            made = await self.inside.read(f"clusters/{cluster_id}?after={after}")
            self._host.authorize(made["ssh_public_key"])
            await self.inside.command(
                f"install {cluster_id}", "POST", f"clusters/{cluster_id}/install"
            )
            await self._until(cluster_id, f"install {cluster_id}", "in_sync")
            await self._configure(cluster_id, name, 1)
            await self._until(cluster_id, f"configure {name} 1", "in_sync")
            word = f"delete {cluster_id}"
            await self.inside.command(word, "DELETE", f"clusters/{cluster_id}")
            await self._until(cluster_id, word, "deleted")

    async def _create(self, name: str) -> str:
        body = {"name": name, "cluster_template_version_id": self._version, "values": self._values}
        made = await self.inside.command(f"create {name}", "POST", "clusters", body)
        self.revisions[name] = 1
        return str(made["id"])

    async def _configure(self, cluster_id: str, name: str, revision: int) -> None:
        greeting = f"{name} {revision}"
        body = {
            "name": name,
            "cluster_template_version_id": self._version,
            "current_revision": revision,
            "values": {**self._values, "greeting": greeting},
        }
        word = f"configure {greeting}"
        await self.inside.command(word, "PUT", f"clusters/{cluster_id}", body)
        self.revisions[name] = revision + 1

    async def _until(self, cluster_id: str, word: str, status: str) -> None:
        """Wait until what was asked for has come to this status."""
        after, shown = self.inside.done[word], None
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not shown or shown["status"] != status or shown["task_id"] is not None:
                    await asyncio.sleep(PAUSE_SECONDS)
                    shown = await self.inside.read(f"clusters/{cluster_id}?after={after}")
        except TimeoutError:
            tasks = await self.inside.read(f"tasks?cluster_id={cluster_id}")
            raise AssertionError(f"{word}: not {status} but {shown}, {tasks}") from None

    @property
    def _values(self) -> dict[str, Any]:
        host = self._host
        where = (host.address, host.port, host.user) if host else ("192.0.2.1", 22, "root")
        return {**dict(zip(("host", "port", "user"), where, strict=True)), "greeting": "new"}


@asynccontextmanager
async def asking_again(earlier: Asking) -> AsyncIterator[Asking]:
    """The same way in, in the event loop of now."""
    made = Asking(earlier.urls, earlier.token)
    try:
        yield made
    finally:
        await made.close()


async def effects(dsn: str) -> Counter[str]:
    """How often each thing that was asked for has happened, by its word."""
    return Counter([word async for recorded in records(dsn) for word in _words(recorded)])


async def records(dsn: str) -> AsyncIterator[Recorded]:
    """The whole log."""
    async with PostgresEventStore(dsn, readers=1) as store:
        position = 0
        while page := await store.read(position, LOG_PAGE):
            for recorded in page:
                yield recorded
            position = page[-1].position


def _words(recorded: Recorded) -> Iterator[str]:
    match recorded.event:
        case clusters.ClusterCreated(name=name):
            yield f"create {name}"
        case clusters.ClusterConfigured(configuration=configuration):
            yield f"configure {configuration.values['greeting']}"
        case clusters.ClusterOperationRequested(kind=OperationKind.INSTALL):
            yield f"install {recorded.stream_id}"
        case clusters.ClusterArchived():
            yield f"delete {recorded.stream_id}"
        case WorkspaceCreated(slug=slug) if slug != "load":
            yield f"create workspace {slug}"
        case WorkspaceRenamed(name=name):
            yield f"rename to {name}"
