"""The throw-away SSH host of the example, for as long as the example is there."""

import asyncio
import logging
from collections.abc import Collection
from pathlib import Path
from uuid import UUID

from adapters.bootstrap import Hub
from adapters.ssh.example_place import example_folder, example_port
from adapters.ssh.throwaway import ThrowawayHost
from application.example import SLUG
from domain.model import Recorded
from domain.workspaces import WorkspaceCreated

RETRY_SECONDS = 2.0
logger = logging.getLogger(__name__)


class ExampleHost:
    """Starts the host when the workspace is there or comes."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._wanted = asyncio.Event()

    def notice(self, recorded: Recorded) -> None:
        if isinstance(recorded.event, WorkspaceCreated) and recorded.event.slug == SLUG:
            self._wanted.set()

    async def run(self) -> None:
        """Serve from when it is wanted until cancelled."""
        if await self._workspace() is None:
            await self._wanted.wait()
        told = ""
        while True:
            try:
                await self._serve(self._hub.settings.data)
            except OSError as error:
                if told != str(error):
                    told = str(error)
                    logger.warning("The example's host waits for its port: %s", told)
                await asyncio.sleep(RETRY_SECONDS)

    async def _serve(self, data: Path) -> None:
        async with ThrowawayHost(example_folder(data), self._authorized_keys, example_port(data)):
            await asyncio.Event().wait()

    async def _workspace(self) -> UUID | None:
        return await self._hub.store.holder(f"workspace:{SLUG}")

    async def _authorized_keys(self) -> Collection[str]:
        """The keys of the clusters of the example's workspace, and of no other."""
        workspace_id = await self._workspace()
        async with self._hub.pool.connection() as connection:
            cursor = await connection.execute(
                "select convert_from(state, 'UTF8')::jsonb ->> 'ssh_public_key'"
                " from log.stored_events where topic = 'cluster.created'"
                " and convert_from(state, 'UTF8')::jsonb ->> 'workspace_id' = %s",
                [str(workspace_id)],
            )
            return [row[0] for row in await cursor.fetchall()]
