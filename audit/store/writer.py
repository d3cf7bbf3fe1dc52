"""
The writer: one connection to the log's database that appends batches, and looks up whether a batch was committed.

Used by one thread.  Every append is a single statement that commits by itself, so it never holds a lock while waiting
for this process.
"""

import uuid
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.pq import ConnStatus, DiagnosticField, ExecStatus

from audit.errors import LogConfigurationError
from audit.sealing.sealer import PreparedRecord
from audit.store import database
from audit.store.pg_binary import (
    BIGINT,
    BYTEA,
    INTEGER,
    SMALLINT,
    TEXT,
    TIMESTAMP,
    UUID,
    ArrayType,
    blobs,
    numbers,
    texts,
)

_BIGINT_OID = 20

# The parameters of append() after the first, in its order.
_ARRAYS: tuple[ArrayType, ...] = (
    *(BYTEA, BYTEA, UUID, SMALLINT, TIMESTAMP, TEXT, SMALLINT),
    *(INTEGER, SMALLINT, BIGINT, BYTEA, BIGINT, BIGINT, BYTEA, BIGINT, BIGINT, BIGINT),
    *(BIGINT, UUID, BYTEA),
    *(INTEGER, INTEGER, TEXT, TEXT, TEXT, BIGINT, BYTEA, TIMESTAMP),
)
_BINARY = [1] * (1 + len(_ARRAYS))


class BatchRefused(Exception):
    """The server refused the batch, and nothing of it was written.  `sqlstate` is PostgreSQL's code of the reason."""

    def __init__(self, sqlstate: str) -> None:
        super().__init__(sqlstate)
        self.sqlstate = sqlstate


class OutcomeUnknown(Exception):
    """The batch may or may not have been committed."""


class Writer:
    """
    Appends to one log.  Connects on demand, and checks server and role at every connection.
    """

    def __init__(self, conninfo: str, origin: str, schema: str) -> None:
        self._conninfo = conninfo
        self._origin = origin
        self._schema = schema
        self._connection: psycopg.Connection[Any] | None = None
        self._warned = False

    def append(self, records: Sequence[PreparedRecord]) -> int:
        """
        Appends a batch, and returns the index of its first record once all of it is durable and in the tree.

        Raises `BatchRefused`, `OutcomeUnknown`.
        """
        self._warned = False
        try:
            connection = self._connected()
            # This call returns the last result before the server is ready again: an error of the commit itself
            # replaces the row before it.
            result = connection.pgconn.exec_prepared(b"append", _parameters(records), _BINARY, 1)
        except (psycopg.Error, LogConfigurationError):
            connection = None
        if connection is None:
            self.disconnect()
            raise OutcomeUnknown
        if result.status == ExecStatus.TUPLES_OK and not self._warned:
            for record in records:
                for key in record.keys:
                    key.stored = True
            return int.from_bytes(result.get_value(0, 0) or b"")
        sqlstate = (result.error_field(DiagnosticField.SQLSTATE) or b"").decode()
        if sqlstate and connection.pgconn.status == ConnStatus.OK and not self._warned:
            raise BatchRefused(sqlstate)
        self.disconnect()
        raise OutcomeUnknown

    def settled(self, records: Sequence[PreparedRecord]) -> dict[int, tuple[int, bytes]]:
        """
        Index and leaf hash of the records that are in the log, by their number in the sequence.

        Waits until every append in progress has ended.  Raises `OutcomeUnknown`.
        """
        query = f"SELECT n, found_at, found_leaf FROM {self._schema}.settled(%s, %s::smallint[])"  # noqa: S608
        wanted = ([uuid.UUID(bytes=record.xid) for record in records], [record.type for record in records])
        try:
            rows = self._connected().execute(query, wanted, binary=True).fetchall()
        except (psycopg.Error, LogConfigurationError):
            rows = None
        if rows is None:
            self.disconnect()
            raise OutcomeUnknown
        return {n - 1: (index, leaf) for n, index, leaf in rows}

    def epoch(self) -> int:
        """The number of erasures so far.  Raises `LogConfigurationError`, `psycopg.Error`."""
        row = self._connected().execute(f"SELECT epoch FROM {self._schema}.head").fetchone()  # noqa: S608
        return int(row[0]) if row else 0

    def disconnect(self) -> None:
        """Closes the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _connected(self) -> psycopg.Connection[Any]:
        if self._connection is None:
            connection = psycopg.connect(self._conninfo, autocommit=True)
            try:
                self._prepare(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _prepare(self, connection: psycopg.Connection[Any]) -> None:
        connection.add_notice_handler(self._notice)
        database.check(connection, self._origin, schema=self._schema)
        types = [_BIGINT_OID, *(kind.oid for kind in _ARRAYS)]
        places = ", ".join(f"${n + 1}" for n in range(len(types)))
        prepared = connection.pgconn.prepare(b"append", f"SELECT {self._schema}.append({places})".encode(), types)
        if prepared.status != ExecStatus.COMMAND_OK:
            raise LogConfigurationError(
                "this role may not append to the log; run: GRANT shuniu_audit_append TO the role"
            )

    def _notice(self, diagnostic: psycopg.errors.Diagnostic) -> None:
        # The wait for a synchronous standby was cut short: committed here, but perhaps nowhere else.
        if diagnostic.severity_nonlocalized == "WARNING":
            self._warned = True


def _parameters(records: Sequence[PreparedRecord]) -> list[bytes]:
    slots = [(n, number, slot) for n, record in enumerate(records) for number, slot in enumerate(record.slots)]
    bodies = [(n, number, body) for n, record in enumerate(records) for number, body in enumerate(record.payloads)]
    keys = list({key.id: key for record in records for key in record.keys if not key.stored}.values())
    return [
        records[0].epoch.to_bytes(8),
        blobs(BYTEA, [record.body for record in records]),
        blobs(BYTEA, [record.leaf for record in records]),
        blobs(UUID, [record.xid for record in records]),
        numbers(SMALLINT, [record.type for record in records]),
        numbers(TIMESTAMP, [record.at for record in records]),
        texts(record.court for record in records),
        numbers(SMALLINT, [record.states for record in records]),
        numbers(INTEGER, [n for n, _, _ in slots]),
        numbers(SMALLINT, [number for _, number, _ in slots]),
        numbers(BIGINT, [slot.party.key for _, _, slot in slots]),
        blobs(BYTEA, [slot.party.box for _, _, slot in slots]),
        numbers(BIGINT, [slot.party.mark for _, _, slot in slots]),
        numbers(BIGINT, [slot.staff.key for _, _, slot in slots]),
        blobs(BYTEA, [slot.staff.box for _, _, slot in slots]),
        numbers(BIGINT, [slot.staff.mark for _, _, slot in slots]),
        numbers(BIGINT, [slot.case_mark for _, _, slot in slots]),
        numbers(BIGINT, [slot.order_mark for _, _, slot in slots]),
        numbers(BIGINT, [key.id for key in keys]),
        blobs(UUID, [key.mark for key in keys]),
        blobs(BYTEA, [key.wrapped for key in keys]),
        numbers(INTEGER, [n for n, _, _ in bodies]),
        numbers(INTEGER, [number for _, number, _ in bodies]),
        texts(body.kind for _, _, body in bodies),
        texts(body.agency for _, _, body in bodies),
        texts(body.capability for _, _, body in bodies),
        numbers(BIGINT, [body.key for _, _, body in bodies]),
        blobs(BYTEA, [body.box for _, _, body in bodies]),
        numbers(TIMESTAMP, [body.expires for _, _, body in bodies]),
    ]
