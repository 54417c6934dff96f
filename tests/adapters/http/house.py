"""A furnished workspace: a template, a cluster with a task, and a token that may do everything."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from application.cluster_templates import CreateClusterTemplate, SectionText
from application.clusters import CreateCluster, InstallCluster
from domain.cluster_templates import ClusterTemplate
from tests.adapters.http.quarterdeck import Quarterdeck

PARAMS = (
    {"key": "region", "title": "Region", "type": "string", "default": "north"},
    {"key": "nodes", "title": "Nodes", "type": "number", "default": 3, "min": 1, "max": 9},
    {
        "key": "password",
        "title": "Password",
        "type": "string",
        "format": "password",
        "optional": True,
    },
)
SECTIONS = (
    SectionText(name="ClusterConfiguration", source="region: {{ .region }}\nnodes: {{ .nodes }}\n"),
    SectionText(name="SSH", source="key: {{ .dc_sshPrivateKey }}\n"),
)


@dataclass(frozen=True)
class House:
    """What is there. `ids` are by the names that paths have for them."""

    slug: str
    workspace_id: UUID
    template_id: UUID
    version_id: UUID
    cluster_id: UUID
    task_id: UUID
    token: str

    @property
    def ids(self) -> dict[str, UUID]:
        return {
            "workspace_id": self.workspace_id,
            "cluster_template_id": self.template_id,
            "version_id": self.version_id,
            "cluster_id": self.cluster_id,
            "task_id": self.task_id,
        }


async def furnish(quarterdeck: Quarterdeck) -> House:
    slug = f"w{uuid4().hex[:12]}"
    workspace_id = await quarterdeck.workspace(slug)
    template = await quarterdeck.execute(
        CreateClusterTemplate(
            workspace_id=workspace_id, name="plain", params=PARAMS, sections=SECTIONS
        )
    )
    _, state = await quarterdeck.hub.cache.load(ClusterTemplate, template.result)
    assert isinstance(state, ClusterTemplate)
    assert state.current is not None
    cluster = await quarterdeck.execute(
        CreateCluster(
            workspace_id=workspace_id,
            name="first",
            cluster_template_version_id=state.current.id,
            values={"region": "south"},
        )
    )
    task = await quarterdeck.execute(
        InstallCluster(workspace_id=workspace_id, cluster_id=cluster.result)
    )
    token = await quarterdeck.token(workspace_id)
    await quarterdeck.edge.reads.reader(after=await quarterdeck.hub.store.head())
    return House(
        slug=slug,
        workspace_id=workspace_id,
        template_id=template.result,
        version_id=state.current.id,
        cluster_id=cluster.result,
        task_id=task.result,
        token=token,
    )
