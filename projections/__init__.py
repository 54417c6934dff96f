"""What can be seen: one file is one read model, its table, its rules and its queries."""

from collections.abc import Sequence

from projections.activity import activity
from projections.auth_tokens import auth_tokens
from projections.cluster_detail import cluster_detail
from projections.cluster_list import cluster_list
from projections.cluster_templates import cluster_templates
from projections.history import history
from projections.projection import Projection
from projections.subjects import subjects
from projections.tasks import tasks
from projections.workspaces import workspaces

PROJECTIONS: Sequence[Projection] = (
    workspaces,
    cluster_templates,
    cluster_list,
    cluster_detail,
    tasks,
    auth_tokens,
    subjects,
    history,
    activity,
)
"""Every read model there is."""

RETIRED: Sequence[str] = ("users",)
"""The names of those that there were in a version before: a start of this one drops them."""
