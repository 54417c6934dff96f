"""A cluster template is a list of versions: sections to render and the parameters they take."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from domain.model import (
    Action,
    Aggregate,
    Audited,
    Event,
    NotFound,
    OutOfOrder,
    Refusal,
    RevisionConflict,
    Value,
)
from domain.values import Comment, DocumentRef, Name

MAX_SECTIONS = 50
"""Of a version: each is a document that is rendered, kept and shown."""


class Section(Value):
    """A named text of a version; `yaml` is parsed after rendering, `text` is taken as it is."""

    name: Name
    format: Literal["yaml", "text"] = "yaml"
    source: DocumentRef


class TemplateVersion(Value):
    """What a version holds. `params` is the schema as its author wrote it."""

    id: UUID
    number: int
    comment: Comment = ""
    params: tuple[dict[str, Any], ...] = ()
    sections: tuple[Section, ...] = ()
    is_withdrawn: bool = False


class ClusterTemplateCreated(Event, topic="cluster_template.created"):
    workspace_id: UUID
    name: Name
    comment: Comment = ""

    def audited(self) -> Audited:
        return _audited(
            Action.CREATE, {"name": self.name, "comment": self.comment, "archived_at": None}
        )


class ClusterTemplateChanged(Event, topic="cluster_template.changed"):
    name: Name
    comment: Comment
    previous_name: Name
    previous_comment: Comment

    def audited(self) -> Audited:
        pairs = {
            "name": [self.previous_name, self.name],
            "comment": [self.previous_comment, self.comment],
        }
        return _audited(
            Action.UPDATE, {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}
        )


class ClusterTemplateVersionAdded(Event, topic="cluster_template.version_added"):
    version_id: UUID
    number: int
    comment: Comment = ""
    params: tuple[dict[str, Any], ...] = ()
    sections: tuple[Section, ...] = ()
    previous_version_id: UUID | None = None

    def audited(self) -> Audited:
        previous = str(self.previous_version_id) if self.previous_version_id else None
        changes = {
            "current_cluster_template_version_id": [previous, str(self.version_id)],
            "version": [self.number - 1 or None, self.number],
        }
        return _audited(Action.UPDATE, changes)


class ClusterTemplateVersionWithdrawn(Event, topic="cluster_template.version_withdrawn"):
    version_id: UUID
    number: int
    withdrawn: bool = True

    def audited(self) -> Audited:
        changes = {f"version_{self.number}_withdrawn": [not self.withdrawn, self.withdrawn]}
        return _audited(Action.UPDATE, changes)


class ClusterTemplateArchived(Event, topic="cluster_template.archived"):
    archived_at: datetime
    archive_number: str

    def audited(self) -> Audited:
        return _audited(Action.UPDATE, {"archived_at": [None, self.archived_at]})


def _audited(action: Action, changes: dict[str, Any]) -> Audited:
    return Audited(auditable_type="ClusterTemplate", action=action, audited_changes=changes)


class TemplateIsArchived(Refusal, code="template_archived"):
    """An archived template is not changed and not used for new clusters."""


class VersionIsWithdrawn(Refusal, code="version_withdrawn"):
    """A withdrawn version is not used for new clusters."""


class ClusterTemplate(Aggregate):
    workspace_id: UUID
    name: str
    comment: str
    revision: int = 1
    versions: tuple[TemplateVersion, ...] = ()
    is_archived: bool = False

    @property
    def current(self) -> TemplateVersion | None:
        return self.versions[-1] if self.versions else None

    def version(self, version_id: UUID) -> TemplateVersion:
        for version in self.versions:
            if version.id == version_id:
                return version
        raise NotFound(f"Template {self.name} has no version {version_id}.")

    def usable_version(self, version_id: UUID) -> TemplateVersion:
        """The version, if a cluster may be moved to it."""
        version = self.version(version_id)
        if self.is_archived:
            raise TemplateIsArchived(
                f"Template {self.name} is archived.", pointer="/cluster_template_version_id"
            )
        if version.is_withdrawn:
            raise VersionIsWithdrawn(
                f"Version {version.number} of {self.name} was withdrawn.",
                pointer="/cluster_template_version_id",
            )
        return version

    @classmethod
    def create(cls, workspace_id: UUID, name: str, comment: str) -> Iterator[Event]:
        yield ClusterTemplateCreated(workspace_id=workspace_id, name=name, comment=comment)

    def change(self, name: str, comment: str) -> Iterator[Event]:
        self._must_live()
        if (name, comment) != (self.name, self.comment):
            yield ClusterTemplateChanged(
                name=name, comment=comment, previous_name=self.name, previous_comment=self.comment
            )

    def add_version(
        self,
        version_id: UUID,
        comment: str,
        params: tuple[Mapping[str, Any], ...],
        sections: tuple[Section, ...],
    ) -> Iterator[Event]:
        """A new version, unless it says what the current one says."""
        self._must_live()
        if self.current and (self.current.params, self.current.sections) == (params, sections):
            return
        yield ClusterTemplateVersionAdded(
            version_id=version_id,
            number=len(self.versions) + 1,
            comment=comment,
            params=params,
            sections=sections,
            previous_version_id=self.current.id if self.current else None,
        )

    def withdraw_version(self, version_id: UUID, *, withdrawn: bool) -> Iterator[Event]:
        self._must_live()
        version = self.version(version_id)
        if version.is_withdrawn != withdrawn:
            yield ClusterTemplateVersionWithdrawn(
                version_id=version_id, number=version.number, withdrawn=withdrawn
            )

    def archive(self, now: datetime, archive_number: str) -> Iterator[Event]:
        if not self.is_archived:
            yield ClusterTemplateArchived(archived_at=now, archive_number=archive_number)

    def must_be_at(self, revision: int | None) -> None:
        if revision is not None and revision != self.revision:
            raise RevisionConflict(
                f"The template was changed since it was read: it is at revision {self.revision},"
                f" not {revision}.",
                pointer="/current_revision",
            )

    def _must_live(self) -> None:
        if self.is_archived:
            raise TemplateIsArchived(f"Template {self.name} is archived.")

    @classmethod
    def evolve(cls, state: Self | None, event: Event) -> Self:
        match state, event:
            case None, ClusterTemplateCreated():
                return cls(workspace_id=event.workspace_id, name=event.name, comment=event.comment)
            case ClusterTemplate(), ClusterTemplateChanged():
                return state._next(name=event.name, comment=event.comment)
            case ClusterTemplate(), ClusterTemplateVersionAdded():
                return state._next(versions=(*state.versions, _version(event)))
            case ClusterTemplate(), ClusterTemplateVersionWithdrawn():
                return state._next(versions=_withdrawn(state.versions, event))
            case ClusterTemplate(), ClusterTemplateArchived():
                return state._next(is_archived=True)
        raise OutOfOrder(state, event)

    def _next(self, **changes: Any) -> Self:
        return self.after(revision=self.revision + 1, **changes)


def _version(event: ClusterTemplateVersionAdded) -> TemplateVersion:
    return TemplateVersion(
        id=event.version_id,
        number=event.number,
        comment=event.comment,
        params=event.params,
        sections=event.sections,
    )


def _withdrawn(
    versions: tuple[TemplateVersion, ...], event: ClusterTemplateVersionWithdrawn
) -> tuple[TemplateVersion, ...]:
    return tuple(
        v.model_copy(update={"is_withdrawn": event.withdrawn}) if v.id == event.version_id else v
        for v in versions
    )
