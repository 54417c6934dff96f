"""What a template version gives with some values: the sections as text, and the faults in them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any
from uuid import UUID

from markupsafe import Markup

from adapters.http.web.code import numbered
from adapters.http.web.forms import sentence
from adapters.http.web.visit import Visit
from application.ports import RenderFault, SectionSource
from domain.input_parameters import Header, Parameter, absent_values, fields_of
from domain.secrets import MASK
from domain.values import DocumentRef
from projections.reader import Shown

NO_CLUSTER = UUID(int=0)
KEY_TO_COME = "ssh-ed25519 AAAA… made when the cluster is saved"


@dataclass(frozen=True, slots=True)
class SectionShown:
    """A rendered section: its lines, and the sentences about those that are wrong."""

    name: str
    text: str
    faults: tuple[RenderFault, ...]

    @property
    def code(self) -> Markup:
        by_line: dict[int, list[str]] = {}
        for fault in self.faults:
            by_line.setdefault(fault.line or 0, []).append(sentence(fault.detail))
        return numbered(self.text, by_line)


@dataclass(frozen=True, slots=True)
class Rendered:
    """All sections of a version with some values."""

    sections: tuple[SectionShown, ...]
    milliseconds: int

    @property
    def faults(self) -> list[RenderFault]:
        return [fault for section in self.sections for fault in section.faults]


@dataclass(frozen=True, slots=True)
class Source:
    """A section as its author writes it."""

    name: str
    text: str
    is_yaml: bool = True


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


async def rendered(
    visit: Visit,
    sources: Sequence[Source],
    parameters: Sequence[Parameter | Header],
    values: Mapping[str, Any],
    cluster: Shown | None = None,
) -> Rendered:
    """The sections with these values, in which every secret is masked already.

    A section with a fault shows its source, because a fault's line is a line of the source.
    """
    began = perf_counter()
    rendering = await visit.edge.renderer.render(
        [SectionSource(each.name, each.text, is_yaml=each.is_yaml) for each in sources],
        given(visit, parameters, values, cluster),
    )
    faults: dict[str, list[RenderFault]] = {}
    for fault in rendering.faults:
        faults.setdefault(fault.section, []).append(fault)
    return Rendered(
        tuple(
            SectionShown(
                each.name,
                each.text if each.name in faults else rendering.texts.get(each.name, ""),
                tuple(faults.get(each.name, ())),
            )
            for each in sources
        ),
        round((perf_counter() - began) * 1000),
    )


def given(
    visit: Visit,
    parameters: Sequence[Parameter | Header],
    values: Mapping[str, Any],
    cluster: Shown | None,
) -> dict[str, Any]:
    """The values as a template gets them, with masks for what nobody may see."""
    fields = fields_of(parameters)
    shown = {
        key: MASK if key in fields and fields[key].is_secret else value
        for key, value in values.items()
    }
    return {
        **absent_values(parameters, shown),
        **shown,
        "dc_sshPublicKey": cluster["ssh_public_key"] if cluster else KEY_TO_COME,
        "dc_sshPrivateKey": MASK,
        "dc_clusterUUID": cluster["id"] if cluster else str(NO_CLUSTER),
        "dc_domain": visit.edge.bus.world.domain,
        "dc_caBundle": "",
    }
