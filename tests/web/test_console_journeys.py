"""
An auditor in a real browser: by mouse, by keyboard alone, without JavaScript, large and small, in both languages; and
nothing of a person in any address, title or storage.
"""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.desk import Desk, Party
from tests.web.browser import LARGE, SMALL, Visit

Windows = Callable[..., Visit]


@pytest.fixture(scope="module")
def looked_up(desk: Desk) -> Party:
    """A person whom the clerk has looked up, and one whom she was refused."""
    person = desk.cast["moved"]
    number = desk.dispatch(person)
    desk.look_up(number, person)
    for _ in range(3):
        desk.look_up(number, desk.cast["renamed"])
    return person


def traces(visit: Visit) -> str:
    """Whatever the browser keeps of the pages beyond what they show now."""
    said: str = visit.page.evaluate(
        "JSON.stringify([document.title, location.href, history.state, {...localStorage}, {...sessionStorage}])"
    )
    return said


@pytest.mark.parametrize("size", [LARGE, SMALL], ids=["1366", "390"])
@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
def test_search_for_a_person_open_a_record_and_export_it(
    window: Windows, looked_up: Party, size: dict[str, int], locale: str, tmp_path: Path
) -> None:
    """By mouse, with nothing wider than the screen; the number is nowhere but in the field where it was typed."""
    number = looked_up["id_number"]
    auditor = window("chen.jing", viewport=size, locale=locale)
    page = auditor.page

    page.click("details.sheet > summary")
    page.fill("#id_number", number)
    page.click("form.named button")
    expect(page.locator(".chips a").last).to_contain_text("••••")
    kept = traces(auditor) + page.content()
    wide = auditor.too_wide()
    page.click(".records a.told >> nth=0")
    expect(page.locator(".panels h2")).to_have_count(4)
    wide += auditor.too_wide()
    page.go_back()
    page.click("a[href^='/console/export']")
    with page.expect_download() as download:
        page.click("main form button")
    download.value.save_as(tmp_path / "bundle.zip")

    assert wide == []
    assert number not in kept + traces(auditor)
    assert (tmp_path / "bundle.zip").read_bytes().startswith(b"PK")


def test_a_verification_and_a_review_by_keyboard_alone(window: Windows, looked_up: Party) -> None:
    """Tab, Enter, Space and arrows reach everything."""
    auditor = window("chen.jing", locale="en-GB")
    page = auditor.page
    auditor.go("/console/verify")
    tab_to(auditor, "Verify", "main form button")
    page.keyboard.press("Enter")
    page.wait_for_selector(".panels")
    verdict = page.locator("h1").inner_text()

    auditor.go("/console/review")
    tab_to(auditor, "", "tbody a")
    page.keyboard.press("Enter")
    page.wait_for_selector("form.outcome")
    tab_to(auditor, "", "input[name=outcome]")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.type("explained by the group leader")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("Explained · chen.jing")

    assert verdict == "Verification of the log: Intact"
    assert re.fullmatch(r"/console/review/\d{4}-\d\d-\d\d/[0-9a-f]{64}", page.url.removeprefix(auditor.address))


def tab_to(visit: Visit, text: str, selector: str) -> None:
    """Presses Tab until something is focused."""
    for _ in range(150):
        visit.page.keyboard.press("Tab")
        if visit.page.evaluate(
            "([text, selector]) => document.activeElement.matches(selector) &&"
            " document.activeElement.textContent.includes(text)",
            [text, selector],
        ):
            return
    pytest.fail(f"the keyboard never reaches {text or selector}")


def test_a_report_is_drafted_and_released_without_javascript(window: Windows, looked_up: Party) -> None:
    """By two people, in two browsers; no address names the person."""
    auditor = window("chen.jing", java_script_enabled=False, locale="en-GB")
    second = window("wu.fang", java_script_enabled=False, locale="en-GB")
    page = auditor.page
    auditor.go("/console/reports")
    page.fill("form.draft #id_number", looked_up["id_number"])
    page.fill("form.draft #note", "at the counter")
    page.click("form.draft button")
    expect(page.locator("h1")).to_have_text("Report to a person")
    address = page.url.removeprefix(auditor.address)
    second.go(address)
    second.page.click("form.release button")
    second.page.click("a[href$='/print']")
    expect(second.page.locator("article h1")).to_have_text("Record of who looked at a person")

    assert re.fullmatch(r"/console/reports/[0-9a-f-]{36}", address)
    assert looked_up["id_number"] not in second.page.content() + page.content()
