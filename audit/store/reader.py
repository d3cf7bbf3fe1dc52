"""
A reader of the log's database: head, leaves, entries, tile hashes, sealed values and payloads.

Every method is one short transaction and blocks; call it from a worker thread.  Every method raises `AuditUnavailable`
if the database does not answer in time.
"""

import contextlib
import functools
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg_pool import ConnectionPool, PoolTimeout

from audit.errors import AuditUnavailable
from audit.format.event import EventType
from audit.format.tiles import ENTRIES, WIDTH, Tile, encode_bundle, nodes_of, tile_of
from audit.format.tree import HASH_BYTES, Nodes, consistency_proof, inclusion_proof
from audit.sealing.keys import Keys
from audit.sealing.unsealing import Unsealer, WrappedKey
from audit.store import database

CONNECTIONS = 4
CHUNK = 10_000
MOST_NODES = 100_000


@dataclass(frozen=True, slots=True)
class Head:
    """The state of the log according to the database."""

    size: int
    range: tuple[bytes, ...]
    epoch: int
    signed_size: int
    signed_note: bytes


class Reader:
    """
    Reads one log over a few connections of its own.  `connection` allows several reads of one snapshot.
    """

    def __init__(self, dsn: str, keys: Keys, *, schema: str = database.SCHEMA, timeout: float = 2.0) -> None:
        self.schema = schema
        self.opener = Unsealer(keys)
        self.vkey = keys.signer.vkey
        # A node of the tree never changes, and every proof from it is compared with a signed root.
        self._nodes: dict[tuple[int, int], bytes] = {}
        self._timeout = timeout
        self._pool: ConnectionPool[psycopg.Connection[Any]] = ConnectionPool(
            database.conninfo(dsn, timeout=timeout, purpose="read"),
            min_size=0,
            max_size=CONNECTIONS,
            timeout=timeout,
            open=True,
            check=ConnectionPool.check_connection,
            kwargs={"autocommit": True},
            name="audit reader",
        )

    def close(self) -> None:
        """Gives the connections back."""
        self._pool.close()

    @contextlib.contextmanager
    def connection(self, *, snapshot: bool = False) -> Iterator[psycopg.Connection[Any]]:
        """
        A connection; with `snapshot`, one read-only transaction that sees one state of the log from end to end.
        """
        try:
            with self._pool.connection() as connection:
                if not snapshot:
                    yield connection
                    return
                with connection.transaction():
                    connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                    connection.execute("SET LOCAL statement_timeout = 0")
                    connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
                    yield connection
                return
        except (psycopg.Error, PoolTimeout):
            # Database errors quote values: a new error is raised outside of this block.
            pass
        raise AuditUnavailable("could not read the log's database")

    def query(self, text: str) -> sql.Composed:
        """SQL with {schema} and {keys} filled in."""
        names = {"schema": self.schema, "keys": database.keys_schema(self.schema)}
        parts = {name: sql.Identifier(value) for name, value in names.items()}
        # All texts are constants of this package.
        return sql.SQL(text).format(**parts)

    def rows(self, text: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of one query."""
        with self.connection() as connection:
            return connection.execute(self.query(text), parameters, binary=True).fetchall()

    def head(self) -> Head:
        """The current state of the log."""
        row = self.rows("SELECT size, range, epoch, signed_size, signed_note FROM {schema}.head")[0]
        return Head(row[0], tuple(row[1]), row[2], row[3], row[4] or b"")

    def epoch(self) -> int:
        """The number of erasures so far."""
        return self.head().epoch

    def publish(self, size: int, note: bytes) -> bool:
        """Publishes a signed checkpoint; says whether it is the largest."""
        return bool(self.rows("SELECT {schema}.publish(%s, %s)", (size, note))[0][0])

    def checkpoints(self, after: int = -1) -> list[tuple[int, bytes]]:
        """All signed checkpoints above a size, smallest first."""
        return [
            (row[0], row[1])
            for row in self.rows("SELECT size, note FROM {schema}.checkpoint WHERE size > %s ORDER BY size", (after,))
        ]

    def leaves(self, start: int, end: int) -> Iterator[bytes]:
        """The leaf hashes start … end−1, as stored, up to the first that is missing."""
        for first in range(start, end, CHUNK):
            rows = self.rows(
                "SELECT idx, leaf FROM {schema}.entry WHERE idx >= %s AND idx < %s ORDER BY idx",
                (first, min(first + CHUNK, end)),
            )
            for place, (index, leaf) in enumerate(rows):
                if index != first + place:
                    return
                yield leaf
            if len(rows) < min(CHUNK, end - first):
                return

    def body(self, index: int) -> bytes | None:
        """The exact bytes of an entry."""
        rows = self.rows("SELECT body FROM {schema}.entry WHERE idx = %s", (index,))
        return rows[0][0] if rows else None

    def entry_index(self, exchange: UUID, phase: EventType) -> int | None:
        """The index of an exchange's record of one type."""
        rows = self.rows("SELECT idx FROM {schema}.entry WHERE xid = %s AND type = %s", (exchange, phase.number))
        return rows[0][0] if rows else None

    def tile(self, tile: Tile) -> bytes:
        """The bytes of a tile or an entry bundle, as far as the log has grown."""
        first, limit = tile.n * WIDTH, tile.n * WIDTH + tile.width
        if tile.level <= 0:
            column = "body" if tile.level == ENTRIES else "leaf"
            query = f"SELECT {column} FROM {{schema}}.entry WHERE idx >= %s AND idx < %s ORDER BY idx"  # noqa: S608
            cells = [row[0] for row in self.rows(query, (first, limit))]
            return encode_bundle(cells) if tile.level == ENTRIES else b"".join(cells)
        query = "SELECT hash FROM {schema}.subtree WHERE level = %s AND n >= %s AND n < %s ORDER BY n"
        return b"".join([row[0] for row in self.rows(query, (tile.level, first, limit))])

    def nodes(self, *proofs: Callable[[Nodes], object]) -> Nodes:
        """
        Access to any node of the tree.  The nodes of all `proofs` are read at once, so a page of them costs one query.
        """
        wanted = {node for prove in proofs for node in _asked_by(prove)} - self._nodes.keys()
        tiles = self._tiles({tile_of(level, n) for level, n in wanted})
        read = nodes_of(lambda level, n: tiles.get((level, n)) or self.tile(Tile(level, n)))

        def node(level: int, n: int) -> bytes:
            known = self._nodes.get((level, n))
            if known is None:
                if len(self._nodes) >= MOST_NODES:
                    self._nodes.clear()
                known = self._nodes[level, n] = read(level, n)
            return known

        return node

    def _tiles(self, wanted: Collection[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
        """The hashes of these tiles (level, number), as far as the log has grown."""
        if not wanted:
            return {}
        rows = self.rows(
            "SELECT level, n, CASE level "
            "WHEN 0 THEN (SELECT string_agg(leaf, ''::bytea ORDER BY idx) FROM {schema}.entry "
            "WHERE idx >= t.n * 256 AND idx < t.n * 256 + 256) "
            "ELSE (SELECT string_agg(hash, ''::bytea ORDER BY s.n) FROM {schema}.subtree s "
            "WHERE s.level = t.level AND s.n >= t.n * 256 AND s.n < t.n * 256 + 256) END "
            "FROM unnest(%s::smallint[], %s::bigint[]) AS t (level, n)",
            ([level for level, _ in wanted], [n for _, n in wanted]),
        )
        return {(level, n): hashes for level, n, hashes in rows if hashes is not None}

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """The path of an entry in the tree of a size.  Raises ValueError unless `index` is below `size`."""
        prove = functools.partial(inclusion_proof, index, size)
        return prove(self.nodes(prove))

    def consistency(self, old: int, new: int) -> list[bytes]:
        """The proof that the tree of size `new` begins with that of size `old`.  Raises ValueError."""
        prove = functools.partial(consistency_proof, old, new)
        return prove(self.nodes(prove))

    def wrapped_keys(self, identities: Sequence[int]) -> dict[int, WrappedKey]:
        """The subject keys that are still there."""
        query = "SELECT id, mark, wrapped FROM {keys}.subject_key WHERE id = ANY (%s) AND wrapped IS NOT NULL"
        rows = self.rows(query, (list(identities),))
        return {row[0]: WrappedKey(row[0], row[1].bytes, row[2]) for row in rows}

    def open_payload(self, exchange: UUID, kind: str, agency: str = "", capability: str = "") -> bytes | None:
        """The newest payload of an exchange, opened.  Raises `LogBroken` if it does not open."""
        rows = self.rows(
            "SELECT e.type, k.key_id, k.box, k.agency, k.capability "
            "FROM {schema}.entry e JOIN {schema}.kept k USING (idx) "
            "WHERE e.xid = %s AND k.kind = %s AND %s IN (k.agency, '') AND %s IN (k.capability, '') "
            "AND k.expires_at > clock_timestamp() ORDER BY k.idx DESC, k.n DESC LIMIT 1",
            (exchange, kind, agency, capability),
        )
        if not rows:
            return None
        number, key_id, box, of_agency, of_capability = rows[0]
        key = self.wrapped_keys([key_id]).get(key_id)
        if key is None:
            return None
        return self.opener.payload(key, exchange, number, (kind, of_agency, of_capability), box)


def _asked_by(prove: Callable[[Nodes], object]) -> set[tuple[int, int]]:
    """The nodes that a proof needs, recorded in a dry run."""
    nodes: set[tuple[int, int]] = set()

    def note(level: int, n: int) -> bytes:
        nodes.add((level, n))
        return bytes(HASH_BYTES)

    prove(note)
    return nodes
