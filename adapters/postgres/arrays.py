"""PostgreSQL's binary form of one-dimensional arrays, packed in bulk.

psycopg dumps a list one element at a time in Python; a batch of a thousand events has eight
thousand elements, so the batch is packed here with one `bytes.join` per column.
Format: src/backend/utils/adt/arrayfuncs.c, array_recv.
"""

from collections.abc import Iterable, Sequence
from struct import Struct
from typing import ClassVar

from psycopg.abc import AdaptContext, Buffer
from psycopg.adapt import Dumper
from psycopg.pq import Format

_HEADER = Struct("!iiIii")
_EMPTY = Struct("!iiI").pack
_LENGTH = Struct("!i")
_length = _LENGTH.pack
_INT4 = Struct("!ii").pack
_INT8 = Struct("!iq").pack
_NULL = _LENGTH.pack(-1)
_SIXTEEN = _LENGTH.pack(16)


def eight(value: int) -> bytes:
    """A bigint as an element."""
    return _INT8(8, value)


def sixteen(value: bytes) -> bytes:
    """An id, given as its 16 bytes, as an element."""
    return _SIXTEEN + value


def sized(value: bytes) -> bytes:
    """A bytea, or an encoded text, as an element."""
    return _length(len(value)) + value


def unsized(element: bytes) -> bytes:
    """What an element holds."""
    return element[_LENGTH.size :]


class Packed(bytes):
    """An array in its binary form; the subclass knows the array's type."""

    array_oid: ClassVar[int]
    element_oid: ClassVar[int]

    @classmethod
    def of(cls, count: int, elements: Iterable[bytes], *, has_null: bool = False) -> "Packed":
        """The array of so many packed elements; none is an array without dimensions."""
        if count == 0:
            return cls(_EMPTY(0, 0, cls.element_oid))
        return cls(_HEADER.pack(1, int(has_null), cls.element_oid, count, 1) + b"".join(elements))


class Int4s(Packed):
    array_oid, element_oid = 1007, 23

    @classmethod
    def pack(cls, values: Sequence[int]) -> Packed:
        return cls.of(len(values), [_INT4(4, v) for v in values])


class Int8s(Packed):
    array_oid, element_oid = 1016, 20

    @classmethod
    def pack(cls, values: Sequence[int]) -> Packed:
        return cls.of(len(values), [eight(v) for v in values])


class Uuids(Packed):
    array_oid, element_oid = 2951, 2950

    @classmethod
    def pack(cls, values: Sequence[bytes | None]) -> Packed:
        """An array of ids, each as its 16 bytes."""
        elements = [_NULL if v is None else sixteen(v) for v in values]
        return cls.of(len(values), elements, has_null=None in values)


class Byteas(Packed):
    array_oid, element_oid = 1001, 17

    @classmethod
    def pack(cls, values: Sequence[bytes]) -> Packed:
        return cls.of(len(values), [sized(v) for v in values])


class Texts(Byteas):
    array_oid, element_oid = 1009, 25


class _PackedDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: bytes) -> Buffer | None:
        return obj


def _dumper(kind: type[Packed]) -> type[Dumper]:
    return type(f"{kind.__name__}Dumper", (_PackedDumper,), {"oid": kind.array_oid})


_DUMPERS = [(kind, _dumper(kind)) for kind in (Int4s, Int8s, Uuids, Byteas, Texts)]


def register(context: AdaptContext) -> None:
    """Let a connection take packed arrays as parameters."""
    for kind, dumper in _DUMPERS:
        context.adapters.register_dumper(kind, dumper)
