"""
A snapshot of the state of a hub that a scrape renders beside its meters.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.anchors.service import AnchorReport
from gateway.resilience.status import GuardState


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditStatus:
    """
    The state of the log; `tree_size`, `open_orphans` and `anchors` are None while the database does not answer.
    """

    appended: int
    refused: int
    waiting: int
    tree_size: int | None
    checkpoint_size: int
    checkpoint_age: float
    broken: bool
    open_orphans: int | None
    anchors: Sequence[AnchorReport] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolStatus:
    """Connections of this process's pool, those in use, and calls that wait for one."""

    connections: int
    in_use: int
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TelemetrySnapshot:
    """The state at one moment; `at` is our clock (UTC)."""

    at: datetime
    version: str
    guards: Sequence[GuardState]
    audit: AuditStatus
    database: PoolStatus
    spans: Mapping[str, int]
    dropped_lines: int
