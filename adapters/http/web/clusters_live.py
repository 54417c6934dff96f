"""The list of clusters as it changes: rows in place, new ones behind a button."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from adapters.http.web import live, pages
from adapters.http.web.cluster_rows import (
    homes_of,
    may_tick,
    numbers,
    path_of,
    rows,
    shown,
    within,
)
from adapters.http.web.cluster_view import View, columns_of
from adapters.http.web.live import EVERYTHING
from adapters.http.web.visit import Visit
from domain.model import Recorded
from projections.cluster_detail import cluster as cluster_by_id
from projections.reader import Reader, Shown

FEW = 8
"""So many changed rows are looked up one by one; for more, the page is asked for anew."""
TALLY = "tally"


@dataclass(frozen=True, slots=True)
class Changed:
    """A cluster of which something has changed."""

    workspace_id: UUID
    cluster_id: UUID


@dataclass(slots=True)
class ListWatch:
    """A changed cluster is a changed row; one that is not on the page waits behind a button."""

    visit: Visit
    view: View
    pulse_seconds: None = None
    _on_page: set[str] | None = None
    _waiting: set[str] = field(default_factory=set)

    def parts(self, recorded: Recorded) -> list[Hashable]:
        """The row of the cluster, and the numbers over the list."""
        if not recorded.event.topic.startswith("cluster."):
            return []
        workspace_id = recorded.metadata.workspace_id
        if workspace_id is None or within(self.visit) not in (None, workspace_id):
            return []
        return [Changed(workspace_id, recorded.stream_id), TALLY]

    async def show(self, parts: frozenset[Hashable], reader: Reader) -> str:
        """The changed rows that are on the page, the button for those that are not."""
        if self._on_page is None:
            self._on_page = {row["id"] for row in (await self._page(reader))}
        if EVERYTHING in parts:
            return await self._everything(reader)
        changed = [part for part in parts if isinstance(part, Changed)]
        homes = await homes_of(self.visit, reader)
        html = await self._tally(reader) if TALLY in parts else ""
        for cluster in await self._clusters(reader, changed):
            html += self._row(cluster, homes)
        return html + (self._news() if self._waiting else "")

    async def _page(self, reader: Reader) -> list[Shown]:
        return (await rows(self.visit, self.view, reader)).rows

    async def _everything(self, reader: Reader) -> str:
        found = await shown(self.visit, self.view, reader)
        self._on_page = {row["id"] for row in found["rows"]}
        self._waiting.clear()
        html = pages.html(self.visit, "clusters/_table.html", **found)
        return live.partials({"#clusters": html}) + await self._tally(reader)

    async def _clusters(self, reader: Reader, changed: list[Changed]) -> list[Shown]:
        if len(changed) > FEW:
            wanted = {str(each.cluster_id) for each in changed}
            return [row for row in await self._page(reader) if row["id"] in wanted]
        found = [
            await cluster_by_id(reader, each.workspace_id, each.cluster_id) for each in changed
        ]
        return [row for row in found if row is not None]

    def _row(self, cluster: Shown, homes: Mapping[str, Shown]) -> str:
        passes = self.view.passes(cluster)
        if cluster["id"] not in (self._on_page or ()):
            if passes:
                self._waiting.add(cluster["id"])
            return ""
        html = pages.html(
            self.visit,
            "clusters/_row.html",
            cluster=cluster,
            columns=columns_of(self.visit),
            acts=may_tick(self.visit, self.view),
            homes=homes,
            fresh=True,
            gone=not passes,
        )
        return live.partials({f"#c-{cluster['id']}": html})

    async def _tally(self, reader: Reader) -> str:
        found = await numbers(self.visit, self.view, reader)
        return live.partials({"#tally": pages.html(self.visit, "clusters/_tally.html", **found)})

    def _news(self) -> str:
        here = self.visit.to(path_of(self.visit, self.view), **self.view.query())
        html = pages.html(self.visit, "clusters/_news.html", waiting=len(self._waiting), here=here)
        return live.partials({"#news": html})
