"""
A log in its database, as the verifier and the exporter see it: one snapshot, whatever is written meanwhile.
"""

import contextlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

import psycopg

from audit.note import Verifier
from audit.reader import Reader
from audit.tiles import WIDTH
from audit.tree import EMPTY_ROOT, CompactRange, fold, leaf_hash
from audit.verify import Damage, Finding, Progress, Report, verify

BUNDLES_AT_ONCE = 16
MOST_OLDER = 2000


class Tables:
    """
    A `Source` over one snapshot of the database.  Make it with `snapshot`.
    """

    def __init__(self, reader: Reader, connection: psycopg.Connection[Any]) -> None:
        self._reader = reader
        self._connection = connection
        self._bundles: dict[int, tuple[list[bytes | None], bytes]] = {}
        size, nodes, signed, note = self._rows("SELECT size, range, signed_size, signed_note FROM {schema}.head")[0]
        self.size: int = size
        self.range: tuple[bytes, ...] = tuple(nodes)
        self.signed_size: int = signed
        self._note: bytes = note or b""

    @classmethod
    @contextlib.contextmanager
    def snapshot(cls, reader: Reader) -> "Iterator[Tables]":
        """A consistent view of the log from end to end.  Raises `AuditUnavailable`."""
        with reader.connection(snapshot=True) as connection:
            yield cls(reader, connection)

    def checkpoint(self) -> bytes:
        """The newest checkpoint."""
        return self._note

    def older(self) -> list[bytes]:
        """Older checkpoints, evenly thinned to a bounded number."""
        rows = self._rows(
            "SELECT note FROM (SELECT note, size, row_number() OVER (ORDER BY size) AS n, count(*) OVER () AS all_of "
            "FROM {schema}.checkpoint WHERE size > 0 AND size <= %s) c WHERE n %% (all_of / %s + 1) = 0 ORDER BY size",
            (self.signed_size, MOST_OLDER),
        )
        return [note for (note,) in rows]

    def anchors(self) -> list[tuple[int, str, str, bytes]]:
        """Size, kind, name and bytes of everything that others said about a checkpoint."""
        return [
            (row[0], row[1], row[2], row[3])
            for row in self._rows("SELECT size, kind, name, evidence FROM {schema}.anchor ORDER BY size, kind, name")
        ]

    def entries(self, n: int, width: int) -> Sequence[bytes | None]:
        """The entries of a bundle."""
        return self._bundle(n)[0][:width]

    def hashes(self, level: int, n: int, width: int) -> bytes:
        """The stored hashes of a tile: the leaf column, or the roots of full subtrees."""
        if level == 0:
            return self._bundle(n)[1][: width * 32]
        return b"".join(
            [
                row[0]
                for row in self._rows(
                    "SELECT hash FROM {schema}.subtree WHERE level = %s AND n >= %s AND n < %s ORDER BY n",
                    (level, n * WIDTH, n * WIDTH + width),
                )
            ]
        )

    def _bundle(self, n: int) -> tuple[list[bytes | None], bytes]:
        if n not in self._bundles:
            self._bundles.clear()
            start = n * WIDTH
            end = min(start + BUNDLES_AT_ONCE * WIDTH, self.size)
            rows = self._rows(
                "SELECT idx, body, leaf FROM {schema}.entry WHERE idx >= %s AND idx < %s ORDER BY idx", (start, end)
            )
            bodies: list[bytes | None] = [None] * (end - start)
            leaves = [bytes(32)] * (end - start)
            for index, body, leaf in rows:
                bodies[index - start] = body
                leaves[index - start] = leaf
            for place in range(0, len(bodies), WIDTH):
                held = bodies[place : place + WIDTH], b"".join(leaves[place : place + WIDTH])
                self._bundles[(start + place) // WIDTH] = held
        return self._bundles.get(n, ([], b""))

    def _rows(self, text: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        query = self._reader.query(text)
        return self._connection.execute(query, parameters, binary=True).fetchall()


def verify_tables(
    reader: Reader,
    origin: str,
    keys: Collection[Verifier],
    *,
    against: Iterable[bytes] = (),
    progress: Progress | None = None,
) -> Report:
    """
    Verifies the log in the database: the signed part as any folder, then the newest entries that are not signed yet.

    Raises `AuditUnavailable`.
    """
    with Tables.snapshot(reader) as tables:
        report = verify(tables, origin, keys, against=[*tables.older(), *against], progress=progress)
        if not report.findings and report.root:
            _verify_tail(tables, report)
        return report


def _verify_tail(tables: Tables, report: Report) -> None:
    tree = report.tree.copy()
    beyond = tables._rows("SELECT idx FROM {schema}.entry WHERE idx >= %s ORDER BY idx LIMIT 1", (tables.size,))  # noqa: SLF001
    if beyond:
        report.findings.append(Finding(Damage.ENTRY, beyond[0][0], beyond[0][0], "beyond the head of the log"))
    for index in range(tree.size, tables.size):
        n, place = divmod(index, WIDTH)
        entry = tables.entries(n, place + 1)[place]
        stored = tables.hashes(0, n, place + 1)[place * 32 :]
        if entry is None:
            report.findings.append(Finding(Damage.MISSING, index, index))
        elif leaf_hash(entry) != stored:
            report.findings.append(Finding(Damage.ENTRY, index, index))
        tree.append(stored)
    if not report.findings and tree.root() != _root(tables):
        report.findings.append(Finding(Damage.REPLACED, report.size, tables.size - 1))
    report.checked.append(f"{tables.size - report.size} newer entries that no checkpoint covers yet")


def _root(tables: Tables) -> bytes:
    try:
        return fold(CompactRange(tables.size, tables.range).nodes)
    except ValueError:
        return EMPTY_ROOT
