"""
Quotas that all replicas share: how many questions an agency takes per minute and per day, counted in PostgreSQL.

When an agency itself says that the day's quota is used up, or names a time to wait, every replica obeys.  The
database's clock decides, so replicas cannot disagree about the minute.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from adapters.call_policy import CallPolicy
from gateway.database import Database, batching
from gateway.database.batching import IntegerArray, TextArray
from schemas.china_time import CHINA

# The day of an agency turns at midnight in China.

_ROWS: Final = f"""
    INSERT INTO agency_use (agency, capability, minute, in_minute, day, in_day)
    SELECT agency, capability, date_trunc('minute', now()), 0, (now() AT TIME ZONE '{CHINA}')::date, 0
    FROM unnest(%s::text[], %s::text[]) AS w (agency, capability) ORDER BY agency, capability
    ON CONFLICT (agency, capability) DO NOTHING
"""  # noqa: S608 - a constant of ours

# What does not fit is not counted: the quota is a number of questions asked, not of questions wanted.  A statement that
# waited for another one may find a minute that is ahead of its own: that is then the minute.
_TAKE: Final = f"""
    WITH wanted AS (
        SELECT *, date_trunc('minute', now()) AS minute, (now() AT TIME ZONE '{CHINA}')::date AS day
        FROM unnest(%s::text[], %s::text[], %s::int[], %s::int[], %s::int[])
            AS w (agency, capability, wanted, per_minute, per_day)
    ), before AS (
        SELECT u.agency, u.capability, w.wanted, w.per_minute, w.per_day, u.closed_until,
            greatest(u.minute, w.minute) AS minute, greatest(u.day, w.day) AS day,
            CASE WHEN u.minute >= w.minute THEN u.in_minute ELSE 0 END AS in_minute,
            CASE WHEN u.day >= w.day THEN u.in_day ELSE 0 END AS in_day
        FROM agency_use u JOIN wanted w USING (agency, capability)
        ORDER BY u.agency, u.capability FOR UPDATE OF u
    ), given AS (
        SELECT *, CASE WHEN closed_until > now() THEN 0
            ELSE greatest(0, least(wanted, per_minute - in_minute, per_day - in_day)) END AS given
        FROM before
    ), counted AS (
        UPDATE agency_use u SET
            minute = g.minute, in_minute = g.in_minute + g.given, day = g.day, in_day = g.in_day + g.given
        FROM given g WHERE (u.agency, u.capability) = (g.agency, g.capability)
    )
    SELECT agency, capability, given, per_minute - in_minute - given, per_day - in_day - given,
        CASE WHEN closed_until > now() THEN closed_until
            WHEN per_day - in_day - given <= 0 THEN (day + 1)::timestamp AT TIME ZONE '{CHINA}'
            ELSE minute + interval '1 minute' END,
        extract(epoch FROM now())::float8
    FROM given
"""  # noqa: S608 - a constant of ours

_CLOSE: Final = f"""
    INSERT INTO agency_use AS u (agency, capability, minute, in_minute, day, in_day, closed_until)
    VALUES (%s, %s, now(), 0, (now() AT TIME ZONE '{CHINA}')::date, 0, now() + make_interval(secs => %s))
    ON CONFLICT (agency, capability) DO UPDATE SET closed_until = greatest(u.closed_until, excluded.closed_until)
"""  # noqa: S608 - a constant of ours

# Stands for a quota that the agency does not state.
_NO_QUOTA: Final = 2_000_000_000


class QuotaRequest(NamedTuple):
    """One call to count; `number` makes each unique."""

    agency: str
    capability: str
    per_minute: int
    per_day: int
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaGrant:
    """
    Whether the call may be made (`given`), what is left of the quotas, and when there will be more.
    """

    given: bool
    minute_left: int | None
    day_left: int | None
    again_at: datetime
    wait: float
    """Seconds until `again_at`, by the database's clock."""


class SharedQuotas:
    """
    The counters.  Calls that come at the same time are counted in one statement.
    """

    def __init__(self, database: Database) -> None:
        # A crash may lose the last milliseconds of a count.
        self._counts = batching.BatchedStatement(database, _take, options="-c synchronous_commit=off")
        self._closings = batching.BatchedStatement(database, _close, options="-c synchronous_commit=off")
        self._numbers = 0

    async def take(self, agency: str, capability: str, policy: CallPolicy) -> QuotaGrant:
        """Counts one call, if it fits.  Raises `DatabaseUnavailable`."""
        self._numbers += 1
        grant = await self._counts.run(
            QuotaRequest(agency, capability, policy.per_minute or _NO_QUOTA, policy.per_day or _NO_QUOTA, self._numbers)
        )
        assert grant is not None  # noqa: S101 - there is a row for every call
        return grant

    async def close(self, agency: str, capability: str, seconds: float) -> None:
        """Keeps every replica from calling for so long, as the agency demands.  Raises `DatabaseUnavailable`."""
        await self._closings.run((agency, capability, seconds))

    async def aclose(self) -> None:
        """Gives the connections back."""
        await self._counts.aclose()
        await self._closings.aclose()


async def _take(connection: batching.Connection, calls: list[QuotaRequest]) -> Mapping[QuotaRequest, QuotaGrant]:
    by_route: dict[tuple[str, str], list[QuotaRequest]] = {}
    for call in calls:
        by_route.setdefault((call.agency, call.capability), []).append(call)
    agencies, capabilities = zip(*by_route, strict=True)
    await connection.execute(_ROWS, (TextArray(agencies), TextArray(capabilities)))
    first_calls = [same_route[0] for same_route in by_route.values()]
    cursor = await connection.execute(
        _TAKE,
        (
            TextArray(agencies),
            TextArray(capabilities),
            IntegerArray(len(same_route) for same_route in by_route.values()),
            IntegerArray(call.per_minute for call in first_calls),
            IntegerArray(call.per_day for call in first_calls),
        ),
    )
    grants: dict[QuotaRequest, QuotaGrant] = {}
    for agency, capability, given, minute_left, day_left, again_at, now in await cursor.fetchall():
        for place, call in enumerate(by_route[agency, capability]):
            grants[call] = QuotaGrant(
                given=place < given,
                minute_left=None if call.per_minute == _NO_QUOTA else max(minute_left, 0),
                day_left=None if call.per_day == _NO_QUOTA else max(day_left, 0),
                again_at=again_at,
                wait=max(again_at.timestamp() - now, 0.0),
            )
    return grants


async def _close(
    connection: batching.Connection, closings: list[tuple[str, str, float]]
) -> Mapping[tuple[str, str, float], bool]:
    for closing in closings:
        await connection.execute(_CLOSE, closing)
    return dict.fromkeys(closings, True)
