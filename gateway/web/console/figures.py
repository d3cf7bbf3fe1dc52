"""
Monthly statistics: lookups, agencies' answers, response times.  From unsealed fields only.
"""

import asyncio
from typing import Annotated, Final

from fastapi import APIRouter, Query
from starlette.responses import Response

from audit.store.statistics import AgencyFigures, Statistics, figures
from gateway.api.dependencies import TheHub
from gateway.compliance.permissions import require_statistics_reader
from gateway.compliance.phrases import Wording
from gateway.hub import Hub
from gateway.organization.tree import UnitKind
from gateway.web.charts import Bar, bars
from gateway.web.console.common import Day, acting, period, speech
from gateway.web.page import Own, OwnPage
from schemas.china_time import CHINA, day_end, day_start
from schemas.codes import AnswerState

router = APIRouter(prefix="/console/figures", include_in_schema=False)

DAYS: Final = 90
LONGEST: Final = 366


@router.get("")
async def read(
    page: Own, hub: TheHub, since: Annotated[Day, Query()] = None, until: Annotated[Day, Query()] = None
) -> Response:
    """The statistics of the reader's court, or of every court of their region."""
    require_statistics_reader(page.member)
    first, last = period(since, until, days=DAYS, longest=LONGEST)
    await hub.compliance.recorded_search.record_view(
        acting(page), "figures", since=first.isoformat(), until=last.isoformat()
    )
    counted = await asyncio.to_thread(
        figures, hub.log.reader, day_start(first), day_end(last), await _courts(page, hub), zone=str(CHINA)
    )
    words = speech(page, hub)
    kinds = {name: words.either(kind.zh, kind.en) for name, kind in hub.authorizer.catalogue.kinds.items()}
    return page.show(
        "console/figures.html",
        since=first,
        until=last,
        figures=counted,
        kinds=kinds,
        agency=words.agency,
        volume=_volume(counted, words),
        availability=_availability(counted, words),
        latency=_latency(counted, words),
        states=list(AnswerState),
    )


async def _courts(page: OwnPage, hub: Hub) -> list[str]:
    """The court, or for an administrator of a region its courts."""
    place = page.member.position
    if place.kind is not UnitKind.REGION:
        return [page.member.court]
    units, _ = await hub.organization.export(below=place.id)
    return [unit.court for unit in units if unit.kind is UnitKind.COURT and unit.court]


def _volume(counted: Statistics, words: Wording) -> object:
    months: dict[str, tuple[int, int]] = {}
    for row in counted.lookups:
        lookups, denied = months.get(row.month, (0, 0))
        months[row.month] = lookups + row.asked, denied + row.denied
    rows = [
        Bar(label=month, parts=[("chart-ours", lookups), ("chart-stop", denied)], value=f"{lookups} + {denied}")
        for month, (lookups, denied) in sorted(months.items())
    ]
    told_ = "; ".join(f"{row.label}: {row.value}" for row in rows)
    return bars(words.either("每月查询次数（已提出 + 被拒）", "Lookups by month (asked + refused)"), told_, rows)


def _availability(counted: Statistics, words: Wording) -> object:
    rows = [
        Bar(
            label=_label(agency, words), parts=[("chart-good", agency.availability)], value=f"{agency.availability:.1%}"
        )
        for agency in counted.agencies
        if agency.availability is not None
    ]
    told_ = "; ".join(f"{row.label}: {row.value}" for row in rows)
    return bars(words.either("各单位可用率", "Availability of agencies"), told_, rows, most=1.0)


def _latency(counted: Statistics, words: Wording) -> object:
    rows = [
        Bar(
            label=_label(agency, words),
            parts=[
                ("chart-theirs", agency.median_ms),
                ("chart-soft", (agency.p95_ms or agency.median_ms) - agency.median_ms),
            ],
            value=f"{agency.median_ms:.0f} / {agency.p95_ms or 0:.0f} ms",
        )
        for agency in counted.agencies
        if agency.median_ms is not None
    ]
    told_ = "; ".join(f"{row.label}: {row.value}" for row in rows)
    return bars(words.either("各单位答复时间（中位数 / 95%）", "Agencies' own time (median / 95 %)"), told_, rows)


def _label(agency: AgencyFigures, words: Wording) -> str:
    return f"{words.agency(agency.agency)} {agency.month}"
