"""Forms as browsers send them, and the faults that go back to their fields."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl
from uuid import UUID

from starlette.requests import Request

from adapters.http import bodies
from adapters.http.bounded_texts import MAX_DETAIL, shortened
from adapters.http.edge import Site
from adapters.http.problems import BadRequest, WrongMediaType
from adapters.http.whole_numbers import MAX_POSITION, whole_number
from domain.model import Fault, Invalid, Refusal

FORM = "application/x-www-form-urlencoded"
ID = re.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
MAX_FIELDS = 2_000


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form, in order; a name may come more than once."""

    pairs: tuple[tuple[str, str], ...] = ()

    def __contains__(self, name: str) -> bool:
        return any(key == name for key, _ in self.pairs)

    def text(self, name: str, otherwise: str = "") -> str:
        """The last value of that name."""
        return next((value for key, value in reversed(self.pairs) if key == name), otherwise)

    def line(self, name: str) -> str:
        return self.text(name).strip()

    def number(self, name: str, at_most: int = MAX_POSITION) -> int | None:
        """The whole number of that name; None for anything else."""
        return whole_number(self.line(name), at_most)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.pairs if key == name]

    def ids(self, name: str) -> list[UUID]:
        """The ids of that name. Raises BadRequest."""
        return [id_of(text) for text in self.all(name)]

    def under(self, prefix: str) -> dict[str, str]:
        """The values whose names begin so, without the beginning."""
        return {k.removeprefix(prefix): v for k, v in self.pairs if k.startswith(prefix)}


async def read_form(request: Request, site: Site) -> Form:
    """The form of a POST, bounded in size and time. Raises a Mistake."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await bodies.read(request, site)
    if not body:
        return Form()
    if kind != FORM:
        raise WrongMediaType(f"Send a form as {FORM}.", headers={"Accept": FORM})
    return Form(tuple(_pairs(body)))


def _pairs(body: bytes) -> list[tuple[str, str]]:
    try:
        text = body.decode("ascii")
        pairs = parse_qsl(text, True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:
        raise BadRequest("The form cannot be read.") from None
    if any("\0" in part for pair in pairs for part in pair):
        raise BadRequest("The character U+0000 is not allowed in a form.")
    # A browser sends the lines of a text with CR LF.
    return [(name, value.replace("\r\n", "\n")) for name, value in pairs]


def id_in(text: str) -> UUID | None:
    """The id that a text is written with hyphens; None for any other spelling."""
    return UUID(text) if ID.fullmatch(text) else None


def id_of(text: str) -> UUID:
    """An id that an address or a form holds. Raises BadRequest."""
    if (id_ := id_in(text)) is None:
        raise BadRequest(f"{text[:60]!r} is no id.")
    return id_


@dataclass(frozen=True, slots=True)
class Faults:
    """What is wrong with a form: sentences by the JSON pointer of the field, and the rest."""

    by_pointer: Mapping[str, list[str]] = field(default_factory=dict)
    general: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.by_pointer or self.general)

    def at(self, pointer: str) -> list[str]:
        return list(self.by_pointer.get(pointer, ()))

    def but(self, pointers: Iterable[str]) -> list[str]:
        """Sentences for which none of these fields stands, so that none is lost."""
        shown = set(pointers)
        lost = [
            f"{pointer.strip('/').replace('/', ', ')}: {text}"
            for pointer, texts in self.by_pointer.items()
            if pointer not in shown
            for text in texts
        ]
        return [*self.general, *lost]


def faults_of(error: Refusal) -> Faults:
    """The faults of a refusal, by the field that each one is about."""
    found: dict[str, list[str]] = {}
    general: list[str] = []
    told = error.faults if isinstance(error, Invalid) else [_whole(error)]
    for fault in told:
        if fault.pointer:
            at = shortened(fault.pointer)
            found.setdefault(at, []).append(sentence(shortened(fault.detail)))
        else:
            general.append(sentence(shortened(fault.detail, MAX_DETAIL)))
    if isinstance(error, Invalid) and error.more_faults:
        general.append(f"{error.more_faults:,} more things are wrong.")
    return Faults(found, tuple(general))


def _whole(error: Refusal) -> Fault:
    return Fault(pointer=error.pointer or "", detail=error.detail)


def sentence(text: str) -> str:
    """The text with a capital at its head and a full stop at its end."""
    text = text.strip()
    if not text:
        return text
    ended = text if text[-1] in ".?!…" else f"{text}."
    return ended[0].upper() + ended[1:]
