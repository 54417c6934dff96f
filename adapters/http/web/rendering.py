"""What a template version gives with some values: the sections as text, and the faults in them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any
from uuid import UUID

from markupsafe import Markup

from adapters.http.web.code import numbered
from adapters.http.web.differences import Difference, difference
from adapters.http.web.forms import sentence
from adapters.http.web.visit import Visit
from adapters.http.whole_numbers import whole_number
from application.ports import RenderFault, SectionSource
from domain.input_parameters import Header, Parameter, absent_values, fields_of
from domain.secrets import MASK
from domain.values import DocumentRef
from projections.reader import Shown

NO_CLUSTER = UUID(int=0)
KEY_TO_COME = "ssh-ed25519 AAAA… made when the cluster is saved"


@dataclass(frozen=True, slots=True)
class SectionShown:
    """A rendered section; with what the machines have, where that is to be compared."""

    name: str
    text: str
    faults: tuple[RenderFault, ...] = ()
    applied: str | None = None

    @property
    def code(self) -> Markup:
        by_line: dict[int, list[str]] = {}
        for fault in self.faults:
            by_line.setdefault(fault.line or 0, []).append(sentence(fault.detail))
        return numbered(self.text, by_line)

    @property
    def difference(self) -> Difference | None:
        return None if self.applied is None else difference(self.applied, self.text)

    @property
    def changed(self) -> int:
        found = self.difference
        return found.count if found else 0


@dataclass(frozen=True, slots=True)
class Rendered:
    """All sections of a version with some values."""

    sections: tuple[SectionShown, ...] = ()
    milliseconds: int | None = None
    waits_for: tuple[str, ...] = ()
    """Titles of required parameters that have no value yet: what they break is no fault."""

    @property
    def faults(self) -> list[RenderFault]:
        return [fault for section in self.sections for fault in section.faults]

    @property
    def changed(self) -> int:
        return sum(section.changed for section in self.sections)

    def first(self, tab: str) -> int:
        """Which section is shown: the one that was chosen, else one that needs a look."""
        chosen = whole_number(tab, len(self.sections) - 1)
        if chosen is not None:
            return chosen
        for wanted in ("faults", "changed"):
            for number, section in enumerate(self.sections):
                if getattr(section, wanted):
                    return number
        return 0

    def against(self, applied: Mapping[str, str]) -> "Rendered":
        """The same beside what the machines have; what only they have comes last."""
        sections = [
            section
            if section.faults
            else SectionShown(section.name, section.text, (), applied.get(section.name, ""))
            for section in self.sections
        ]
        known = {section.name for section in self.sections}
        gone = [
            SectionShown(name, "", (), text) for name, text in applied.items() if name not in known
        ]
        return Rendered((*sections, *gone), self.milliseconds)


@dataclass(frozen=True, slots=True)
class Source:
    """A section as its author writes it."""

    name: str
    text: str
    is_yaml: bool = True


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a section is rendered with, every secret masked already."""

    parameters: Sequence[Parameter | Header]
    values: Mapping[str, Any] = field(default_factory=dict)
    cluster: Shown | None = None
    is_patient: bool = True
    """Whether a fault may be for the want of a value, and is not told until all are there."""

    @property
    def missing(self) -> tuple[str, ...]:
        """The titles of required parameters without a value."""
        fields = fields_of(self.parameters).values()
        return tuple(
            field.title
            for field in fields
            if not field.optional
            and field.default is None
            and self.values.get(field.key) in (None, "")
        )

    def given(self, domain: str) -> dict[str, Any]:
        """The values as a template gets them, with masks for what nobody may see."""
        fields = fields_of(self.parameters)
        shown = {
            key: MASK if key in fields and fields[key].is_secret else value
            for key, value in self.values.items()
        }
        return {
            **absent_values(self.parameters, shown),
            **shown,
            "dc_sshPublicKey": self.cluster["ssh_public_key"] if self.cluster else KEY_TO_COME,
            "dc_sshPrivateKey": MASK,
            "dc_clusterUUID": self.cluster["id"] if self.cluster else str(NO_CLUSTER),
            "dc_domain": domain,
            "dc_caBundle": "",
        }


async def sources_of(visit: Visit, version: Shown) -> list[Source]:
    """The sections of a version."""
    return [
        Source(
            section["name"],
            await visit.edge.documents.read(DocumentRef.model_validate(section["source"])),
            section["format"] == "yaml",
        )
        for section in version["sections"]
    ]


async def rendered(visit: Visit, sources: Sequence[Source], wanted: Wanted) -> Rendered:
    """The sections with these values.

    A section with a fault shows its source, because a fault's line is a line of the source.
    """
    began = perf_counter()
    rendering = await visit.edge.renderer.render(
        [SectionSource(each.name, each.text, is_yaml=each.is_yaml) for each in sources],
        wanted.given(visit.edge.bus.world.domain),
        tenant=visit.workspace_id,
    )
    waits_for = wanted.missing
    faults: dict[str, list[RenderFault]] = {}
    for fault in rendering.faults:
        faults.setdefault(fault.section, []).append(fault)
    sections = [
        SectionShown(
            each.name,
            each.text if each.name in faults else rendering.texts.get(each.name, ""),
            () if waits_for and wanted.is_patient else tuple(faults.get(each.name, ())),
        )
        for each in sources
    ]
    return Rendered(tuple(sections), round((perf_counter() - began) * 1000), waits_for)
