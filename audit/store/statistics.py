"""
Monthly statistics of the log, computed in the database from unsealed fields only.

Bounded to the newest `MOST_RECORDS` records of the period; the result says whether that was all of them.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from audit.format.event import EventType
from audit.store.reader import Reader
from schemas.codes import AnswerState

MOST_RECORDS: Final = 200_000

_TAKEN: Final = """
    WITH taken AS MATERIALIZED (
        SELECT e.xid, e.type, e.at, e.court, convert_from(e.body, 'UTF8')::jsonb AS leaf FROM {schema}.entry e
        WHERE e.type = ANY (%s) AND e.at >= %s AND e.at < %s AND e.court = ANY (%s)
        ORDER BY e.idx DESC LIMIT %s
    )
"""
_LOOKUPS: Final = """
    SELECT to_char(a.at AT TIME ZONE %s, 'YYYY-MM'), coalesce(a.court, ''), coalesce(a.leaf->'why'->>'kind', ''),
        count(*) FILTER (WHERE a.type = 1), count(*) FILTER (WHERE a.type = 3),
        count(*) FILTER (WHERE o.leaf->>'outcome' = 'released'),
        count(*) FILTER (WHERE o.leaf->'heard' @> '[{{"is": "found"}}]'),
        percentile_cont(0.5) WITHIN GROUP (ORDER BY ((o.leaf->>'t')::bigint - (a.leaf->>'t')::bigint) / 1000.0)
    FROM taken a LEFT JOIN taken o ON o.xid = a.xid AND o.type = 2
    WHERE a.type <> 2 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
_AGENCIES: Final = """
    SELECT to_char(a.at AT TIME ZONE %s, 'YYYY-MM'), split_part(h->>'q', '.', 1), h->>'is', count(*),
        percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY (h->>'in')::bigint - (h->>'out')::bigint)
    FROM taken a JOIN taken o ON o.xid = a.xid AND o.type = 2, jsonb_array_elements(o.leaf->'heard') h
    WHERE a.type = 1 GROUP BY 1, 2, GROUPING SETS ((h->>'is'), ()) ORDER BY 1, 2, 3
"""
_ALL: Final = "SELECT count(*) FROM {schema}.entry e WHERE e.type = ANY (%s) AND e.at >= %s AND e.at < %s"

_TYPES: Final = [EventType.LOOKUP_INTENT.number, EventType.LOOKUP_OUTCOME.number, EventType.LOOKUP_DENIED.number]


@dataclass(frozen=True, slots=True)
class LookupFigures:
    """
    The lookups of one month, court and kind of work order (empty: refused before any was known), as columns of a row.

    `found` counts those in which at least one agency had a record; `median_ms` is from question to answer.
    """

    month: str
    court: str
    kind: str
    asked: int
    denied: int
    released: int
    found: int
    median_ms: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencyFigures:
    """
    One agency's answers of one month by state, and its own response time if it was asked at all.
    """

    month: str
    agency: str
    states: dict[AnswerState, int]
    median_ms: float | None
    p95_ms: float | None

    @property
    def questions(self) -> int:
        """The number of questions that were sent."""
        return sum(self.states.values()) - self.states.get(AnswerState.NOT_ASKED, 0)

    @property
    def availability(self) -> float | None:
        """The share of questions that were answered, refusals included; None without any question."""
        missed = self.states.get(AnswerState.UNAVAILABLE, 0)
        return None if self.questions == 0 else 1 - missed / self.questions


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """The figures of a period; `complete` is false where only its newest records were counted."""

    lookups: tuple[LookupFigures, ...]
    agencies: tuple[AgencyFigures, ...]
    complete: bool


def figures(
    reader: Reader, since: datetime, until: datetime, courts: Collection[str], *, zone: str, most: int = MOST_RECORDS
) -> Statistics:
    """
    The figures of these courts from `since` on, before `until`; months are those of a time zone.

    Blocks.  Raises `AuditUnavailable`, also if a record is not readable any more: verify the log then.
    """
    taken = (_TYPES, since, until, sorted(courts), most)
    with reader.connection(snapshot=True) as connection:
        (count,) = connection.execute(reader.query(_ALL), (_TYPES, since, until)).fetchall()[0]
        lookups = connection.execute(reader.query(_TAKEN + _LOOKUPS), (*taken, zone)).fetchall()
        answers = connection.execute(reader.query(_TAKEN + _AGENCIES), (*taken, zone)).fetchall()
    return Statistics(
        lookups=tuple(LookupFigures(*row) for row in lookups),
        agencies=_agencies(answers),
        complete=count <= most,
    )


def _agencies(rows: list[tuple[str, str, str | None, int, list[float | None] | None]]) -> tuple[AgencyFigures, ...]:
    states: dict[tuple[str, str], dict[AnswerState, int]] = {}
    times: dict[tuple[str, str], list[float | None]] = {}
    for month, agency, state, count, percentiles in rows:
        if state is None:
            times[month, agency] = percentiles or [None, None]
        else:
            states.setdefault((month, agency), {})[AnswerState(state)] = count
    return tuple(
        AgencyFigures(
            month=month,
            agency=agency,
            states=counts,
            median_ms=times[month, agency][0],
            p95_ms=times[month, agency][1],
        )
        for (month, agency), counts in states.items()
    )
