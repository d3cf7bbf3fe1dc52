"""
A report to a person of who looked at them: drafted, in part withheld, released by somebody else.
"""

from dataclasses import replace
from datetime import date
from uuid import uuid4

import pytest

from audit.format.event import EventType
from gateway.compliance.permissions import ComplianceItemNotFound, ComplianceRefused, ComplianceRule
from gateway.compliance.report_entries import WithheldEntry, Withholding, disclosed, withheld_counts
from tests.compliance.court import ComplianceCourt, intent, person

pytestmark = pytest.mark.anyio

LATER = date(2027, 5, 1)


async def test_a_report_has_every_access_to_the_person_and_no_other_people(court: ComplianceCourt) -> None:
    """Lookups and refusals alike, oldest first; who else a record names is counted only."""
    first = await court.lookup()
    await court.lookup(about=person(2, "赵某"))
    both = intent("wang.qiang", "王强", person(), court.now)
    second = await court.hub.log.append(replace(both, whose=(person(2, "赵某"), person())))
    auditor, who = await court.acting("chen.jing")

    reports = court.hub.compliance.reports
    report = await reports.read(auditor, who, await reports.draft(auditor, who, person(), "本人到窗口申请"))

    assert [
        (entry.index, entry.official, entry.case_number, entry.others, entry.answers) for entry in report.entries
    ] == [
        (first, "李婷", "（2026）浙0802民初1877号", 0, (("public_security.identity", "found"),)),
        (second, "王强", "（2026）浙0802民初1877号", 1, ()),
    ]
    assert "赵某" not in repr(report) + str([replace(entry) for entry in report.entries])


async def test_withheld_entries_are_counted_with_reason_and_review_day(
    court: ComplianceCourt,
) -> None:
    """And told after all once the drafter says so."""
    index = await court.lookup()
    await court.lookup("wang.qiang", "王强")
    auditor, who = await court.acting("chen.jing")
    reports = court.hub.compliance.reports
    draft = await reports.draft(auditor, who, person(), "")

    await reports.withhold(auditor, who, draft, index, Withholding.HINDRANCE, LATER)
    report = await reports.read(auditor, who, draft)
    await reports.withhold(auditor, who, draft, index, None, LATER)
    whole = await reports.read(auditor, who, draft)

    assert withheld_counts(report.entries) == {WithheldEntry(reason=Withholding.HINDRANCE, review_on=LATER): 1}
    assert [entry.official for entry in disclosed(report.entries)] == ["王强"]
    assert len(disclosed(whole.entries)) == 2


async def test_a_report_needs_two_people_and_every_step_is_recorded(court: ComplianceCourt) -> None:
    """Draft, reading by the second person, release; the person stands as a commitment in each."""
    index = await court.lookup()
    auditor, who = await court.acting("chen.jing")
    second, other = await court.acting("wu.fang")
    reports = court.hub.compliance.reports
    draft = await reports.draft(auditor, who, person(), "")
    await reports.withhold(auditor, who, draft, index, Withholding.SECRECY, LATER)

    seen = await reports.read(second, other, draft)
    await reports.release(second, other, draft, seen.summary.state)
    steps = await court.leaves(EventType.REPORT_CHANGED)
    (heading,) = await reports.all(auditor)

    assert [(step["outcome"], step["detail"]) for step in steps] == [
        ("drafted", {"report": str(draft), "entries": 1, "withheld": 0}),
        (
            "withheld",
            {
                "report": str(draft),
                "entries": 0,
                "withheld": 1,
                "index": index,
                "reason": "secrecy",
                "review_on": "2027-05-01",
            },
        ),
        ("released", {"report": str(draft), "entries": 0, "withheld": 1}),
    ]
    assert all(len(step["whose"]) == 1 for step in steps)
    assert (heading.drafted_by, heading.released_by, heading.released_at) == ("chen.jing", "wu.fang", court.now)
    with pytest.raises(ComplianceRefused) as refused:
        await reports.withhold(auditor, who, draft, index, None, LATER)
    assert refused.value.rule is ComplianceRule.RELEASED


async def test_neither_the_drafter_nor_an_involved_person_releases_a_report(
    court: ComplianceCourt,
) -> None:
    """Two people means two people without a part in it."""
    await court.lookup("wu.fang", "吴芳")
    auditor, who = await court.acting("chen.jing")
    second, other = await court.acting("wu.fang")
    clerk, third = await court.acting("li.ting")
    reports = court.hub.compliance.reports
    draft = await reports.draft(auditor, who, person(), "")
    state = (await reports.read(auditor, who, draft)).summary.state

    rules = []
    for actor, acting in ((auditor, who), (second, other), (clerk, third)):
        with pytest.raises(ComplianceRefused) as refused:
            await reports.release(actor, acting, draft, state)
        rules.append(refused.value.rule)

    assert rules == [ComplianceRule.RELEASE_OWN, ComplianceRule.RELEASE_INVOLVED, ComplianceRule.RELEASE_ROLE]


async def test_a_report_changed_after_reading_is_not_released(court: ComplianceCourt) -> None:
    """Only what the second person has seen goes out."""
    index = await court.lookup()
    auditor, who = await court.acting("chen.jing")
    second, other = await court.acting("wu.fang")
    reports = court.hub.compliance.reports
    draft = await reports.draft(auditor, who, person(), "")
    seen = await reports.read(second, other, draft)
    await reports.withhold(auditor, who, draft, index, Withholding.OTHERS, LATER)

    with pytest.raises(ComplianceRefused) as refused:
        await reports.release(second, other, draft, seen.summary.state)
    assert refused.value.rule is ComplianceRule.CHANGED


async def test_a_report_shows_the_log_of_its_draft(court: ComplianceCourt) -> None:
    """What comes later is for another report; other courts have none of it."""
    await court.lookup()
    auditor, who = await court.acting("chen.jing")
    stranger, other = await court.acting("yang.xue", "浙0803")
    reports = court.hub.compliance.reports
    draft = await reports.draft(auditor, who, person(), "")
    await court.lookup()

    assert len((await reports.read(auditor, who, draft)).entries) == 1
    assert await reports.all(stranger) == []
    for report in (draft, uuid4()):
        with pytest.raises(ComplianceItemNotFound):
            await reports.read(stranger, other, report)
