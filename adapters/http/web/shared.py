"""What the pages of one process share: the edge, and what is worth keeping between requests."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from adapters.http.edge import Edge
from adapters.http.rendered import rendered_texts
from adapters.http.web.kept import Kept


@dataclass(frozen=True, slots=True)
class Shared:
    edge: Edge
    rails: Kept = field(default_factory=lambda: Kept(64))
    texts: Kept = field(default_factory=lambda: Kept(128))

    async def rendered(self, cluster_id: UUID, sections: Mapping[str, Any]) -> dict[str, str]:
        """The texts of a cluster's sections, with every secret masked."""

        async def make() -> dict[str, str]:
            return await rendered_texts(self.edge, cluster_id, sections)

        digests = ((name, ref["digest"]) for name, ref in sections.items())
        key = (cluster_id, self.edge.erasures(), *digests)
        return await self.texts.get(key, make)
