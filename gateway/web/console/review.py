"""
The review queue: unusual use, ranked, grouped by person, each with its reasons in words; and a random few beside it.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Form, Path, Query
from starlette.responses import RedirectResponse, Response

from gateway.api.dependencies import TheHub
from gateway.api.problems import Problem
from gateway.compliance.anomaly_rules import AnomalyRule
from gateway.compliance.narration import sentence
from gateway.compliance.phrases import Wording
from gateway.compliance.review_queue import ReviewItem, ReviewOutcome
from gateway.web.console.common import Auditors, Day, acting, speech
from gateway.web.headers import PAGE_HEADERS
from schemas.china_time import day_in_china
from schemas.codes import Code

router = APIRouter(prefix="/console/review", include_in_schema=False)

PATH: Final = "/console/review"
DAYS: Final = 7
LONGEST: Final = timedelta(days=31)


class Drawn(Code):
    """Cases that no rule points to."""

    SAMPLE = "sample", "随机抽取", "Drawn at random"


@router.get("")
async def queue(
    page: Auditors, hub: TheHub, since: Annotated[Day, Query()] = None, until: Annotated[Day, Query()] = None
) -> Response:
    """The cases of the last seven days, or of others; reading them is a record."""
    last = until or day_in_china(datetime.now(UTC))
    first = since or last - timedelta(days=DAYS - 1)
    if not timedelta() <= last - first <= LONGEST:
        raise Problem(
            "invalid-input",
            rule="period",
            en="Choose a period of at most 31 days that begins before it ends.",
            zh="请选择起日在前、不超过31天的期间。",
        )
    found = await hub.compliance.review_queue.read(page.member, acting(page), first, last)
    words = speech(page, hub)
    people: dict[str, list[ReviewItem]] = {}
    for item in found.items:
        people.setdefault(item.case.user, []).append(item)
    rates = [(one, found.hit_rates.get(one.value, (0, 0))) for one in (*AnomalyRule, *Drawn)]
    return page.show(
        "console/review.html",
        since=first,
        until=last,
        found=found,
        people=[(words.person(own[0].case.name), own[0].case.unit, [_shown(one, words) for one in own])
                for own in people.values()],
        rates=rates,
    )  # fmt: skip


@router.get("/{day}/{handle}")
async def case(
    page: Auditors, hub: TheHub, day: date, handle: Annotated[str, Path(pattern="^[0-9a-f]{64}$")]
) -> Response:
    """One case with its records; people are shown, and the record of this look says so."""
    item, hits = await hub.compliance.review_queue.case(page.member, acting(page), day, handle)
    words = speech(page, hub, people=True)
    evidence = {index for signal in item.case.signals for index in signal.evidence}
    return page.show(
        "console/case.html",
        item=item,
        shown=_shown(item, words),
        name=item.case.name,
        rows=[
            {"index": hit.index, "at": hit.at, "sentence": sentence(hit, words), "evidence": hit.index in evidence}
            for hit in hits
        ],
        outcomes=[(one.value, words.label(one)) for one in ReviewOutcome],
        own=item.case.user == page.member.user,
    )


@router.post("/{day}/{handle}")
async def decide(
    page: Auditors,
    hub: TheHub,
    day: date,
    handle: Annotated[str, Path(pattern="^[0-9a-f]{64}$")],
    outcome: Annotated[ReviewOutcome, Form()],
    note: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Takes an outcome with its note, and leads back to the case."""
    item, _ = await hub.compliance.review_queue.case(page.member, acting(page), day, handle)
    await hub.compliance.review_queue.decide(page.member, acting(page), item, outcome, note)
    return RedirectResponse(f"{PATH}/{day}/{handle}", 303, headers=PAGE_HEADERS)


def _shown(item: ReviewItem, words: Wording) -> dict[str, object]:
    signals = item.case.signals
    return {
        "day": item.case.day,
        "address": f"{PATH}/{item.case.day}/{item.handle}",
        "score": item.case.score,
        "records": len(item.case.uses),
        "reasons": [(words.label(one.rule), words.either(one.zh, one.en)) for one in signals]
        or [(words.label(Drawn.SAMPLE), "")],
        "reviewed": item.reviewed,
    }
