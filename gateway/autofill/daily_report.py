"""
The daily report for operators: how many forms were requested, how they ended, what waits for which agency.

Counts and codes only: no personal data and no work orders.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, text

from gateway.autofill.queue import Backlog, read_backlog
from gateway.autofill.states import RequestState


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyReport:
    """
    The events of a period.  `ended` counts requests by state and reason, `waits_for` the delayed ones by agency.
    """

    since: datetime
    until: datetime
    accepted: int
    ended: Mapping[tuple[str, str], int]
    waits_for: Mapping[str, int]
    backlog: Backlog

    def document(self) -> dict[str, object]:
        """The report as a JSON object."""
        return {
            "since": self.since.isoformat(),
            "until": self.until.isoformat(),
            "accepted": self.accepted,
            "ended": [
                {"state": state, "reason": reason or None, "requests": count}
                for (state, reason), count in sorted(self.ended.items())
            ],
            "waits_for": dict(self.waits_for),
            "backlog": asdict(self.backlog),
        }

    def text(self) -> str:
        """The report as text, to be mailed or printed."""
        lines = [
            f"Autofill from {self.since:%Y-%m-%d %H:%M} to {self.until:%Y-%m-%d %H:%M}",
            f"  accepted            {self.accepted:>7}",
        ]
        for (state, reason), count in sorted(self.ended.items()):
            lines.append(f"  {state:<20}{count:>7}{'  ' + reason if reason else ''}")
        backlog = self.backlog
        lines.append(
            f"Now: {backlog.ready} ready, {backlog.under_way} under way, {backlog.delayed} waiting for an agency"
        )
        if backlog.ready:
            lines.append(f"  the oldest has been ready for {backlog.oldest_s:.0f} s")
        lines += [f"  {count} wait for {agency}" for agency, count in sorted(self.waits_for.items())]
        laid_aside = sum(count for (state, _), count in self.ended.items() if state == RequestState.DEAD_LETTERED)
        if laid_aside:
            lines.append(f"{laid_aside} laid aside: look at them with `shuniu callbacks list --state dead_lettered`")
        return "\n".join(lines)


_ACCEPTED: Final = text("SELECT count(*) FROM autofill WHERE created_at >= :since AND created_at < :until")
_ENDED: Final = text("""
    SELECT state, coalesce(reason, '') AS reason, count(*) AS requests FROM autofill
    WHERE ended_at >= :since AND ended_at < :until GROUP BY state, coalesce(reason, '')
""")
_WAITS_FOR: Final = text("""
    SELECT q.agency, count(DISTINCT q.autofill) AS requests FROM autofill a
    JOIN autofill_question q ON q.autofill = a.id AND q.next_at IS NOT NULL
    WHERE a.state = 'delayed' GROUP BY q.agency
""")


def digest(connection: Connection, since: datetime, until: datetime) -> DailyReport:
    """The report of the time from `since` until just before `until`, with the backlog of now."""
    period = {"since": since, "until": until}
    return DailyReport(
        since=since,
        until=until,
        accepted=connection.execute(_ACCEPTED, period).scalar_one(),
        ended={(row.state, row.reason): row.requests for row in connection.execute(_ENDED, period)},
        waits_for={row.agency: row.requests for row in connection.execute(_WAITS_FOR)},
        backlog=read_backlog(connection, until),
    )
