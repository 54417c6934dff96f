"""A workspace holds the clusters and templates of one team, under a slug that never changes."""

from collections.abc import Iterator
from typing import Any, Self

from domain.model import Action, Aggregate, Audited, Event, OutOfOrder, Refusal, Value
from domain.values import ChangeMode, Minutes, Name, Slug


class WorkspaceSettings(Value):
    """What its clusters do unless they say otherwise; the check interval is in minutes."""

    change_mode: ChangeMode = ChangeMode.AUTO
    check_interval: Minutes = 5
    install_on_create: bool = False
    """Whether a new cluster is installed without being asked to, as Commander's clients expect."""

    def as_audited(self) -> dict[str, Any]:
        """What stands in an audit line; events from before `install_on_create` tell the same."""
        unsaid = set() if self.install_on_create else {"install_on_create"}
        return self.model_dump(mode="json", exclude=unsaid)


class WorkspaceCreated(Event, topic="workspace.created"):
    name: Name
    slug: Slug
    settings: WorkspaceSettings = WorkspaceSettings()

    def audited(self) -> Audited:
        changes = {"name": self.name, "slug": self.slug, **self.settings.as_audited()}
        return Audited(auditable_type="Workspace", action=Action.CREATE, audited_changes=changes)


class WorkspaceRenamed(Event, topic="workspace.renamed"):
    name: Name
    previous_name: Name

    def audited(self) -> Audited:
        changes = {"name": [self.previous_name, self.name]}
        return Audited(auditable_type="Workspace", action=Action.UPDATE, audited_changes=changes)


class WorkspaceSettingsChanged(Event, topic="workspace.settings_changed"):
    settings: WorkspaceSettings
    previous: WorkspaceSettings

    def audited(self) -> Audited:
        before, after = self.previous.model_dump(mode="json"), self.settings.model_dump(mode="json")
        changes = {key: [before[key], after[key]] for key in after if before[key] != after[key]}
        return Audited(auditable_type="Workspace", action=Action.UPDATE, audited_changes=changes)


class WorkspaceDeleted(Event, topic="workspace.deleted"):
    name: Name

    def audited(self) -> Audited:
        changes = {"name": self.name}
        return Audited(auditable_type="Workspace", action=Action.DELETE, audited_changes=changes)


class WorkspaceIsDeleted(Refusal, code="workspace_deleted"):
    """Nothing happens any more in a deleted workspace."""


class Workspace(Aggregate):
    name: str
    slug: str
    settings: WorkspaceSettings
    is_deleted: bool = False

    @classmethod
    def create(cls, name: str, slug: str, settings: WorkspaceSettings) -> Iterator[Event]:
        yield WorkspaceCreated(name=name, slug=slug, settings=settings)

    def rename(self, name: str) -> Iterator[Event]:
        self._must_live()
        if name != self.name:
            yield WorkspaceRenamed(name=name, previous_name=self.name)

    def change_settings(self, settings: WorkspaceSettings) -> Iterator[Event]:
        self._must_live()
        if settings != self.settings:
            yield WorkspaceSettingsChanged(settings=settings, previous=self.settings)

    def delete(self) -> Iterator[Event]:
        if not self.is_deleted:
            yield WorkspaceDeleted(name=self.name)

    def _must_live(self) -> None:
        if self.is_deleted:
            raise WorkspaceIsDeleted(f"Workspace {self.name} was deleted.")

    @classmethod
    def evolve(cls, state: Self | None, event: Event) -> Self:
        match state, event:
            case None, WorkspaceCreated():
                return cls(name=event.name, slug=event.slug, settings=event.settings)
            case Workspace(), WorkspaceRenamed():
                return state.after(name=event.name)
            case Workspace(), WorkspaceSettingsChanged():
                return state.after(settings=event.settings)
            case Workspace(), WorkspaceDeleted():
                return state.after(is_deleted=True)
        raise OutOfOrder(state, event)
