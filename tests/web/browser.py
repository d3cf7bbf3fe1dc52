"""
A real browser for the journeys: Debian's Chromium, driven by Playwright, with whatever it complains of kept.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

LARGE, SMALL = {"width": 1366, "height": 768}, {"width": 390, "height": 844}
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
        found = Axe().run(self.page, options={"runOnly": {"type": "tag", "values": TAGS}})
        return [
            f"{one['id']}: {node['html'][:160]} {node['failureSummary'][:160]}"
            for one in found.response["violations"]
            for node in one["nodes"]
        ]

    def focused(self) -> str:
        """The focused element: its id, else its text."""
        said: str = self.page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()")
        return said


@contextmanager
def visit(browser: Browser, address: str, **options: Any) -> Iterator[Visit]:
    """A fresh window: no cookie, no storage.  `options` are Playwright's."""
    context = browser.new_context(**({"viewport": LARGE, "locale": "zh-CN", "timezone_id": "UTC"} | options))
    context.set_default_timeout(30_000)
    page = context.new_page()
    found = Visit(address, context, page)

    def complain(message: Any) -> None:
        # A refusal that a test provokes is told by the browser as well; what counts is what pages do by themselves.
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            found.complaints.append(message.text)

    page.on("console", complain)
    page.on("pageerror", lambda error: found.complaints.append(str(error)))
    try:
        yield found
    finally:
        context.close()
