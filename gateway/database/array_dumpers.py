"""
Arrays as PostgreSQL takes them, built in one go: a decision sends several, and the driver's own way costs more than the
statement does.
"""

from psycopg import AsyncConnection, pq
from psycopg.adapt import Buffer, Dumper

from audit.store.pg_binary import BYTEA, INTEGER, TEXT, blobs, numbers, texts


class TextArray(tuple[str, ...]):
    """A `text[]`."""

    __slots__ = ()


class BlobArray(tuple[bytes, ...]):
    """A `bytea[]`."""

    __slots__ = ()


class IntegerArray(tuple[int, ...]):
    """An `integer[]`."""

    __slots__ = ()


class _Binary(Dumper):
    format = pq.Format.BINARY


class _Texts(_Binary):
    oid = TEXT.oid

    def dump(self, obj: TextArray) -> Buffer:
        return texts(obj)


class _Blobs(_Binary):
    oid = BYTEA.oid

    def dump(self, obj: BlobArray) -> Buffer:
        return blobs(BYTEA, list(obj))


class _Integers(_Binary):
    oid = INTEGER.oid

    def dump(self, obj: IntegerArray) -> Buffer:
        return numbers(INTEGER, list(obj))


def register(connection: AsyncConnection[object]) -> None:
    """Lets a connection send these arrays."""
    for kind, dumper in ((TextArray, _Texts), (BlobArray, _Blobs), (IntegerArray, _Integers)):
        connection.adapters.register_dumper(kind, dumper)
