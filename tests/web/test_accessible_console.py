"""
axe finds nothing on any page of the console, in any state: WCAG 2.2 A and AA, both languages, both themes, the large
and the small screen; and nothing is wider than the screen.
"""

import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest

from audit.anchor.anchors import AnchorKind, AnchorState
from audit.verify.coverage import Checkpoints
from audit.verify.coverage import CoveredRecords as Counted
from audit.verify.findings import Damage, Finding, VerificationVerdict
from gateway.compliance.verification_jobs import Verification, VerificationJob
from gateway.web.console.verify import NotChecked, VerificationEnding
from gateway.web.i18n import Language
from gateway.web.labels import ANCHOR_KINDS, ANCHOR_STATES
from tests.court import Party, RunningCourt
from tests.web.browser import LANGUAGES, Visit
from tests.web.rendered import rendered, show

Windows = Callable[..., Visit]
Findings = dict[str, list[str]]

NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def looked_up(court: RunningCourt) -> Party:
    """A person whom the clerk has looked up, and one whom she was refused."""
    person = court.cast["moved"]
    number = court.dispatch(person, court.cast["company_abnormal"])
    court.look_up(number, person)
    court.look_up(number, court.cast["company_abnormal"])
    for _ in range(3):
        court.look_up(number, court.cast["renamed"])
    return person


def wrong(findings: Findings) -> Findings:
    """The states that something is wrong with."""
    return {state: problems for state, problems in findings.items() if problems}


@LANGUAGES
def test_the_log_and_its_records(window: Windows, looked_up: Party, locale: str) -> None:
    """All records, none, a search that is wrong, a person found, people in full; a record of every type; export."""
    findings: Findings = {}
    auditor = window("chen.jing", locale=locale)
    page = auditor.page
    for path in ("/console/events", "/console/events?since=2020-01-01&until=2020-01-02", "/console/events?since=x"):
        auditor.go(path)
        auditor.unfold()
        findings[path] = auditor.findings()
    for path in ("/console/export", "/console/export?type=lookup.intent&agency=public_security", "/console/events/9"):
        auditor.go(path)
        auditor.unfold()
        findings[path] = auditor.findings()
    auditor.go("/console/events")
    page.click("details.sheet > summary")
    page.fill("#id_number", "330802199001010000")
    page.click("form.named button")
    page.wait_for_selector(".notice-stop")
    findings["a wrong number"] = auditor.findings()
    page.fill("#id_number", looked_up["id_number"])
    page.select_option("#reveal", "complaint")
    page.fill("#note", "a letter")
    page.click("form.named button")
    page.wait_for_selector(".notice-warning")
    findings["people in full"] = auditor.findings()
    page.click(".records a.told >> nth=0")
    findings["a record in full"] = auditor.findings()
    for kind in ("lookup.intent", "lookup.outcome", "access.refused", "log.searched", "session.signed_in"):
        auditor.go(f"/console/events?type={kind}")
        if page.locator(".records a.told").count():
            page.click(".records a.told >> nth=0")
            auditor.unfold()
            findings[kind] = auditor.findings()

    assert wrong(findings) == {}


@LANGUAGES
def test_review_figures_and_verification(window: Windows, looked_up: Party, locale: str) -> None:
    """The queue with and without cases, a case open and decided, one's own; figures, none; a run and its report."""
    findings: Findings = {}
    auditor = window("chen.jing", locale=locale)
    page = auditor.page
    for path in (
        "/console/review",
        "/console/review?since=2020-01-01&until=2020-01-02",
        "/console/review?since=2020-01-01&until=2026-01-02",
        "/console/figures",
        "/console/figures?since=2020-01-01&until=2020-01-02",
        "/console/figures?since=2020-01-01&until=2026-01-02",
        "/console/verify",
    ):
        auditor.go(path)
        findings[path] = auditor.findings()
    auditor.go("/console/review")
    page.click("tbody a >> nth=0")
    findings["case"] = auditor.findings()
    page.check("input[name=outcome] >> nth=0")
    page.click("form.outcome button")
    page.wait_for_url(re.compile("/console/review/"))
    findings["case decided"] = auditor.findings()
    auditor.go("/console/verify")
    page.click("main form button")
    page.wait_for_selector(".panels")
    findings["report"] = auditor.findings()
    auditor.go("/console/verify")
    findings["runs"] = auditor.findings()

    assert wrong(findings) == {}


@LANGUAGES
def test_subject_reports(window: Windows, looked_up: Party, locale: str) -> None:
    """A wrong number, about nobody, drafted, in part withheld, as the second person sees it, released, printed."""
    findings: Findings = {}
    auditor, second = window("chen.jing", locale=locale), window("wu.fang", locale=locale)
    page = auditor.page

    def draft(number: str) -> None:
        auditor.go("/console/reports")
        page.fill("form.draft #id_number", number)
        page.click("form.draft button")

    auditor.go("/console/reports")
    findings["reports"] = auditor.findings()
    draft("330802199001010000")
    page.wait_for_selector(".notice-stop")
    findings["a wrong number"] = auditor.findings()
    draft("330802199003071239")
    page.wait_for_url(re.compile("/console/reports/"))
    findings["about nobody"] = auditor.findings()
    draft(looked_up["id_number"])
    page.wait_for_url(re.compile("/console/reports/"))
    address = page.url.removeprefix(auditor.address)
    auditor.unfold()
    findings["drafted"] = auditor.findings()
    page.locator("form.withhold select").first.select_option(index=1)
    page.locator("form.withhold button").first.click()
    page.wait_for_selector(".problem")
    findings["no day"] = auditor.findings()
    auditor.go(address)
    auditor.unfold()
    page.locator("form.withhold select").first.select_option(index=1)
    page.locator("form.withhold input[type=date]").first.fill("2027-05-01")
    page.locator("form.withhold button").first.click()
    page.wait_for_selector("main ul li")
    findings["withheld"] = auditor.findings()
    second.go("/console/reports")
    findings["reports of the second"] = second.findings()
    second.go(address)
    findings["to be released"] = second.findings()
    second.page.click("form.release button")
    second.page.wait_for_selector("a[href$='/print']")
    findings["released"] = second.findings()
    second.page.click("a[href$='/print']")
    findings["printed"] = second.findings()

    assert wrong(findings) == {}


def verification(verdict: VerificationVerdict, *findings: Finding) -> Verification:
    """What a run has found in a log of ninety records."""
    return Verification(
        verdict=verdict,
        size=90,
        root=bytes(32),
        records=Counted(records=90, first=0, last=89, first_at=NOW, last_at=NOW),
        good=90 - len(findings),
        unsigned=1,
        checkpoints=Checkpoints(signed=3, stored=3, newest=89),
        anchors=Counter(
            {(AnchorKind.COSIGNATURE, AnchorState.VALID): 2, (AnchorKind.TIMESTAMP, AnchorState.UNPARSED): 1}
        ),
        findings=findings,
        checked=("90 entries hashed",),
        unchecked=("checkpoints of 91 entries and more",),
    )


ALTERED = Finding(Damage.ENTRY, 17, 17)
ENDINGS = {
    VerificationEnding.RUNNING: (None, False),
    VerificationEnding.FAILED: (None, True),
    VerificationEnding.ALTERED: (verification(VerificationVerdict.ALTERED, ALTERED), False),
    VerificationEnding.CANNOT_SAY: (verification(VerificationVerdict.CANNOT_SAY), False),
}


@LANGUAGES
def test_verifications_that_end_otherwise(window: Windows, locale: str) -> None:
    """Running, not finished, altered, cannot say: the log of the demo court is whole, so these are only rendered."""
    findings: Findings = {}
    auditor = window(locale=locale)
    for ending, (result, failed) in ENDINGS.items():
        over = None if ending is VerificationEnding.RUNNING else NOW
        run = VerificationJob(
            id=UUID(int=1), court="浙0802", since=None, until=None, started_at=NOW, done=40, total=90, ended_at=over
        )
        run.failed, run.result = failed, result
        html = rendered(
            "console/verification.html",
            "/console/verify/1",
            Language(locale[:2]),
            run=run,
            ending=ending,
            result=result,
            not_checked=list(NotChecked),
            anchor_kinds=ANCHOR_KINDS,
            anchor_states=ANCHOR_STATES,
        )
        show(auditor, "/console/verify/1", html)
        findings[ending] = auditor.findings()

    assert wrong(findings) == {}
