"""
The administrators' work in a real browser: by mouse, by keyboard alone, without JavaScript, on a large and a small
screen, in both languages; a change says that it is made, a refusal stands on the page of its form.
"""

import itertools
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from schemas.china_time import CHINA
from tests.callbacks.receiver import Receiver, receiving
from tests.court import RunningCourt
from tests.web.browser import LANGUAGES, SCREENS, Visit
from tests.web.keyboard import Keyboard

Windows = Callable[..., Visit]

SHEETS = ["tree", "kinds", "agencies", "callbacks", "health"]

_letters = itertools.count()


def fresh(what: str) -> str:
    """An account or a unit that no other test has made."""
    return f"{what}-{chr(ord('a') + next(_letters))}"


@pytest.fixture
def receiver(court: RunningCourt) -> Iterator[Receiver]:
    """A ticket system's end that says of one delivery that it is gone: a dead letter."""
    with receiving() as opened:
        opened.answers = [(410, {})]
        body = {"client": "ticket-system", "url": opened.url, "internal": True}
        assert court.call("PUT", "/v1/callbacks/receivers/journey-desk", body, user="admin").status_code < 300
        court.call("POST", "/v1/callbacks/receivers/journey-desk/trial", user="admin")
        while court.call("GET", "/v1/callbacks/receivers/journey-desk", user="admin").json()["state"] != "gone":
            pass
        yield opened
        court.call("DELETE", "/v1/callbacks/receivers/journey-desk", user="admin")


def changes(court: RunningCourt) -> list[dict[str, Any]]:
    """What the log says of changes, oldest first."""
    return [entry["event"].get("detail", {}) for entry in court.events(type="admin.changed")]


def enters(page: Page, user: str) -> None:
    """Fills in the form of a new person, and sends it."""
    page.fill("form.enter #user", user)
    page.fill("form.enter #name", "新人")
    page.select_option("#new-unit", "zj0802-service-2")
    page.click("form.enter button")


def person_of(page: Page, user: str) -> Any:
    """Where the tree shows somebody, with the forms of the change."""
    return page.locator("li", has=page.locator(f"form.off input[value='{user}']")).last


def done(visit: Visit, rule: str = "") -> None:
    """A change that is made says so, and what was refused says by which rule; either has the focus."""
    place = visit.page.locator("#problem" if rule else "#done")
    expect(place).to_be_visible()
    expect(place).to_be_focused()
    expect(place).to_contain_text(rule or re.compile(r"[。.]"))


@SCREENS
@LANGUAGES
def test_the_tree_is_changed_by_mouse(court: RunningCourt, window: Windows, size: dict[str, int], locale: str) -> None:
    """A group is made, a person entered and moved, the account switched off; nothing is wider than the screen."""
    user, unit = fresh("new"), fresh("zj0802-service")
    system = window("admin", locale=locale, viewport=size)
    page = system.page
    page.click(".rooms a[href='/administration']")
    page.fill("#unit-id", unit)
    page.select_option("#unit-parent", "zj0802-service")
    page.fill("form.unit #zh", "送达新组")
    page.fill("form.unit #en", "New group")
    page.click("form.unit button")
    done(system)
    enters(page, user)
    done(system)
    person_of(page, user).locator("summary").click()
    person_of(page, user).locator("select").select_option(unit)
    wide = system.too_wide()
    person_of(page, user).locator("form.person button").click()
    done(system)
    person_of(page, user).locator("summary").click()
    person_of(page, user).locator("form.off button").click()
    done(system)

    assert wide + system.too_wide() == []
    assert [(change.get("units"), change.get("people"), change.get("active")) for change in changes(court)[-4:]] == [
        (1, 0, None),
        (0, 1, 1),
        (0, 1, 1),
        (0, 1, 0),
    ]
    assert user not in page.url
    expect(page.locator("li", has_text=user).last).to_contain_text(re.compile(r"已停用|switched off"))


@SCREENS
@LANGUAGES
def test_a_role_is_given_by_mouse_and_beyond_ones_office_refused(
    court: RunningCourt, window: Windows, size: dict[str, int], locale: str
) -> None:
    """By the security administrator, not by the system administrator, whose form says why and whom to ask."""
    for user, rule in (("feng.an", ""), ("admin", "roles_by_security_administrator")):
        visit = window(user, locale=locale, viewport=size)
        visit.go("/administration/tree")
        for _ in range(2):
            person = person_of(visit.page, "qian.wei")
            if not person.locator("details[open]").count():
                person.locator("summary").click()
            person.locator("input[value=judge]").click()
            person.locator("form.person button").click()
            done(visit, rule)
        assert visit.too_wide() == []


@SCREENS
@LANGUAGES
def test_a_group_leader_arranges_and_ends_by_mouse(window: Windows, size: dict[str, int], locale: str) -> None:
    """What was refused leaves the form as it was filled in."""
    leader, today = window("sun.li", locale=locale, viewport=size), datetime.now(CHINA).date()
    page = leader.page
    leader.go("/administration/deputies")
    page.select_option("#absent", "li.ting")
    page.select_option("#deputy", "li.ting")
    page.fill("#since", str(today))
    page.fill("#until", str(today + timedelta(days=3)))
    page.click("form.arrange button")
    done(leader, "delegation_self")
    typed = [page.input_value(f"#{name}") for name in ("absent", "deputy", "since", "until")]
    page.select_option("#deputy", "wang.qiang")
    page.click("form.arrange button")
    done(leader)
    wide = leader.too_wide()
    page.click("form.end button")
    done(leader)

    assert typed == ["li.ting", "li.ting", str(today), str(today + timedelta(days=3))]
    assert wide == []
    assert page.locator("form.end").count() == 0


@SCREENS
@LANGUAGES
def test_callbacks_are_resumed_taken_up_and_paused_by_mouse(
    window: Windows, receiver: Receiver, size: dict[str, int], locale: str
) -> None:
    """The dead letter of a receiver that was gone arrives after all."""
    system = window("admin", locale=locale, viewport=size)
    page = system.page
    system.go("/administration/callbacks")
    expect(page.locator("main")).to_contain_text(re.compile("410"))
    wide = system.too_wide()
    page.click("form.state-of button[value=active]")
    done(system)
    page.click("form.resend button")
    done(system)
    page.click("form.state-of button[value=paused]")
    done(system)

    assert wide + system.too_wide() == []
    assert len(receiver.calls) >= 1


@SCREENS
@LANGUAGES
def test_the_system_administrators_work_by_keyboard_alone(
    court: RunningCourt, window: Windows, receiver: Receiver, size: dict[str, int], locale: str
) -> None:
    """From the skip link to the account that is switched off: every stop is seen, every change has the focus."""
    user = fresh("keys")
    system = window("admin", locale=locale, viewport=size)
    hands = Keyboard(system)
    system.go("/administration/tree")
    hands.stop()
    skip = system.focused()
    hands.press("Enter")
    hands.to("nav.chips a")
    hands.to("form.enter #user")
    hands.type(user)
    hands.stop()
    hands.type("新人")
    hands.stop()
    hands.choose("zj0802-service-2")
    hands.stop()
    hands.press("Enter")
    done(system)
    hands.to(f"summary:has(+ form input[value='{user}'])")
    hands.press("Enter")
    hands.stop()
    hands.choose("zj0802-filing")
    hands.to("form.person button")
    hands.press("Space")
    done(system)
    hands.to(f"summary:has(+ form input[value='{user}'])")
    hands.press("Space")
    hands.to("form.off button")
    hands.press("Enter")
    done(system)

    hands.to("nav.chips a[href$='callbacks']", key="Shift+Tab")
    hands.press("Enter")
    system.page.wait_for_url("**/administration/callbacks")
    hands.to("form.state-of button[value=active]")
    hands.press("Enter")
    done(system)
    hands.to("form.resend button")
    hands.press("Space")
    done(system)
    hands.to("form.state-of button[value=paused]")
    hands.press("Enter")
    done(system)
    for sheet in ("kinds", "agencies", "health"):
        hands.to(f"nav.chips a[href$='{sheet}']", key="Shift+Tab" if sheet == "kinds" else "Tab")
        hands.press("Enter")
        system.page.wait_for_url(f"**/administration/{sheet}")

    assert skip in {"跳到正文", "Skip to the content"}
    assert [change.get("active") for change in changes(court) if change.get("people") == 1][-3:] == [1, 1, 0]


@SCREENS
@LANGUAGES
def test_a_role_is_given_by_keyboard_alone(
    court: RunningCourt, window: Windows, size: dict[str, int], locale: str
) -> None:
    """A box is ticked by the space bar; the focus goes to what was done."""
    security = window("feng.an", locale=locale, viewport=size)
    hands = Keyboard(security)
    for _ in range(2):
        security.go("/administration/tree")
        hands.to("summary:has(+ form input[value='qian.wei'])")
        hands.press("Enter")
        hands.to("form.person input[value=judge]")
        hands.press("Space")
        hands.to("form.person button")
        hands.press("Enter")
        done(security)

    assert [change["roles"] for change in changes(court)[-2:]] == ["assistant,judge", "assistant"]


@SCREENS
@LANGUAGES
def test_a_group_leader_arranges_and_ends_by_keyboard_alone(window: Windows, size: dict[str, int], locale: str) -> None:
    """Lists by arrows, days by digits."""
    leader, today = window("sun.li", locale=locale, viewport=size), datetime.now(CHINA).date()
    hands = Keyboard(leader)
    leader.go("/administration/deputies")
    hands.to("#absent")
    hands.choose("li.ting")
    hands.stop()
    hands.choose("wang.qiang")
    for name, day in (("since", today), ("until", today + timedelta(days=2))):
        hands.to(f"#{name}")
        types_day(leader, hands, day.isoformat())
        assert leader.page.input_value(f"#{name}") == day.isoformat()
    hands.to("form.arrange button")
    hands.press("Enter")
    done(leader)
    hands.to("form.end button")
    hands.press("Enter")
    done(leader)

    assert leader.page.locator("form.end").count() == 0


def types_day(visit: Visit, hands: Keyboard, day: str) -> None:
    """A day into the field that has the focus, its parts in the order in which this browser asks for them."""
    year, month, date = day.split("-")
    for parts in ((month, date, year), (date, month, year), (year, month, date)):
        hands.type("".join(parts))
        if visit.page.evaluate("document.activeElement.value") == day:
            return
        # Back to the first part of the field.
        hands.press("ArrowLeft", "ArrowLeft", "ArrowLeft")


@SCREENS
@pytest.mark.parametrize("user", ["admin", "feng.an", "sun.li", "wu.fang", "zheng.hao", "chen.jing"])
def test_wherever_the_focus_goes_it_is_seen_and_in_the_order_of_the_page(
    window: Windows, user: str, size: dict[str, int]
) -> None:
    """On every page of administration that somebody may enter, with every detail open; nothing is taken out of turn."""
    visit = window(user, locale="en-GB", viewport=size)
    hands = Keyboard(visit)
    visit.go("/administration/tree")
    for address in visit.page.eval_on_selector_all(
        "nav.chips a", "all => all.map((link) => link.getAttribute('href'))"
    ):
        visit.go(address)
        visit.unfold()
        names = hands.page_from_the_top()
        assert names[0] == "Skip to the content"
        assert visit.page.locator("[tabindex]:not([tabindex='0']):not([tabindex='-1'])").count() == 0
        assert len(names) >= len(visit.page.query_selector_all("main a, main button, main select, main summary"))


@SCREENS
@LANGUAGES
def test_the_same_without_javascript(
    court: RunningCourt, window: Windows, receiver: Receiver, size: dict[str, int], locale: str
) -> None:
    """A person is entered and switched off, a role refused, a deputy arranged and ended, a receiver resumed."""
    options: dict[str, Any] = {"java_script_enabled": False, "locale": locale, "viewport": size}
    user, today = fresh("plain"), datetime.now(CHINA).date()
    system, leader = window("admin", **options), window("sun.li", **options)
    page = system.page
    system.go("/administration/tree")
    enters(page, user)
    expect(page.locator("#done")).to_be_visible()
    person_of(page, user).locator("summary").click()
    person_of(page, user).locator("input[value=judge]").check()
    person_of(page, user).locator("form.person button").click()
    expect(page.locator("#problem")).to_contain_text("roles_by_security_administrator")
    person_of(page, user).locator("form.off button").click()
    expect(page.locator("#done")).to_be_visible()
    page.click("nav.chips a[href$='callbacks']")
    page.click("form.state-of button[value=active]")
    expect(page.locator("#done")).to_be_visible()

    leader.go("/administration/deputies")
    leader.page.select_option("#absent", "li.ting")
    leader.page.select_option("#deputy", "wang.qiang")
    leader.page.fill("#since", str(today))
    leader.page.fill("#until", str(today))
    leader.page.click("form.arrange button")
    expect(leader.page.locator("#done")).to_be_visible()
    leader.page.click("form.end button")
    expect(leader.page.locator("#done")).to_be_visible()

    assert [change.get("active") for change in changes(court) if change.get("people") == 1][-2:] == [1, 0]
    assert user not in page.url
