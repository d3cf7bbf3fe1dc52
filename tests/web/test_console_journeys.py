"""
An auditor in a real browser: by mouse, by keyboard alone, without JavaScript, large and small, in both languages; and
nothing of a person in any address, title or storage.
"""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.court import Party, RunningCourt
from tests.web.browser import LANGUAGES, SCREENS, Visit
from tests.web.keyboard import Keyboard

Windows = Callable[..., Visit]


@pytest.fixture(scope="module")
def looked_up(court: RunningCourt) -> Party:
    """A person whom the clerk has looked up, and one whom she was refused."""
    person = court.cast["moved"]
    number = court.dispatch(person)
    court.look_up(number, person)
    for _ in range(3):
        court.look_up(number, court.cast["renamed"])
    return person


def traces(visit: Visit) -> str:
    """Whatever the browser keeps of the pages beyond what they show now."""
    traces_left: str = visit.page.evaluate(
        "JSON.stringify([document.title, location.href, history.state, {...localStorage}, {...sessionStorage}])"
    )
    return traces_left


@SCREENS
@LANGUAGES
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
    after_search = traces(auditor) + page.content()
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
    assert number not in after_search + traces(auditor)
    assert (tmp_path / "bundle.zip").read_bytes().startswith(b"PK")


@SCREENS
@LANGUAGES
def test_a_verification_and_a_review_by_keyboard_alone(
    window: Windows, looked_up: Party, size: dict[str, int], locale: str
) -> None:
    """Tab, Enter, Space and arrows reach everything, and wherever the focus stops it is seen."""
    auditor = window("chen.jing", viewport=size, locale=locale)
    page, keys = auditor.page, Keyboard(auditor)
    auditor.go("/console/verify")
    keys.to("main form[action='/console/verify'] button")
    keys.press("Enter")
    page.wait_for_selector(".panels")
    verdict = page.locator("h1").inner_text()

    auditor.go("/console/review")
    keys.to("main tbody a")
    keys.press("Enter")
    page.wait_for_selector("form.outcome")
    keys.to("input[name=outcome]")
    keys.press("Space")
    keys.to("form.outcome textarea")
    keys.type("explained by the group leader")
    keys.to("form.outcome button")
    keys.press("Enter")
    expect(page.locator("main")).to_contain_text(re.compile(r"(Explained|已说明) · chen\.jing"))

    assert verdict == {"zh-CN": "日志校验：完好", "en-GB": "Verification of the log: Intact"}[locale]
    assert re.fullmatch(r"/console/review/\d{4}-\d\d-\d\d/[0-9a-f]{64}", page.url.removeprefix(auditor.address))


@SCREENS
@LANGUAGES
def test_a_report_is_drafted_and_released_without_javascript(
    window: Windows, looked_up: Party, size: dict[str, int], locale: str
) -> None:
    """By two people, in two browsers; no address names the person."""
    auditor = window("chen.jing", java_script_enabled=False, viewport=size, locale=locale)
    second = window("wu.fang", java_script_enabled=False, viewport=size, locale=locale)
    page = auditor.page
    auditor.go("/console/reports")
    page.fill("form.draft #id_number", looked_up["id_number"])
    page.fill("form.draft #note", "at the counter")
    page.click("form.draft button")
    page.wait_for_url("**/console/reports/*")
    address = page.url.removeprefix(auditor.address)
    second.go(address)
    second.page.click("form.release button")
    second.page.click("a[href$='/print']")
    expect(second.page.locator("article h1")).to_be_visible()

    assert re.fullmatch(r"/console/reports/[0-9a-f-]{36}", address)
    assert looked_up["id_number"] not in second.page.content() + page.content()
