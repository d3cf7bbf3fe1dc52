"""
axe finds nothing on any page of administration, in any state: WCAG 2.2 A and AA, both languages, both themes, the large
and the small screen; and nothing is wider than the screen.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from audit.anchor.anchors import AnchorKind, AnchorStatus
from gateway.anchors.service import AnchorReport
from gateway.web.administration.status import KeyAge
from gateway.web.i18n import Language
from gateway.web.labels import ANCHOR_KINDS
from tests.callbacks.receiver import receiving
from tests.court import RunningCourt
from tests.web.browser import LANGUAGES, Visit
from tests.web.rendered import rendered, show
from tests.web.test_certificates import page as certificates_page

Windows = Callable[..., Visit]
Findings = dict[str, list[str]]

NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)


def wrong(findings: Findings) -> Findings:
    """The states that something is wrong with."""
    return {state: problems for state, problems in findings.items() if problems}


@LANGUAGES
@pytest.mark.parametrize("user", ["admin", "feng.an", "wu.fang", "sun.li", "zheng.hao", "chen.jing"])
def test_every_page_as_everybody_sees_it(window: Windows, user: str, locale: str) -> None:
    """With every detail open: who changes much, who changes little, who only looks."""
    visit, findings = window(user, locale=locale), dict[str, list[str]]()
    visit.go("/administration/tree")
    for address in visit.page.eval_on_selector_all(
        "nav.chips a", "all => all.map((link) => link.getAttribute('href'))"
    ):
        visit.go(address)
        findings[address] = visit.findings()
        if visit.page.locator("main details").count():
            visit.unfold()
            findings[f"{address} unfolded"] = visit.findings()

    assert wrong(findings) == {}


@LANGUAGES
def test_the_tree_after_a_change_and_a_refusal(court: RunningCourt, window: Windows, locale: str) -> None:
    """What is done, what is refused with the form as it was, what is not filled in as it must be."""
    findings: Findings = {}
    system = window("admin", locale=locale)
    page = system.page
    for unit, state in (("zj0802-axe", "done"), ("zj0802-axe", "unchanged"), ("elsewhere", "refused"), ("ÄÖ", "wrong")):
        system.go("/administration/tree")
        page.fill("#unit-id", unit)
        page.select_option("#unit-parent", "zj0802")
        page.select_option("#kind", "centre")
        page.fill("form.unit #zh", "试点")
        page.fill("form.unit #en", "Trial")
        # Past the browser's own check of the form.
        page.evaluate("document.querySelector('form.unit').submit()")
        page.wait_for_selector("#done, #problem, .problem")
        findings[state] = system.findings()

    assert wrong(findings) == {}


@LANGUAGES
def test_standing_in_empty_arranged_ended_refused(window: Windows, locale: str) -> None:
    """The form keeps what was typed where it is refused."""
    findings: Findings = {}
    leader = window("sun.li", locale=locale)
    page = leader.page
    leader.go("/administration/deputies")
    findings["empty"] = leader.findings()
    for deputy, state in (("li.ting", "refused"), ("wang.qiang", "arranged")):
        page.select_option("#absent", "li.ting")
        page.select_option("#deputy", deputy)
        for name in ("since", "until"):
            page.fill(f"#{name}", str(datetime.now(UTC).date() + timedelta(days=2)))
        page.click("form.arrange button")
        page.wait_for_selector("#done, #problem")
        findings[state] = leader.findings()
    page.click("form.end button")
    page.wait_for_selector("#done")
    findings["ended"] = leader.findings()

    assert wrong(findings) == {}


@LANGUAGES
def test_callbacks_empty_gone_dead_waiting_paused(court: RunningCourt, window: Windows, locale: str) -> None:
    """A receiver in every state, with a dead letter and with what waits for it."""
    findings: Findings = {}
    system = window("admin", locale=locale)
    system.go("/administration/callbacks")
    findings["empty"] = system.findings()
    name = f"axe-{locale[:2]}"
    with receiving() as receiver:
        receiver.answers = [(410, {})]
        body = {"client": "ticket-system", "url": receiver.url, "internal": True}
        assert court.call("PUT", f"/v1/callbacks/receivers/{name}", body, user="admin").status_code < 300
        court.call("POST", f"/v1/callbacks/receivers/{name}/trial", user="admin")
        while court.call("GET", f"/v1/callbacks/receivers/{name}", user="admin").json()["state"] != "gone":
            pass
        system.go("/administration/callbacks")
        findings["a dead letter"] = system.findings()
        system.page.click("form.state-of button")
        system.page.wait_for_selector("#done")
        findings["resumed"] = system.findings()
        system.page.click("form.state-of button")
        court.call("POST", f"/v1/callbacks/receivers/{name}/trial", user="admin")
        system.go("/administration/callbacks")
        findings["paused, and something waits"] = system.findings()
    court.call("DELETE", f"/v1/callbacks/receivers/{name}", user="admin")

    assert wrong(findings) == {}


@LANGUAGES
def test_agencies_that_rest_and_certificates_that_end(
    court: RunningCourt, window: Windows, healed: Callable[..., None], locale: str
) -> None:
    """After answers good and bad; certificates that serve, that end soon, that are over."""
    findings: Findings = {}
    system = window("admin", locale=locale)
    healed("human_resources", "server_error")
    number = court.dispatch(court.cast["moved"])
    for _ in range(2):
        court.look_up(number, court.cast["moved"], max_age=0)
    system.go("/administration/agencies")
    findings["after answers"] = system.findings()
    for days in ((365, 300), (400, 20), (10, -1)):
        show(system, "/administration/agencies", certificates_page(Language(locale[:2]), *days))
        findings[f"certificates {days}"] = system.findings()

    assert wrong(findings) == {}


@LANGUAGES
def test_a_log_with_anchors_and_one_that_nobody_signs_any_more(window: Windows, locale: str) -> None:
    """An anchor in time, one that is late and says why; the demo's own log has none, and is signed."""
    findings: Findings = {}
    system = window("admin", locale=locale)
    anchors = [
        AnchorReport(
            status=AnchorStatus(kind=kind, name=name, size=size, at=at, unparsed=None, uncovered_since=NOW),
            age_s=None,
            late=late,
            failures=int(late),
            last_error=error,
        )
        for kind, name, size, at, late, error in (
            (AnchorKind.COSIGNATURE, "witness.example", 90, NOW, False, None),
            (AnchorKind.TIMESTAMP, "timestamps.example", None, None, True, "the authority refuses the request"),
        )
    ]
    for broken in (None, "the log's key does not open"):
        html = rendered(
            "administration/health.html",
            "/administration/health",
            Language(locale[:2]),
            navigation=[],
            origin="demo.shuniu.example/audit/1",
            vkey="demo.shuniu.example/audit/1+00000000+AAAA",
            size=91,
            signed=90,
            age=0.4,
            broken=broken,
            orphans=None,
            anchors=anchors,
            anchor_kinds=ANCHOR_KINDS,
            keys=[KeyAge("hub.key", NOW, 3)],
        )
        show(system, "/administration/health", html)
        findings[str(broken)] = system.findings()

    assert wrong(findings) == {}
