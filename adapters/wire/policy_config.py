"""
Reads call policies from the tables of agencies.toml: how often, how many at once, at which hours, when to give a rest.

    [public_security]             in_flight, queue, longest_wait, hours
    [public_security.identity]    timeout, attempts, fresh_for, per_minute, per_day, breaker, hours

What is not written has the default of `adapters.call_policy`.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import date, datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from adapters.call_policy import WEEK, AgencyPolicy, BreakerPolicy, CallPolicy, Hours
from adapters.errors import ConfigurationError
from adapters.wire.clock import CHINA

AGENCY_KEYS: Final = frozenset({"in_flight", "queue", "longest_wait", "hours"})
ROUTE_KEYS: Final[Mapping[str, type | tuple[type, ...]]] = {
    "timeout": (int, float),
    "attempts": int,
    "fresh_for": (int, float),
    "per_minute": int,
    "per_day": int,
    "breaker": dict,
    "hours": dict,
}

Wrong = Callable[[str, str, str], ConfigurationError]
"""Makes the error about a key: which, which rule, which fix."""


def read_agency(
    table: Mapping[str, Any], calls: Mapping[str, CallPolicy], connections: int, wrong: Wrong
) -> AgencyPolicy:
    """What the capabilities of an agency share.  Raises `ConfigurationError`."""
    read = _Table(table, wrong)
    in_flight = read.whole("in_flight", connections, 1, 10_000)
    if in_flight > connections:
        raise wrong("in_flight", "is more than its connections", f"write connections = {in_flight} as well")
    return AgencyPolicy(
        in_flight=in_flight,
        queue=read.whole("queue", AgencyPolicy().queue, 0, 10_000),
        longest_wait=read.number("longest_wait", AgencyPolicy().longest_wait, 0.0, 30.0),
        calls=calls,
    )


def read_call(table: Mapping[str, Any], shared: Mapping[str, Any], wrong: Wrong) -> CallPolicy:
    """How one capability is asked; hours that it does not state are the agency's.  Raises `ConfigurationError`."""
    read, usual = _Table(table, wrong), CallPolicy()
    hours = table.get("hours", shared.get("hours"))
    return CallPolicy(
        timeout=read.number("timeout", usual.timeout, 0.1, 30.0),
        attempts=read.whole("attempts", usual.attempts, 1, 3),
        per_minute=read.quota("per_minute"),
        per_day=read.quota("per_day"),
        fresh_for=read.number("fresh_for", usual.fresh_for, 0.0, 86_400.0),
        breaker=_breaker(table.get("breaker", {}), wrong),
        hours=usual.hours if hours is None else _hours(hours, wrong),
    )


def _breaker(table: Any, wrong: Wrong) -> BreakerPolicy:
    known = {one.name for one in fields(BreakerPolicy)}
    if not isinstance(table, dict) or not set(table) <= known:
        raise wrong("breaker", "holds other keys than agreed", f"write {', '.join(sorted(known))}")
    read, usual = _Table(table, wrong, "breaker."), BreakerPolicy()
    return BreakerPolicy(
        failures=read.whole("failures", usual.failures, 1, 1_000),
        calls=read.whole("calls", usual.calls, 1, 10_000),
        failing=read.number("failing", usual.failing, 0.01, 1.0),
        slow=read.number("slow", usual.slow, 0.01, 1.0),
        open_for=read.number("open_for", usual.open_for, 0.1, 3_600.0),
        longest=read.number("longest", usual.longest, 0.1, 86_400.0),
    )


def _hours(table: Any, wrong: Wrong) -> Hours:
    known = {one.name for one in fields(Hours)}
    if not isinstance(table, dict) or not set(table) <= known:
        raise wrong("hours", "holds other keys than agreed", f"write {', '.join(sorted(known))}")
    zone = CHINA
    if (named := table.get("zone", "Asia/Shanghai")) != "Asia/Shanghai":
        try:
            zone = ZoneInfo(named)  # type: ignore[assignment]
        except (ZoneInfoNotFoundError, TypeError, ValueError):
            zone = None  # type: ignore[assignment]
        if zone is None:
            raise wrong("hours.zone", "is no time zone", 'write zone = "Asia/Shanghai"')
    days = table.get("days", list(WEEK))
    if not isinstance(days, list) or not days or not set(days) <= set(WEEK):
        raise wrong("hours.days", "is not a list of days", 'write days = ["mon", "tue"]')
    opens, closes = table.get("opens", time.min), table.get("closes")
    if not isinstance(opens, time) or not (closes is None or (isinstance(closes, time) and opens < closes)):
        raise wrong("hours.opens, hours.closes", "are not two times of one day", "write opens = 09:00:00")
    return Hours(
        days=frozenset(days),
        opens=opens,
        closes=closes,
        holidays=_dates(table, "holidays", wrong),
        working_days=_dates(table, "working_days", wrong),
        maintenance=_spans(table, zone, wrong),
        zone=zone,
    )


def _dates(table: Mapping[str, Any], key: str, wrong: Wrong) -> frozenset[date]:
    days = table.get(key, [])
    if not isinstance(days, list) or not all(type(day) is date for day in days):
        raise wrong(f"hours.{key}", "is not a list of dates", f"write {key} = [2026-10-01]")
    return frozenset(days)


def _spans(table: Mapping[str, Any], zone: Any, wrong: Wrong) -> tuple[tuple[datetime, datetime], ...]:
    spans = table.get("maintenance", [])
    fits = isinstance(spans, list) and all(
        isinstance(span, list) and len(span) == 2 and all(type(end) is datetime for end in span) for span in spans
    )
    if fits:
        aware = tuple(tuple(end if end.tzinfo else end.replace(tzinfo=zone) for end in span) for span in spans)
        if all(begins < ends for begins, ends in aware):
            return aware
    raise wrong(
        "hours.maintenance",
        "is not a list of spans",
        "write maintenance = [[2026-12-05T22:00:00, 2026-12-06T04:00:00]]",
    )


class _Table:
    """Reads numbers within their bounds."""

    def __init__(self, table: Mapping[str, Any], wrong: Wrong, prefix: str = "") -> None:
        self._table = table
        self._wrong = wrong
        self._prefix = prefix

    def whole(self, key: str, usual: int, lowest: int, highest: int) -> int:
        value = self._table.get(key, usual)
        if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
            raise self._wrong(
                self._prefix + key, f"is not a whole number from {lowest} to {highest}", f"write {key} = {usual}"
            )
        return value

    def number(self, key: str, usual: float, lowest: float, highest: float) -> float:
        value = self._table.get(key, usual)
        if isinstance(value, bool) or not isinstance(value, int | float) or not lowest <= value <= highest:
            raise self._wrong(
                self._prefix + key, f"is not between {lowest:g} and {highest:g}", f"write {key} = {usual}"
            )
        return float(value)

    def quota(self, key: str) -> int | None:
        value = self._table.get(key)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
            raise self._wrong(key, "is below 1", f"leave {key} out if the agency states no quota")
        return value
