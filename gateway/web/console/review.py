"""
The review queue: unusual use, ranked and grouped by person, with its reasons; and a random sample.
"""

from datetime import date
from typing import Annotated, Final

from fastapi import APIRouter, Form, Path, Query
from starlette.responses import Response

from gateway.api.dependencies import TheHub
from gateway.compliance.anomaly_rules import AnomalyRule
from gateway.compliance.narration import sentence
from gateway.compliance.phrases import Wording
from gateway.compliance.review_queue import ReviewItem, ReviewOutcome
from gateway.web.console.common import Auditors, Day, acting, period, speech
from gateway.web.page import see_other
from schemas.codes import Code

router = APIRouter(prefix="/console/review", include_in_schema=False)

PATH: Final = "/console/review"
DAYS: Final = 7
LONGEST: Final = 31


class Drawn(Code):
    """Cases that no rule points to."""

    SAMPLE = "sample", "随机抽取", "Drawn at random"


@router.get("")
async def queue(
    page: Auditors, hub: TheHub, since: Annotated[Day, Query()] = None, until: Annotated[Day, Query()] = None
) -> Response:
    """The cases of a period, by default of the last seven days; reading them is recorded."""
    first, last = period(since, until, days=DAYS - 1, longest=LONGEST)
    queued = await hub.compliance.review_queue.read(page.member, acting(page), first, last)
    words = speech(page, hub)
    people: dict[str, list[ReviewItem]] = {}
    for item in queued.items:
        people.setdefault(item.case.user, []).append(item)
    rates = [(rule, queued.hit_rates.get(rule.value, (0, 0))) for rule in (*AnomalyRule, *Drawn)]
    return page.show(
        "console/review.html",
        since=first,
        until=last,
        queue=queued,
        people=[(words.person(own[0].case.name), own[0].case.unit, [_shown(item, words) for item in own])
                for own in people.values()],
        rates=rates,
    )  # fmt: skip


@router.get("/{day}/{handle}")
async def case(
    page: Auditors, hub: TheHub, day: date, handle: Annotated[str, Path(pattern="^[0-9a-f]{64}$")]
) -> Response:
    """One case with its records; people are shown, and this access is recorded as such."""
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
        outcomes=words.choices(ReviewOutcome),
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
    """Records an outcome with its note, and redirects to the case."""
    item, _ = await hub.compliance.review_queue.case(page.member, acting(page), day, handle)
    await hub.compliance.review_queue.decide(page.member, acting(page), item, outcome, note)
    return see_other(f"{PATH}/{day}/{handle}")


def _shown(item: ReviewItem, words: Wording) -> dict[str, object]:
    signals = item.case.signals
    return {
        "day": item.case.day,
        "address": f"{PATH}/{item.case.day}/{item.handle}",
        "score": item.case.score,
        "records": len(item.case.uses),
        "reasons": [(words.label(signal.rule), words.either(signal.zh, signal.en)) for signal in signals]
        or [(words.label(Drawn.SAMPLE), "")],
        "reviewed": item.reviewed,
    }
