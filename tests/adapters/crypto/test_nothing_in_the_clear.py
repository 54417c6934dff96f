"""No secret that was given to Quarterdeck is in its database in the clear, or thinly covered."""

import zlib
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from adapters.clock import SystemClock
from adapters.crypto.key_check import check_keys
from adapters.crypto.key_ring import KeyRing
from adapters.crypto.vault import EnvelopeVault
from adapters.memory.renderer import PlainRenderer
from adapters.postgres.data_keys import PostgresDataKeys
from adapters.postgres.documents import PostgresDocuments
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.migrations import migrate
from adapters.postgres.sessions import open_pool
from application.auth_tokens import CreateAuthToken
from application.cluster_templates import CreateClusterTemplate, SectionText
from application.clusters import ChangeCluster, CreateCluster, InstallCluster
from application.commands import Command, CommandBus
from application.credentials import Credential
from application.index import HANDLERS
from application.permissions import QUARTERDECK
from application.ports import KeyPair
from application.sign_in import IssueSignInLink, UseSignInLink
from application.state_cache import StateCache
from application.tasks import ClaimTask, EndPhase, ManagerCommand
from application.work import Context, World
from application.workspaces import CreateWorkspace
from domain.cluster_templates import ClusterTemplate
from domain.model import Aggregate
from domain.secrets import Secret
from tests.support.dump import places_of, spellings

PRIVATE_KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nplanted-private-key-7f3a\n-----END-----\n"
PASSWORDS = ["planted-password-one", 'planted "password" 2 / ä']
STATE = b64encode(b"planted-state-of-a-phase").decode()
PARAMS = (
    {"key": "password", "title": "Password", "type": "string", "format": "password"},
    {"key": "size", "title": "Size", "type": "number"},
)
SOURCE = "password: {{ .password }}\nkey: {{ .dc_sshPrivateKey }}\n"


class PlantedKeyPairs:
    async def generate(self, comment: str) -> KeyPair:
        return KeyPair(f"ssh-ed25519 AAAA {comment}", PRIVATE_KEY)


class House:
    """Commands over the real database, vault and documents, with command ids where people give
    them."""

    def __init__(self, world: World) -> None:
        self.cache = StateCache(world.store)
        self._bus = CommandBus(world, self.cache, HANDLERS)

    async def do(self, command: Command) -> Any:
        told_by_a_manager = isinstance(command, ManagerCommand)
        command_id = None if told_by_a_manager else str(uuid4())
        context = Context(QUARTERDECK, command_id=command_id)
        return (await self._bus.execute(command, context)).result

    async def state(self, kind: type[Aggregate], stream_id: UUID) -> Any:
        return (await self.cache.load(kind, stream_id))[1]


@asynccontextmanager
async def house(dsn: str) -> AsyncIterator[House]:
    async with (
        PostgresEventStore(dsn) as store,
        open_pool(dsn, name="tests", size=2) as pool,
    ):
        keys = PostgresDataKeys(pool)
        ring = KeyRing.generate()
        await check_keys(ring, keys)
        vault = EnvelopeVault(ring, keys)
        yield House(
            World(
                store=store,
                documents=PostgresDocuments(pool, vault),
                vault=vault,
                clock=SystemClock(),
                renderer=PlainRenderer(),
                key_pairs=PlantedKeyPairs(),
            )
        )


async def live(house: House) -> list[str]:
    """Do all that takes or makes a secret; the secrets."""
    workspace_id = await house.do(CreateWorkspace(name="Team"))
    token = await house.do(CreateAuthToken(name="terraform", workspace_id=workspace_id))
    link = await house.do(IssueSignInLink(user_name="ada"))
    session = await house.do(UseSignInLink(link=link))
    template_id = await house.do(
        CreateClusterTemplate(
            workspace_id=workspace_id,
            name="plain",
            params=PARAMS,
            sections=(SectionText(name="resources", source=SOURCE),),
        )
    )
    template = await house.state(ClusterTemplate, template_id)
    declared = {
        "workspace_id": workspace_id,
        "name": "north",
        "cluster_template_version_id": template.current.id,
    }
    cluster_id = await house.do(
        CreateCluster(**declared, values={"password": PASSWORDS[0], "size": 1})
    )
    changed = {"password": PASSWORDS[1], "size": 2}
    await house.do(ChangeCluster(**declared, cluster_id=cluster_id, values=changed))
    task_id = await house.do(InstallCluster(workspace_id=workspace_id, cluster_id=cluster_id))
    await house.do(ClaimTask(task_id=task_id, manager="m1"))
    await house.do(
        EndPhase(
            task_id=task_id,
            manager="m1",
            phase="boot",
            skipped=False,
            next_phase=None,
            next_phase_critical=False,
            state={"inventory": Secret(STATE)},
        )
    )
    words = [
        Credential.read(prefix, text)
        for prefix, text in (("qdt", token.token), ("qdl", link), ("qds", session.cookie))
    ]
    assert all(words)
    hidden = [word.word.hex() for word in words if word]
    return [token.token, link, session.cookie, *hidden, *PASSWORDS, PRIVATE_KEY, STATE]


async def test_no_secret_is_found_in_the_whole_database(database: str) -> None:
    await migrate(database)
    async with house(database) as lived_in:
        secrets = await live(lived_in)
    assert len(secrets) == 10
    assert places_of(secrets, database) == []
    assert places_of(["terraform"], database) == ["'terraform' in log.stored_events"]


@pytest.mark.parametrize("text", [PASSWORDS[0], PASSWORDS[1]])
async def test_the_search_finds_what_is_planted(database: str, text: str) -> None:
    """In the clear, deflated, in hex, in JSON, and in base64 wherever in it."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("create schema log")
        connection.execute("create table log.documents (body bytea)")
        connection.execute(
            "insert into log.documents values (%s)", [zlib.compress(f"a {text}".encode())]
        )
        connection.execute("create table public.notes (note text)")
        for spelling in (text, text.encode().hex(), *(covered(text, n) for n in range(3))):
            connection.execute("truncate public.notes")
            connection.execute("insert into public.notes values (%s)", [spelling])
            found = places_of([text], database)
            assert f"{text!r} in notes" in found
            assert f"{text!r} in log.documents, inflated" in found


def covered(text: str, offset: int) -> str:
    return b64encode(b"0123"[:offset] + text.encode() + b"rest").decode()


def test_short_words_are_not_searched_for() -> None:
    """They would be found anywhere."""
    assert not spellings("abc")
