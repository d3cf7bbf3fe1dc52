"""
A real browser for the journeys: Debian's Chromium, driven by Playwright, with whatever it complains of kept.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

LARGE, SMALL = {"width": 1366, "height": 768}, {"width": 390, "height": 844}
SCREENS = pytest.mark.parametrize("size", [LARGE, SMALL], ids=["1366", "390"])
LANGUAGES = pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
# A theme changes colours and nothing else, so that only these are looked at again in the dark.
COLOURS = ["color-contrast", "link-in-text-block"]
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser; `CHROMIUM` names another than the system's."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    assert path is not None, "no Chromium here: make test-web installs it"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@dataclass(slots=True)
class Visit:
    """One person's window.  `complaints` holds what the browser reported: breaches of the policy, errors of scripts."""

    address: str
    context: BrowserContext
    page: Page
    complaints: list[str] = field(default_factory=list)

    def go(self, path: str) -> None:
        """Opens a page of the hub."""
        self.page.goto(self.address + path)

    def sign_in(self, user: str, to: str = "/") -> None:
        """Through the sign-on server's page."""
        self.go(f"/sign-in?to={to}")
        self.page.click(f"button[value='{user}']")
        self.page.wait_for_url(f"{self.address}/**")

    def violations(self) -> list[str]:
        """What axe finds wrong on the page as it stands, with the elements."""
        return self._axe({"runOnly": {"type": "tag", "values": TAGS}})

    def findings(self) -> list[str]:
        """What is wrong with the page as it stands, on the large and the small screen, in the light and the dark."""
        findings: list[str] = []
        for size in (LARGE, SMALL):
            self.page.set_viewport_size(size)
            self.page.emulate_media(color_scheme="light")
            findings += [f"{size['width']} too wide: {element}" for element in self.too_wide()]
            findings += [f"{size['width']} light {violation}" for violation in self.violations()]
            self.page.emulate_media(color_scheme="dark")
            findings += [
                f"{size['width']} dark {violation}"
                for violation in self._axe({"runOnly": {"type": "rule", "values": COLOURS}})
            ]
        return findings

    def _axe(self, options: dict[str, Any]) -> list[str]:
        results = Axe().run(self.page, options=options | {"resultTypes": ["violations"]})
        return [
            f"{violation['id']}: {node['html'][:160]} {node['failureSummary'][:160]}"
            for violation in results.response["violations"]
            for node in violation["nodes"]
        ]

    def too_wide(self) -> list[str]:
        """What makes the page wider than the screen."""
        elements: list[str] = self.page.evaluate(
            "document.documentElement.scrollWidth <= innerWidth ? [] : [...document.body.querySelectorAll('*')]"
            ".filter((element) => element.getBoundingClientRect().right > innerWidth)"
            ".map((element) => element.outerHTML.slice(0, 120))"
        )
        return elements

    def unfold(self) -> None:
        """Opens every detail of the page."""
        self.page.evaluate("document.querySelectorAll('main details').forEach((details) => { details.open = true; })")

    def focused(self) -> str:
        """The focused element: its id, else its text."""
        name: str = self.page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()")
        return name


@contextmanager
def visit(browser: Browser, address: str, **options: Any) -> Iterator[Visit]:
    """A fresh window: no cookie, no storage.  `options` are Playwright's."""
    context = browser.new_context(**({"viewport": LARGE, "locale": "zh-CN", "timezone_id": "UTC"} | options))
    context.set_default_timeout(30_000)
    page = context.new_page()
    opened = Visit(address, context, page)

    def complain(message: Any) -> None:
        # A refusal that a test provokes is told by the browser as well; what counts is what pages do by themselves.
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            opened.complaints.append(message.text)

    page.on("console", complain)
    page.on("pageerror", lambda error: opened.complaints.append(str(error)))
    try:
        yield opened
    finally:
        context.close()
