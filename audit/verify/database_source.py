"""
A log source for verifier and exporter: one snapshot of the log's database, unaffected by later writes.
"""

import contextlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

import psycopg

from audit.format.note import Verifier
from audit.format.tiles import WIDTH
from audit.format.tree import HASH_BYTES, leaf_hash
from audit.store.reader import Reader
from audit.verify.damage_locator import runs
from audit.verify.verifier import Damage, Finding, Progress, VerificationReport, verify

BUNDLES_AT_ONCE = 16
MOST_OLDER = 2000


class DatabaseSource:
    """
    A `LogSource` over one snapshot of the database.  Made with `snapshot`.
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
    def snapshot(cls, reader: Reader) -> "Iterator[DatabaseSource]":
        """A consistent view of the log from end to end.  Raises `AuditUnavailable`."""
        with reader.connection(snapshot=True) as connection:
            yield cls(reader, connection)

    def checkpoint(self) -> bytes:
        """The newest checkpoint."""
        return self._note

    def older(self) -> list[bytes]:
        """All signed checkpoints, evenly thinned to a bounded number, always with the newest."""
        rows = self._rows(
            "SELECT note FROM (SELECT note, size, row_number() OVER (ORDER BY size DESC) - 1 AS n, "
            "count(*) OVER () AS all_of FROM {schema}.checkpoint WHERE size > 0) c "
            "WHERE n %% (all_of / %s + 1) = 0 ORDER BY size",
            (MOST_OLDER,),
        )
        return [note for (note,) in rows]

    def anchored(self) -> dict[int, bytes]:
        """Every checkpoint with an anchor, by its size; never thinned, since evidence needs its note."""
        query = "SELECT size, note FROM {schema}.checkpoint WHERE size IN (SELECT size FROM {schema}.anchor) ORDER BY 1"
        return {row[0]: row[1] for row in self._rows(query)}

    def anchors(self) -> list[tuple[int, str, str, bytes]]:
        """Size, kind, name and evidence of every anchor."""
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
            return self._bundle(n)[1][: width * HASH_BYTES]
        first = n * WIDTH
        cells = [bytes(HASH_BYTES)] * width
        query = "SELECT n, hash FROM {schema}.subtree WHERE level = %s AND n >= %s AND n < %s"
        for number, node in self._rows(query, (level, first, first + width)):
            cells[number - first] = node
        return b"".join(cells)

    def peaks(self) -> Sequence[bytes]:
        """The compact range of the head."""
        return self.range

    def _bundle(self, n: int) -> tuple[list[bytes | None], bytes]:
        # Independent of the head's size, which is to be verified itself.
        if n not in self._bundles:
            self._bundles.clear()
            start, end = n * WIDTH, (n + BUNDLES_AT_ONCE) * WIDTH
            rows = self._rows(
                "SELECT idx, body, leaf FROM {schema}.entry WHERE idx >= %s AND idx < %s ORDER BY idx", (start, end)
            )
            bodies: list[bytes | None] = [None] * (end - start)
            leaves = [bytes(HASH_BYTES)] * (end - start)
            for index, body, leaf in rows:
                bodies[index - start] = body
                leaves[index - start] = leaf
            for place in range(0, len(bodies), WIDTH):
                bundle = bodies[place : place + WIDTH], b"".join(leaves[place : place + WIDTH])
                self._bundles[(start + place) // WIDTH] = bundle
        return self._bundles[n]

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
) -> VerificationReport:
    """
    Verifies the log in the database: the signed part like a folder, then the newest entries, which are not signed yet.

    Raises `AuditUnavailable`.
    """
    with DatabaseSource.snapshot(reader) as tables:
        report = verify(tables, origin, keys, against=[*tables.older(), *against], progress=progress)
        if report.root:
            report.findings += _tail(tables, report)
            report.checked.append(f"{max(tables.size - report.size, 0)} newer entries that no checkpoint covers yet")
        return report


def _tail(tables: DatabaseSource, report: VerificationReport) -> list[Finding]:
    """Damage to the head, and to the entries that no checkpoint covers yet."""
    rows = tables._rows("SELECT max(idx) FROM {schema}.entry WHERE idx >= %s", (report.size,))  # noqa: SLF001
    end = report.size if rows[0][0] is None else rows[0][0] + 1
    tree = report.tree.copy()
    missing: list[int] = []
    findings: list[Finding] = []
    for index in range(report.size, min(tables.size, end)):
        n, place = divmod(index, WIDTH)
        entry, stored = tables.entries(n, WIDTH)[place], tables.hashes(0, n, WIDTH)[place * HASH_BYTES :][:HASH_BYTES]
        if entry is None:
            missing.append(index)
        elif leaf_hash(entry) != stored:
            findings.append(Finding(Damage.ENTRY, index, index))
        tree.append(stored)
    findings += [Finding(Damage.MISSING, first, last) for first, last in runs(missing)]
    if tables.size > end:
        findings.append(Finding(Damage.MISSING, end, tables.size - 1))
    beyond = max(tables.size, report.size)
    if end > beyond:
        findings.append(Finding(Damage.ENTRY, beyond, end - 1, "beyond the head of the log"))
    if tables.signed_size != report.size:
        findings.append(Finding(Damage.HEAD, where="its signed size is not the checkpoint's"))
    if not report.findings and tree.size >= tables.size and list(tables.range) != tree.nodes and not missing:
        first, last = (report.size, tables.size - 1) if tables.size > report.size else (None, None)
        findings.append(Finding(Damage.HEAD, first, last, "its hashes"))
    return findings
