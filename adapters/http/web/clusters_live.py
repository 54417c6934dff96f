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
"""So many changed rows are looked up one by one; of more, those that are still listed at once."""
TALLY = "tally"
NAME_AND_STATUS = 2


@dataclass(frozen=True, slots=True)
class Changed:
    """A cluster of which something has changed."""

    workspace_id: UUID
    cluster_id: UUID


async def watch_list(visit: Visit, view: View) -> "ListWatch":
    """A watch over the list as it is now, which may be later than the page that asks for it."""
    on_page = {row["id"] for row in (await rows(visit, view, visit.reader)).rows}
    return ListWatch(visit, view, on_page, await visit.edge.log.head())


async def _one_by_one(reader: Reader, changed: list[Changed]) -> list[Shown]:
    found = [await cluster_by_id(reader, each.workspace_id, each.cluster_id) for each in changed]
    return [row for row in found if row is not None]


@dataclass(slots=True)
class ListWatch:
    """A changed cluster is a changed row; one that is not on the page waits behind a button.

    `on_page` is what the list held when nothing later than `looked_at` had happened: what the
    page missed up to there brings the whole list.
    """

    visit: Visit
    view: View
    on_page: set[str]
    looked_at: int
    pulse_seconds: None = None
    _waiting: set[str] = field(default_factory=set)

    def parts(self, recorded: Recorded) -> list[Hashable]:
        """The row of the cluster, and the numbers over the list."""
        if not recorded.event.topic.startswith("cluster."):
            return []
        workspace_id = recorded.metadata.workspace_id
        if workspace_id is None or within(self.visit) not in (None, workspace_id):
            return []
        if recorded.position <= self.looked_at:
            return [EVERYTHING]
        return [Changed(workspace_id, recorded.stream_id), TALLY]

    async def show(self, parts: frozenset[Hashable], reader: Reader) -> str:
        """The changed rows that are on the page, the button for those that are not."""
        if EVERYTHING in parts:
            return await self._everything(reader)
        changed = [part for part in parts if isinstance(part, Changed)]
        homes = await homes_of(self.visit, reader)
        html = await self._tally(reader) if TALLY in parts else ""
        for cluster in await self._clusters(reader, changed):
            html += self._row(cluster, homes)
        return html + (self._news() if self._waiting else "")

    async def _everything(self, reader: Reader) -> str:
        found = await shown(self.visit, self.view, reader)
        self.on_page = {row["id"] for row in found["rows"]}
        self._waiting.clear()
        html = pages.html(self.visit, "clusters/_table.html", **found)
        return live.partials({"#clusters": html}) + await self._tally(reader)

    async def _clusters(self, reader: Reader, changed: list[Changed]) -> list[Shown]:
        if len(changed) <= FEW:
            return await _one_by_one(reader, changed)
        wanted = {str(each.cluster_id) for each in changed}
        listed = (await rows(self.visit, self.view, reader)).rows
        found = [row for row in listed if row["id"] in wanted]
        gone = self.on_page & wanted - {row["id"] for row in found}
        left = [each for each in changed if str(each.cluster_id) in gone]
        return found + await _one_by_one(reader, left)

    def _row(self, cluster: Shown, homes: Mapping[str, Shown]) -> str:
        passes = self.view.passes(cluster)
        if cluster["id"] not in self.on_page:
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
        columns = columns_of(self.visit)
        # A cell over more columns than are there would make some more.
        minor = sum("minor" in column.css for column in columns)
        html = pages.html(
            self.visit,
            "clusters/_news.html",
            waiting=len(self._waiting),
            here=here,
            main=NAME_AND_STATUS + len(columns) - minor + may_tick(self.visit, self.view),
            minor=minor,
        )
        return live.partials({"#news": html})
