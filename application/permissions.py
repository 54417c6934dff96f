"""Who may do what: one table from roles to permissions, asked once for each command and query."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from uuid import UUID

from domain.model import SYSTEM, Actor, Refusal


class Permission(StrEnum):
    """A verb on a kind of resource."""

    READ_WORKSPACES = "workspaces:read"
    WRITE_WORKSPACES = "workspaces:write"
    READ_TEMPLATES = "cluster_templates:read"
    WRITE_TEMPLATES = "cluster_templates:write"
    READ_CLUSTERS = "clusters:read"
    WRITE_CLUSTERS = "clusters:write"
    READ_TASKS = "tasks:read"
    WRITE_TASKS = "tasks:write"
    READ_AUDIT = "audit:read"
    READ_TOKENS = "auth_tokens:read"
    WRITE_TOKENS = "auth_tokens:write"
    READ_SYSTEM = "system:read"
    WRITE_SYSTEM = "system:write"
    OWN_SESSION = "session:own"
    RUN_TASKS = "tasks:run"
    ERASE_KEYS = "keys:erase"
    ACCEPT_LOSS = "log:accept_loss"


class Role(StrEnum):
    ADMINISTRATOR = "administrator"
    """A person who may do everything."""
    GLOBAL_TOKEN = "global token"
    """A program that makes workspaces and sees nothing inside them."""
    GLOBAL_READER = "global token, read only"
    WORKSPACE_TOKEN = "workspace token"
    WORKSPACE_READER = "workspace token, read only"
    SYSTEM = "Quarterdeck itself"


P = Permission
_WORKSPACE_READS = frozenset({P.READ_TEMPLATES, P.READ_CLUSTERS, P.READ_TASKS, P.READ_AUDIT})
_WORKSPACE_WRITES = frozenset({P.WRITE_TEMPLATES, P.WRITE_CLUSTERS, P.WRITE_TASKS})

GRANTS: dict[Role, frozenset[Permission]] = {
    Role.ADMINISTRATOR: frozenset(P) - {P.RUN_TASKS, P.ERASE_KEYS, P.ACCEPT_LOSS},
    Role.GLOBAL_TOKEN: frozenset({P.READ_WORKSPACES, P.WRITE_WORKSPACES, P.READ_SYSTEM}),
    Role.GLOBAL_READER: frozenset({P.READ_WORKSPACES, P.READ_SYSTEM}),
    Role.WORKSPACE_TOKEN: _WORKSPACE_READS | _WORKSPACE_WRITES,
    Role.WORKSPACE_READER: _WORKSPACE_READS,
    Role.SYSTEM: frozenset(P),
}


class Forbidden(Refusal, code="forbidden"):
    """The right verb is missing, or the workspace is another's."""


@dataclass(frozen=True)
class Principal:
    """Who asks: the actor to record, the role, and the one workspace it is bound to, if any."""

    actor: Actor
    role: Role
    workspace_id: UUID | None = None

    @property
    def label(self) -> str:
        return self.actor.name or "Quarterdeck"

    @property
    def tenant(self) -> UUID | None:
        """Whose turn it is where turns are taken: the workspace's, or of one who is in all."""
        return self.workspace_id or self.actor.id

    @cached_property
    def known_actor(self) -> dict[str, object]:
        """The actor as an envelope names it, made once for all commands."""
        return self.actor.known

    def may(self, permission: Permission) -> bool:
        return permission in GRANTS[self.role]

    def must(self, permission: Permission, workspace_id: UUID | None = None) -> None:
        """Raise Forbidden unless the permission is granted, in that workspace."""
        if not self.may(permission):
            raise Forbidden(
                f"{self.label} ({self.role}) lacks {permission};"
                " an administrator can give a token that has it."
            )
        if self.workspace_id is not None and workspace_id not in (None, self.workspace_id):
            raise Forbidden(f"{self.label} belongs to another workspace.")


QUARTERDECK = Principal(actor=SYSTEM, role=Role.SYSTEM)
