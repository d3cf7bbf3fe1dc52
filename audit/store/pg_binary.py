"""
Arrays in PostgreSQL's binary format, packed in one pass each.

The driver's own adaptation of lists costs about ten times as much per element, which matters for appends.
"""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_HEADER = struct.Struct(">iiIii").pack
_EMPTY = struct.Struct(">iiI").pack
_LENGTH = struct.Struct(">i").pack
_NULL = _LENGTH(-1)

# Microseconds between 1970 and PostgreSQL's own epoch, 2000-01-01.
POSTGRES_EPOCH = 946_684_800_000_000


@dataclass(frozen=True, slots=True)
class ArrayType:
    """The object ids of an array type and of its element, and how a fixed-width element is packed."""

    oid: int
    element: int
    fixed: struct.Struct | None = None
    shift: int = 0


SMALLINT = ArrayType(1005, 21, struct.Struct(">ih"))
INTEGER = ArrayType(1007, 23, struct.Struct(">ii"))
BIGINT = ArrayType(1016, 20, struct.Struct(">iq"))
TIMESTAMP = ArrayType(1185, 1184, struct.Struct(">iq"), shift=POSTGRES_EPOCH)
BYTEA = ArrayType(1001, 17)
UUID = ArrayType(2951, 2950)
TEXT = ArrayType(1009, 25)


def numbers(kind: ArrayType, values: Sequence[int | None]) -> bytes:
    """An array of numbers; moments are microseconds since 1970."""
    if not values:
        return _EMPTY(0, 0, kind.element)
    if kind.fixed is None:
        raise TypeError("not an array of numbers")
    pack, width, shift = kind.fixed.pack, kind.fixed.size - 4, kind.shift
    cells = [_NULL if value is None else pack(width, value - shift) for value in values]
    return _HEADER(1, 1, kind.element, len(values), 1) + b"".join(cells)


def blobs(kind: ArrayType, values: Sequence[bytes | None]) -> bytes:
    """An array of byte strings: bytea, uuid or UTF-8 text."""
    if not values:
        return _EMPTY(0, 0, kind.element)
    cells: list[bytes] = [_HEADER(1, 1, kind.element, len(values), 1)]
    for value in values:
        if value is None:
            cells.append(_NULL)
        else:
            cells.append(_LENGTH(len(value)))
            cells.append(value)
    return b"".join(cells)


def texts(values: Iterable[str | None]) -> bytes:
    """An array of text."""
    return blobs(TEXT, [None if value is None else value.encode() for value in values])
