"""A cluster's settings, a record of its own: how changes are applied, how often it is checked."""

from collections.abc import Iterator
from typing import Any, Self
from uuid import UUID, uuid5

from domain.model import Action, Aggregate, Audited, Event, OutOfOrder, Value
from domain.values import ChangeMode, Minutes


class Settings(Value):
    """`check_interval` is in minutes."""

    change_mode: ChangeMode = ChangeMode.AUTO
    check_interval: Minutes = 1

    def as_audited(self) -> dict[str, Any]:
        """The seed's spelling of them."""
        return {"sync": {"mode": self.change_mode.value}, "check_interval": self.check_interval}


class ClusterSettingsCreated(Event, topic="cluster_settings.created"):
    cluster_id: UUID
    settings: Settings

    def audited(self) -> Audited:
        changes = {"cluster_manager": self.settings.as_audited()}
        return Audited(
            auditable_type="ClusterSettings", action=Action.CREATE, audited_changes=changes
        )


class ClusterSettingsChanged(Event, topic="cluster_settings.changed"):
    cluster_id: UUID
    settings: Settings
    previous: Settings

    def audited(self) -> Audited:
        pair = [self.previous.as_audited(), self.settings.as_audited()]
        changes = {"cluster_manager": pair}
        return Audited(
            auditable_type="ClusterSettings", action=Action.UPDATE, audited_changes=changes
        )


class ClusterSettings(Aggregate):
    cluster_id: UUID
    settings: Settings

    @staticmethod
    def id_of(cluster_id: UUID) -> UUID:
        """The id of a cluster's settings record."""
        return uuid5(cluster_id, "settings")

    @classmethod
    def create(cls, cluster_id: UUID, settings: Settings) -> Iterator[Event]:
        yield ClusterSettingsCreated(cluster_id=cluster_id, settings=settings)

    def change(self, settings: Settings) -> Iterator[Event]:
        if settings != self.settings:
            yield ClusterSettingsChanged(
                cluster_id=self.cluster_id, settings=settings, previous=self.settings
            )

    @classmethod
    def evolve(cls, state: Self | None, event: Event) -> Self:
        match state, event:
            case None, ClusterSettingsCreated():
                return cls(cluster_id=event.cluster_id, settings=event.settings)
            case ClusterSettings(), ClusterSettingsChanged():
                return state.after(settings=event.settings)
        raise OutOfOrder(state, event)
