"""
One reading of a hub's meters: what a scrape renders.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.anchors.service import AnchorReport
from gateway.resilience.status import GuardState
from gateway.telemetry.metrics import MetricsSnapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditStatus:
    """
    Where the log stands; `tree_size`, `open_orphans` and `anchors` are None while the database does not tell.
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
    """Connections of this process's pool, how many work, and how many calls wait for one."""

    connections: int
    in_use: int
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TelemetrySnapshot:
    """Everything at one moment; `at` is our clock (UTC)."""

    at: datetime
    version: str
    counted: MetricsSnapshot
    guards: Sequence[GuardState]
    audit: AuditStatus
    database: PoolStatus
    spans: Mapping[str, int]
    dropped_lines: int
