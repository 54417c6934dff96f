"""The example: a workspace, a template and a first cluster, for the first minute."""

from contextlib import suppress
from textwrap import dedent
from uuid import UUID

from application.cluster_templates import CreateClusterTemplate, SectionText
from application.clusters import CreateCluster
from application.commands import CommandBus
from application.work import Context
from application.workspaces import CreateWorkspace, slug_key
from domain.cluster_templates import ClusterTemplate
from domain.model import Taken

SLUG = "example"
TEMPLATE_NAME = "throw-away-host"

PARAMS = (
    {"header": "The machine"},
    {
        "key": "sshHost",
        "title": "Host",
        "type": "string",
        "description": "The throw-away host that Quarterdeck serves on this machine",
        "default": "127.0.0.1",
        "immutable": True,
        "span": 2,
    },
    {
        "key": "sshPort",
        "title": "Port",
        "type": "number",
        "min": 1,
        "max": 65535,
        "immutable": True,
    },
    {"header": "What runs on it"},
    {
        "key": "greeting",
        "title": "Greeting",
        "type": "string",
        "description": "Written to the host and checked ever after",
        "default": "Hello from the quarterdeck",
        "pattern": "^[A-Za-z0-9 ,.!?-]+$",
        "maxLength": 80,
        "span": 2,
    },
    {
        "key": "workers",
        "title": "Workers",
        "type": "number",
        "default": 2,
        "min": 1,
        "max": 5,
    },
)

SSH = dedent("""\
    apiVersion: dhctl.deckhouse.io/v1
    kind: SSHConfig
    sshUser: quarterdeck
    sshPort: {{ .sshPort }}
    ---
    apiVersion: dhctl.deckhouse.io/v1
    kind: SSHHost
    host: {{ .sshHost | quote }}
    """)

INSTALLATION = dedent("""\
    apiVersion: quarterdeck.io/v1
    kind: SSHInstallation
    spec:
      phases:
        - name: look-around
          timeout: 1m
          script: |
            echo "cluster $QUARTERDECK_CLUSTER_NAME on $(uname -n)"
            echo "$(uname -sr), $(getconf _NPROCESSORS_ONLN) cores"
        - name: prepare-node
          timeout: 1m
          check: test -d cluster/etc
          script: |
            mkdir -p cluster/etc cluster/workers
            echo "folders are there"
        - name: start-workers
          timeout: 2m
          critical: true
          check: test "$(ls cluster/workers 2>/dev/null | wc -l)" -eq {{ .workers }}
          script: |
            mkdir -p cluster/workers
            for n in $(seq 1 {{ .workers }}); do
              echo "worker-$n: starting"
              sleep 1
              date > "cluster/workers/worker-$n"
              echo "worker-$n: Ready"
            done
            for file in cluster/workers/*; do
              number=${file##*-}
              if [ "$number" -gt {{ .workers }} ]; then
                rm "$file"
                echo "worker-$number: removed"
              fi
            done
        - name: greet
          timeout: 1m
          check: test "$(cat cluster/etc/greeting 2>/dev/null)" = {{ .greeting | squote }}
          script: |
            printf '%s\\n' {{ .greeting | squote }} > cluster/etc/greeting
            echo "greeting: $(cat cluster/etc/greeting)"
      check:
        script: |
          test "$(cat cluster/etc/greeting)" = {{ .greeting | squote }} || {
            echo "the greeting differs"; exit 1; }
          test "$(ls cluster/workers | wc -l)" -eq {{ .workers }} || {
            echo "the number of workers differs"; exit 1; }
          echo "as declared"
      destroy:
        script: |
          rm -rf cluster
          echo "nothing is left"
    """)


async def load_example(bus: CommandBus, context: Context, port: int) -> UUID:
    """Make the example's workspace with a template and a cluster, not installed yet; its id.

    `port` is where the throw-away SSH host listens. Loading it twice changes nothing; loading it
    after it was unloaded makes a new template and cluster.
    """
    workspace_id = await _workspace(bus, context)
    try:
        template = await bus.execute(_template(workspace_id), context)
    except Taken:
        return workspace_id
    _, state = await bus.cache.load(ClusterTemplate, template.result)
    assert isinstance(state, ClusterTemplate)
    assert state.current is not None
    cluster = CreateCluster(
        workspace_id=workspace_id,
        name="first-cluster",
        cluster_template_version_id=state.current.id,
        values={"sshPort": port},
    )
    # Somebody else's cluster may have the name.
    with suppress(Taken):
        await bus.execute(cluster, context)
    return workspace_id


async def _workspace(bus: CommandBus, context: Context) -> UUID:
    try:
        made = await bus.execute(CreateWorkspace(name="Example", slug=SLUG), context)
    except Taken:
        holder = await bus.world.store.holder(slug_key(SLUG))
        assert holder is not None
        return holder
    workspace_id: UUID = made.result
    return workspace_id


def _template(workspace_id: UUID) -> CreateClusterTemplate:
    return CreateClusterTemplate(
        workspace_id=workspace_id,
        name=TEMPLATE_NAME,
        comment="Installs a few files on the SSH host that Quarterdeck serves for the example.",
        version_comment="First version",
        params=PARAMS,
        sections=(
            SectionText(name="SSH parameters", source=SSH),
            SectionText(name="Installation", source=INSTALLATION),
        ),
    )
