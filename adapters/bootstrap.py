"""What several processes open the same way: the database, the keys, and the bus over them."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import AsyncConnectionPool

from adapters.clock import SystemClock
from adapters.crypto.key_check import check_keys
from adapters.crypto.key_ring import BadKeys, KeyRing
from adapters.crypto.vault import EnvelopeVault
from adapters.embedded.account import reachable_folder
from adapters.embedded.postgres import EmbeddedPostgres, running_dsn
from adapters.postgres.connection import sentence, until_it_accepts
from adapters.postgres.data_keys import PostgresDataKeys
from adapters.postgres.documents import PostgresDocuments
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.leases import PostgresLeases
from adapters.postgres.migrations import migrate
from adapters.postgres.requirements import check_server
from adapters.postgres.roles import (
    PROCESS,
    admit_processes,
    as_process,
    set_defaults,
    who_may_rewrite,
)
from adapters.postgres.sessions import open_pool
from adapters.postgres.task_logs import PostgresTaskLogs
from adapters.settings import BadSettings, Settings
from application.commands import CommandBus
from application.index import HANDLERS
from application.ports import KeyPairs, Renderer
from application.state_cache import StateCache
from application.work import World

logger = logging.getLogger(__name__)

DATABASE_FOLDER = "postgres"
KEYS_FILE = "keys"
PRIMARY = "primary"
"""libpq's word for the server that takes writes. Its `read-write` asks whether this session may
write, and those that read are read only by their own wish: they would find no server."""
GIVEN_UP: Mapping[str, str | int] = {
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
"""libpq's settings, in seconds and milliseconds; by its own a lost host is waited for for hours."""
GIVEN_UP_FOR_ANOTHER: Mapping[str, str | int] = {
    "target_session_attrs": PRIMARY,
    "connect_timeout": 3,
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 2,
    "tcp_user_timeout": 10_000,
}
"""The same where several hosts are given: the one that takes writes is looked for soon."""
OPERATION_SECONDS = 10.0
"""How long one waits for the embedded database that an operation runs for itself."""


class CannotStart(Exception):
    """Something outside is not as it must be; the sentence says what."""


@dataclass(frozen=True, slots=True)
class Hub:
    """What every process of the hub works with."""

    settings: Settings
    dsn: str
    pool: AsyncConnectionPool
    store: PostgresEventStore
    data_keys: PostgresDataKeys
    ring: KeyRing
    vault: EnvelopeVault
    documents: PostgresDocuments
    task_logs: PostgresTaskLogs
    leases: PostgresLeases
    cache: StateCache
    bus: CommandBus
    clock: SystemClock

    def forget(self) -> None:
        """Let go of all that is known of the log: it may have become another one."""
        self.cache.forget()
        self.vault.forget()
        self.documents.forget()


@asynccontextmanager
async def open_database(settings: Settings, *, alone: bool = False) -> AsyncIterator[str]:
    """The connection string of a database whose schema is that of this version.

    The one that is set, with the role that it names, or the embedded one (it runs already, or as
    long as it is needed), as the role of processes; `alone`, only one that nobody else runs.
    Raises CannotStart.
    """
    async with _as_owner(settings, alone=alone) as dsn:
        await _migrate(dsn)
        if settings.database_url is None:
            yield as_process(dsn)
            return
        owner = await who_may_rewrite(dsn)
        if owner is not None:
            logger.warning(
                "This process signs in to the database as %s, who could rewrite the log: let it"
                " sign in as %s, and only `quarterdeck migrate` as the owner.",
                owner,
                PROCESS,
            )
        yield dsn


async def migrate_database(settings: Settings) -> AsyncIterator[str]:
    """Bring the database to this version, as its owner: a line for what was done or is left to do.

    Raises CannotStart.
    """
    async with _as_owner(settings) as dsn:
        for step in await _migrate(dsn):
            yield f"Applied {step}."
        left_to_do = await admit_processes(dsn)
        await set_defaults(dsn)
        yield left_to_do or "The database is of this version."


async def _migrate(dsn: str) -> list[str]:
    try:
        await until_it_accepts(dsn)
        await check_server(dsn)
        return await migrate(dsn)
    except psycopg.OperationalError as error:
        raise CannotStart(f"The database cannot be reached: {sentence(error)}") from None
    except psycopg.errors.InsufficientPrivilege:
        raise CannotStart(
            "The database is not of this version, and who signs in here may not bring it there:"
            " run `quarterdeck migrate` with the QUARTERDECK_DATABASE_URL of its owner."
        ) from None


@asynccontextmanager
async def _as_owner(settings: Settings, *, alone: bool = False) -> AsyncIterator[str]:
    """What is set, whoever it names; or the embedded database as its owner."""
    async with AsyncExitStack() as stack:
        if settings.database_url is not None:
            yield _connection_string(settings.database_url.get_secret_value())
        else:
            yield await _embedded(settings.data, stack, alone=alone)


def _connection_string(given: str) -> str:
    """What was given, and that a host which vanishes without a word is given up in time; of
    several hosts, that the one is meant which takes writes."""
    try:
        known = conninfo_to_dict(given)
    except psycopg.ProgrammingError:
        # The driver's own words would show it, and with it a password.
        raise CannotStart(
            "QUARTERDECK_DATABASE_URL is no connection string of PostgreSQL, such as"
            f" postgresql://{PROCESS}@host/quarterdeck."
        ) from None
    hosts = str(known.get("host") or known.get("hostaddr") or "")
    ours = GIVEN_UP_FOR_ANOTHER if "," in hosts else GIVEN_UP
    added = {name: n for name, n in ours.items() if name not in known}
    if known.get("target_session_attrs") == "read-write":
        added["target_session_attrs"] = PRIMARY
    return make_conninfo(given, **added)


async def _embedded(data: Path, stack: AsyncExitStack, *, alone: bool) -> str:
    folder = database_folder(data)
    if alone:
        await _until_nobody_runs(folder, data)
    elif (running := running_dsn(folder)) is not None:
        return running
    server = await stack.enter_async_context(EmbeddedPostgres(folder))
    return server.dsn


async def _until_nobody_runs(folder: Path, data: Path) -> None:
    """An operation that began the database ends soon, and takes it along; another `up` does not."""
    deadline = time.monotonic() + OPERATION_SECONDS
    while running_dsn(folder) is not None:
        if time.monotonic() > deadline:
            raise CannotStart(
                f"Another Quarterdeck runs over {data}: stop it, or choose a folder with --data."
            )
        await asyncio.sleep(0.05)


def database_folder(data: Path) -> Path:
    """Where the embedded database lies: in the data folder, unless root's home hides that."""
    return reachable_folder(data / DATABASE_FOLDER)


@asynccontextmanager
async def open_hub(
    settings: Settings, dsn: str, renderer: Renderer, key_pairs: KeyPairs
) -> AsyncIterator[Hub]:
    """Everything over one database, checked: the master keys must fit it."""
    ring = read_keys(settings)
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(PostgresEventStore(dsn))
        pool = open_pool(dsn, name="beside", size=6)
        await pool.open()
        stack.push_async_callback(pool.close)
        data_keys = PostgresDataKeys(pool)
        await check_keys(ring, data_keys)
        vault = EnvelopeVault(ring, data_keys, lambda: _keys_by_now(settings))
        documents = PostgresDocuments(pool, vault)
        clock = SystemClock()
        cache = StateCache(store)
        host = urlsplit(settings.url).netloc
        world = World(store, documents, vault, clock, renderer, key_pairs, host)
        hub = Hub(
            settings=settings,
            dsn=dsn,
            pool=pool,
            store=store,
            data_keys=data_keys,
            ring=ring,
            vault=vault,
            documents=documents,
            task_logs=PostgresTaskLogs(pool),
            leases=PostgresLeases(pool),
            cache=cache,
            bus=CommandBus(world, cache, HANDLERS),
            clock=clock,
        )
        store.writer.on_other_history(hub.forget)
        yield hub


def keys_file(settings: Settings) -> Path:
    return settings.data / KEYS_FILE


def read_keys(settings: Settings) -> KeyRing:
    """The master keys, from the settings or from the file in the data folder.

    Raises BadSettings when there are none, BadKeys when they cannot be read.
    """
    if settings.keys is not None:
        return KeyRing.read(settings.keys.get_secret_value())
    path = keys_file(settings)
    try:
        return KeyRing.read(path.read_text())
    except FileNotFoundError:
        raise BadSettings(
            f"There are no master keys: set QUARTERDECK_KEYS or put them into {path}."
        ) from None
    except OSError as error:
        raise BadKeys(f"The key file {path} cannot be read: {error.strerror}.") from None
    except BadKeys as error:
        raise BadKeys(f"The key file {path} is not good: {error}") from None


def _keys_by_now(settings: Settings) -> KeyRing:
    """The master keys anew: one may have been added since. Raises BadKeys."""
    try:
        return read_keys(settings)
    except BadSettings as error:
        raise BadKeys(str(error)) from None


def write_keys(settings: Settings, ring: KeyRing) -> Path:
    """Keep the keys in the data folder, readable by their owner alone. Raises CannotStart."""
    path = keys_file(settings)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(ring.write())
        fresh.replace(path)
    except OSError as error:
        raise CannotStart(f"The keys cannot be kept in {path}: {error.strerror}.") from None
    return path
