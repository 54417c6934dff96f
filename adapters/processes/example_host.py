"""The throw-away SSH host of the example, for as long as the example is loaded."""

import asyncio
import logging
from pathlib import Path

import psycopg

from adapters.operations.example import Example
from adapters.ssh.example_place import example_folder, example_port
from adapters.ssh.sandbox.sandbox import NoSandbox
from adapters.ssh.throwaway import ThrowawayHost
from application.example import SLUG
from application.ports import Unavailable
from domain.cluster_templates import ClusterTemplateArchived, ClusterTemplateCreated
from domain.clusters import ClusterArchived
from domain.model import Recorded

RETRY_SECONDS = 2.0
logger = logging.getLogger(__name__)

PASSING = (OSError, NoSandbox, TimeoutError, Unavailable, psycopg.OperationalError)
"""A port that is taken, a database that is away: it is tried again."""
LOADING_OR_UNLOADING = (ClusterTemplateCreated, ClusterTemplateArchived, ClusterArchived)


class ExampleHost:
    """Starts the host when the example is loaded, and ends it when it is unloaded."""

    def __init__(self, example: Example, data: Path) -> None:
        self._example = example
        self._data = data
        self._changed = asyncio.Event()

    def notice(self, recorded: Recorded) -> None:
        if isinstance(recorded.event, LOADING_OR_UNLOADING) and recorded.metadata.workspace == SLUG:
            self._changed.set()

    async def run(self) -> None:
        """Serve whenever it is wanted, until cancelled."""
        if self._example.obstacle is not None:
            logger.warning("The example's host is not served: %s.", self._example.obstacle)
            return
        told = ""
        while True:
            try:
                await self._serve_once()
            except PASSING as error:
                if told != str(error):
                    told = str(error)
                    logger.warning("The example's host waits: %s", told)
                await asyncio.sleep(RETRY_SECONDS)

    async def _serve_once(self) -> None:
        """Wait until it is loaded, and serve until it is not any more."""
        await self._until(loaded=True)
        folder, port = example_folder(self._data), example_port(self._data)
        async with ThrowawayHost(folder, self._example.public_keys, port) as host:
            await self._until_unloaded_or(host.sandbox.ended)
            if host.sandbox.ended.is_set():
                raise OSError("its sandbox was killed")

    async def _until_unloaded_or(self, killed: asyncio.Event) -> None:
        ends = [
            asyncio.create_task(self._until(loaded=False)),
            asyncio.create_task(killed.wait()),
        ]
        try:
            done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()
        for end in done:
            end.result()

    async def _until(self, *, loaded: bool) -> None:
        self._changed.clear()
        while await self._example.is_loaded() is not loaded:
            await self._changed.wait()
            self._changed.clear()
