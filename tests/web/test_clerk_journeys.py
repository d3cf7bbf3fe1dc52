"""
A clerk's day in a real browser: by mouse, by keyboard alone, without JavaScript, on a large and a small screen, in both
languages; and nothing of a person is left where the next user of the machine could find it.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from tests.court import Party, RunningCourt
from tests.web.browser import LANGUAGES, SCREENS, Visit
from tests.web.keyboard import Keyboard

Windows = Callable[..., Visit]


def asks(visit: Visit, number: str) -> None:
    """Asks with the mouse, and waits for the whole answer."""
    visit.go(f"/work-orders/{number}")
    visit.page.click("#look-up")
    visit.page.wait_for_selector("#answer-title[data-address]")


def personal(person: Party) -> tuple[str, ...]:
    """What must stand nowhere but on the page."""
    return person["id_number"], person["name"]


@SCREENS
@LANGUAGES
def test_find_a_party_use_an_address_and_print_the_record(
    court: RunningCourt, window: Windows, size: dict[str, int], locale: str
) -> None:
    """From the list to the paper, with nothing wider than the screen."""
    person = court.cast["moved"]
    number = court.dispatch(person)
    clerk = window("li.ting", viewport=size, locale=locale)
    page = clerk.page

    page.fill("#said", number)
    page.click(".filter button")
    page.click(f"tbody a[href='/work-orders/{number}']")
    page.click("#look-up")
    page.wait_for_selector("#answer-title[data-address]")
    page.click("#address-1 form button")
    expect(page.locator("#address-1 .state-found")).to_be_visible()
    narrow = page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.click("#print-record")
    expect(page.locator("#check-value")).to_be_visible()

    assert narrow
    assert clerk.violations() == []
    assert re.fullmatch(r"/lookups/[0-9a-f-]{36}/record", page.url.removeprefix(clerk.address))


def test_cards_are_laid_out_at_once_and_filled_one_by_one(
    court: RunningCourt, window: Windows, healed: Callable[..., None]
) -> None:
    """The first agency's answer is read while the last one is still asked; addresses wait for all."""
    person = court.cast["moved"]
    number = court.dispatch(person)
    healed("human_resources", "hang")
    clerk = window("li.ting", locale="en-GB")
    page = clerk.page
    page.add_init_script(
        "window.seen = []; new MutationObserver(() => { const c = document.querySelector('#card-public_security');"
        "const h = document.querySelector('#card-human_resources'); if (c && h) window.seen.push("
        "[/Full name/.test(c.textContent), /Asking/.test(h.textContent), !!document.querySelector('.addresses')]) })"
        ".observe(document, {childList: true, subtree: true});"
    )
    asks(clerk, number)

    # [identity shown, the other still asking, addresses shown]
    assert page.evaluate("window.seen.some(([shown, asking, addresses]) => shown && asking && !addresses)")
    assert page.evaluate("window.seen.every(([, asking, addresses]) => !(asking && addresses))")
    expect(page.locator("#card-human_resources")).to_contain_text("Not available now")
    expect(page.locator(".notice-warning").first).to_contain_text("Part of the answer is missing")
    assert clerk.focused() == "answer-title"
    kinds = [entry["event"]["type"] for entry in court.events()]
    assert "answer.shown" in kinds[kinds.index("lookup.intent") :]


@SCREENS
@LANGUAGES
def test_everything_can_be_done_with_the_keyboard_alone(
    court: RunningCourt, window: Windows, size: dict[str, int], locale: str
) -> None:
    """From the list to the paper by Tab, Enter, Space and the keys with a modifier; the focus is where the work is."""
    first, second = court.cast["moved"], court.cast["company_abnormal"]
    number = court.dispatch(first, second)
    clerk = window("li.ting", viewport=size, locale=locale)
    page, keys = clerk.page, Keyboard(clerk)
    keys.stop()
    skip = page.locator("a.skip:focus").count()
    keys.press("Enter")
    keys.to("#said")
    keys.type(number)
    keys.press("Enter")
    page.wait_for_url("**said=*")
    keys.to(f"tbody a[href='/work-orders/{number}']")
    keys.press("Enter")
    page.wait_for_url(f"**/work-orders/{number}")
    keys.press("Alt+Shift+Digit2")
    page.wait_for_url("**party=2")
    keys.press("Alt+Shift+Digit1")
    page.wait_for_url("**party=1")
    keys.press("Alt+Shift+KeyL")
    page.wait_for_selector("#answer-title[data-address]")
    focus_after_lookup = clerk.focused()
    keys.to("a[hx-get*='/reveal?field=']")
    keys.press("Enter")
    page.wait_for_selector(".reveal-slot form")
    keys.to(".reveal-slot input[name=reason]")
    keys.press("Space")
    keys.to(".reveal-slot form button")
    keys.press("Enter")
    page.wait_for_selector("[data-revealed]")
    shown = clerk.focused()
    keys.to("[data-act=hide]")
    keys.press("Enter")
    hidden = page.locator("[data-revealed]").count()
    keys.to("#use-1", key="Shift+Tab")
    keys.press("Enter")
    expect(page.locator("#address-1 .state-found")).to_be_visible()
    used = clerk.focused()
    keys.to("#print-record")
    keys.press("Enter")
    expect(page.locator("#check-value")).to_be_visible()

    assert (skip, focus_after_lookup, shown, hidden, used) == (1, "answer-title", first["id_number"], 0, "use-1")


@SCREENS
@LANGUAGES
def test_the_same_without_javascript(court: RunningCourt, window: Windows, size: dict[str, int], locale: str) -> None:
    """The form waits and shows everything; what only a script can do is not offered."""
    person = court.cast["moved"]
    number = court.dispatch(person)
    clerk = window("li.ting", java_script_enabled=False, viewport=size, locale=locale)
    page = clerk.page
    page.fill("#said", number)
    page.click(".filter button")
    page.click(f"tbody a[href='/work-orders/{number}']")
    page.click("#look-up")
    page.wait_for_url("**/lookups/*")
    answer = page.url.removeprefix(clerk.address)
    offered = page.locator("[data-copy]:visible").count()
    page.click("a[href*='/reveal?field='] >> nth=0")
    page.check("input[value=call_agency]")
    page.click("form.reveal button")
    revealed = page.locator("[data-revealed]").text_content() or ""
    page.click(f"main a[href='{answer}']")
    page.click("#address-1 form button")
    expect(page.locator("#address-1 .state-found")).to_be_visible()
    page.click("#print-record")
    expect(page.locator("#check-value")).to_be_visible()

    assert offered == 0
    assert person["id_number"] in revealed


@pytest.mark.parametrize("ending", ["time", "button", "blur", "leaving"])
def test_a_number_that_was_revealed_hides_again(court: RunningCourt, window: Windows, ending: str) -> None:
    """After a minute, by its button, when the window loses the focus, and when the page is left."""
    person = court.cast["moved"]
    clerk = window("li.ting", locale="en-GB")
    page = clerk.page
    page.clock.install()
    asks(clerk, court.dispatch(person))
    before = person["id_number"] in page.content()
    page.click("text=Reveal… >> nth=0")
    page.check("input[value=check_number]")
    page.click("form.reveal button")
    page.wait_for_selector("[data-revealed]")
    shown = person["id_number"] in page.content()

    if ending == "time":
        page.clock.run_for(61_000)
    elif ending == "button":
        page.click("[data-act=hide]")
    elif ending == "blur":
        page.evaluate("dispatchEvent(new Event('blur'))")
    else:
        page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide'))")

    assert (before, shown) == (False, True)
    assert person["id_number"] not in page.content()


def test_a_closed_work_order_closes_the_open_page(court: RunningCourt, window: Windows) -> None:
    """The page learns of it by itself, says so, and takes its buttons away."""
    person = court.cast["moved"]
    number = court.dispatch(person)
    clerk = window("li.ting", locale="en-GB")
    page = clerk.page
    page.clock.install()
    asks(clerk, number)
    court.restate(number, person, version=2, status="closed")
    page.clock.run_for(21_000)

    expect(page.locator("[data-closed]")).to_contain_text("closed or suspended")
    assert page.locator("[data-needs-open]").count() == 0
    assert clerk.violations() == []


def test_nothing_of_a_person_is_left_behind(court: RunningCourt, window: Windows) -> None:
    """Not in address, title, history, storage or cache; a number not even on the page."""
    person = court.cast["moved"]
    clerk = window("li.ting", locale="en-GB")
    page = clerk.page
    asks(clerk, court.dispatch(person))
    left: str = page.evaluate(
        "async () => JSON.stringify([location.href, document.title, history.state, {...localStorage}, "
        "{...sessionStorage}, await caches.keys(), (await indexedDB.databases()).map((database) => database.name)])"
    )

    assert [text for text in personal(person) if text in left] == []
    assert "[{}, {}]" not in left
    assert person["id_number"] not in page.content()
    page.reload()
    expect(page.locator("#answer-title")).to_be_visible()


def test_what_agencies_write_is_text_and_never_markup(court: RunningCourt, window: Windows) -> None:
    """A party named like a script is a party with an odd name, on every page that shows it."""
    person = court.cast["moved"] | {"name": "<script>alert(1)</script><img src=x onerror=alert(2)>"}
    number = court.dispatch(person)
    clerk = window("li.ting")
    dialogs: list[str] = []
    clerk.page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))

    clerk.go("/work-orders")
    clerk.go(f"/work-orders/{number}")
    expect(clerk.page.locator("#ask-title")).to_have_text(person["name"])
    clerk.page.click("#look-up")
    clerk.page.wait_for_selector("#answer-title[data-address]")
    assert clerk.page.locator("main img, main script").count() == 0
    assert dialogs == []


def test_a_session_that_ends_is_announced_and_loses_no_typed_form(court: RunningCourt, window: Windows) -> None:
    """It can be extended; once it is over, signing in again elsewhere gives the page its powers back."""
    clerk = window("li.ting", locale="en-GB")
    page = clerk.page
    page.clock.install()
    clerk.go(f"/work-orders/{court.dispatch(court.cast['moved'])}")
    page.uncheck("input[value=registrations]")
    page.clock.run_for(14 * 60_000)
    expect(page.locator("#session-end")).to_be_visible()
    assert clerk.violations() == []
    page.click("[data-act=extend]")
    expect(page.locator("#session-end")).to_be_hidden()

    again = clerk.context.new_page()
    again.goto(clerk.address + "/work-orders")
    again.click("form[action='/sign-out'] button")
    page.clock.run_for(15 * 60_000)
    expect(page.locator("[data-while=over]")).to_be_visible()
    again.goto(clerk.address + "/sign-in?to=/signed-in-again")
    again.click("button[value='li.ting']")
    again.wait_for_url("**/signed-in-again")
    page.clock.set_system_time(datetime.now(UTC))
    page.click("[data-act=resume]")
    expect(page.locator("#session-end")).to_be_hidden()
    assert not page.is_checked("input[value=registrations]")
    page.click("#look-up")
    page.wait_for_selector("#answer-title[data-address]")
    # Minutes pass in a moment here, so what the page had just asked for seems late to it.
    clerk.complaints = [text for text in clerk.complaints if "htmx:error: timeout" not in text]
