"""
The review queue over a real log: who is brought up, who may look, and what stays on record.
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from audit.format.event import EventType
from gateway.compliance.permissions import ComplianceItemNotFound, ComplianceRefused, ComplianceRule
from gateway.compliance.review_queue import ReviewOutcome
from tests.compliance.court import COURT, NOW, ComplianceCourt, person

pytestmark = pytest.mark.anyio

DAY = NOW.date()


async def test_signalled_cases_come_first_and_a_few_others_are_drawn(court: ComplianceCourt) -> None:
    """By person and day, with the reasons; another court's people are not there."""
    for _ in range(3):
        await court.denied("wang.qiang", "王强")
    await court.lookup("li.ting", "李婷")
    await court.lookup("qian.wei", "钱伟", about=person(2, "钱多多"))
    auditor, who = await court.acting("chen.jing")

    queue = await court.hub.compliance.review_queue.read(auditor, who, DAY, DAY)

    ranked = [
        (item.case.score, item.case.user, [str(signal.rule) for signal in item.case.signals]) for item in queue.items
    ]
    assert sorted(ranked, reverse=True) == [
        (3, "wang.qiang", ["no_matching_party"]),
        (3, "qian.wei", ["same_surname"]),
        (0, "li.ting", []),
    ]
    assert ranked[-1][0] == 0
    assert (queue.complete, queue.erased, queue.records) == (True, 0, 5)
    assert all(len(item.handle) == 64 and item.case.user not in item.handle for item in queue.items)


async def test_looking_at_the_queue_and_at_a_case_is_on_record(court: ComplianceCourt) -> None:
    """The case's record says that people are shown, and why."""
    await court.lookup()
    auditor, who = await court.acting("chen.jing")
    queue = await court.hub.compliance.review_queue.read(auditor, who, DAY, DAY)
    item, hits = await court.hub.compliance.review_queue.case(auditor, who, DAY, queue.items[0].handle)

    looks = await court.leaves(EventType.LOG_SEARCHED)
    assert [look["detail"] for look in looks] == [
        {"filters": "since,until,court,types", "of": "review_queue"},
        {"filters": "since,until,court,types", "reveal": "inspection", "of": "review_case"},
    ]
    assert (item.case.user, [hit.people["who"]["name"] for hit in hits]) == ("li.ting", ["李婷"])


async def test_an_outcome_is_recorded_and_counts_for_the_rule(court: ComplianceCourt) -> None:
    """The newest outcome counts; whose use it was is nowhere in clear."""
    for _ in range(3):
        await court.denied()
    auditor, who = await court.acting("chen.jing")
    queue = court.hub.compliance.review_queue
    (item,) = (await queue.read(auditor, who, DAY, DAY)).items

    await queue.decide(auditor, who, item, ReviewOutcome.FOLLOW_UP, "请组长说明")
    court.now += timedelta(minutes=5)
    followed = await queue.read(auditor, who, DAY, DAY)
    await queue.decide(auditor, who, item, ReviewOutcome.EXPLAINED, "工单系统录入有误")
    explained = await queue.read(auditor, who, DAY, DAY)
    records = await court.leaves(EventType.USE_REVIEWED)

    assert (followed.items[0].reviewed.outcome, followed.hit_rates["no_matching_party"]) == (
        ReviewOutcome.FOLLOW_UP,
        (1, 1),
    )
    assert (explained.items[0].reviewed.outcome, explained.hit_rates["no_matching_party"]) == (
        ReviewOutcome.EXPLAINED,
        (0, 1),
    )
    assert [(record["outcome"], record["detail"]) for record in records] == [
        ("follow_up", {"day": DAY.isoformat(), "rules": "no_matching_party", "score": 3}),
        ("explained", {"day": DAY.isoformat(), "rules": "no_matching_party", "score": 3}),
    ]


async def test_a_persons_own_use_is_not_reviewed_by_them(court: ComplianceCourt) -> None:
    """Not even an auditor whose own use the rules bring up."""
    await court.lookup()
    auditor, who = await court.acting("chen.jing")
    queue = court.hub.compliance.review_queue
    (item,) = (await queue.read(auditor, who, DAY, DAY)).items
    own = replace(item, case=replace(item.case, user="chen.jing"))

    with pytest.raises(ComplianceRefused) as refused:
        await queue.decide(auditor, who, own, ReviewOutcome.EXPLAINED, "")
    assert refused.value.rule is ComplianceRule.REVIEW_OWN
    assert await court.leaves(EventType.USE_REVIEWED) == []


@pytest.mark.parametrize("user", ["li.ting", "wu.fang", "admin", "feng.an"])
async def test_only_the_audit_administrator_reads_the_queue(court: ComplianceCourt, user: str) -> None:
    """And whoever is refused leaves no search on record, since none was made."""
    actor, who = await court.acting(user)
    with pytest.raises(ComplianceRefused) as refused:
        await court.hub.compliance.review_queue.read(actor, who, DAY, DAY)
    assert refused.value.rule is ComplianceRule.AUDITOR_ONLY
    assert await court.leaves(EventType.LOG_SEARCHED) == []


async def test_a_case_of_another_court_or_day_is_not_there(court: ComplianceCourt) -> None:
    """A handle is good for one court and one day."""
    await court.lookup()
    auditor, who = await court.acting("chen.jing")
    stranger, other = await court.acting("yang.xue", "浙0803")
    queue = court.hub.compliance.review_queue
    (item,) = (await queue.read(auditor, who, DAY, DAY)).items

    with pytest.raises(ComplianceItemNotFound):
        await queue.case(stranger, other, DAY, item.handle)
    with pytest.raises(ComplianceItemNotFound):
        await queue.case(auditor, who, DAY - timedelta(days=1), item.handle)
    assert auditor.court == COURT
