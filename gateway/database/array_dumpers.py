"""
Arrays as PostgreSQL takes them, built in one go: a decision sends several, and the driver's own way costs more than the
statement does.
"""

from psycopg import AsyncConnection, pq
from psycopg.adapt import Buffer, Dumper

from audit.store.pg_binary import BYTEA, INTEGER, TEXT, blobs, numbers, texts


class Texts(tuple[str, ...]):
    """A `text[]`."""

    __slots__ = ()


class Blobs(tuple[bytes, ...]):
    """A `bytea[]`."""

    __slots__ = ()


class Integers(tuple[int, ...]):
    """An `integer[]`."""

    __slots__ = ()


class _Binary(Dumper):
    format = pq.Format.BINARY


class _Texts(_Binary):
    oid = TEXT.oid

    def dump(self, obj: Texts) -> Buffer:
        return texts(obj)


class _Blobs(_Binary):
    oid = BYTEA.oid

    def dump(self, obj: Blobs) -> Buffer:
        return blobs(BYTEA, list(obj))


class _Integers(_Binary):
    oid = INTEGER.oid

    def dump(self, obj: Integers) -> Buffer:
        return numbers(INTEGER, list(obj))


def teach(connection: AsyncConnection[object]) -> None:
    """Lets a connection send these arrays."""
    for kind, dumper in ((Texts, _Texts), (Blobs, _Blobs), (Integers, _Integers)):
        connection.adapters.register_dumper(kind, dumper)
