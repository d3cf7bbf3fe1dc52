"""
A person without a mouse: only keys are pressed, and wherever the focus stops it must be seen.
"""

from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.web.browser import Visit

# Where the focus is, and whether somebody at the screen can see it: outlined, its beginning on the screen and under
# nothing else.  (Of a field of several lines a browser brings the line of the caret into view, and not all of it.)
_STOP = """() => {
    const element = document.activeElement, box = element.getClientRects()[0] ?? element.getBoundingClientRect();
    const style = getComputedStyle(element), within = (length) => Math.min(length / 2, 10);
    const at = document.elementFromPoint(box.x + within(box.width), box.y + within(box.height));
    return {
        name: element.outerHTML.slice(0, 140),
        outlined: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
        seen: at !== null && (element.contains(at) || at.contains(element)),
    };
}"""


@dataclass(slots=True)
class Keyboard:
    """Somebody's hands at a page.  `stops` are the places where the focus has been."""

    visit: Visit
    stops: list[dict[str, Any]] = field(default_factory=list)

    def press(self, *keys: str) -> None:
        """Keys, one after the other."""
        for key in keys:
            self.visit.page.keyboard.press(key)

    def type(self, text: str) -> None:
        """Text into whatever has the focus."""
        self.visit.page.keyboard.type(text)

    def stop(self, key: str = "Tab") -> dict[str, Any]:
        """Goes one place on, or back; the place must be seen."""
        self.press(key)
        here: dict[str, Any] = self.visit.page.evaluate(_STOP)
        self.stops.append(here)
        assert here["outlined"], here["name"]
        assert here["seen"], here["name"]
        return here

    def to(self, selector: str, text: str = "", *, key: str = "Tab") -> None:
        """Goes on until something is focused that `selector` finds and that says `text`."""
        for _ in range(250):
            if self.visit.page.evaluate(
                "([selector, text]) => document.activeElement.matches(selector) &&"
                " document.activeElement.textContent.includes(text)",
                [selector, text],
            ):
                return
            self.stop(key)
        pytest.fail(f"the keyboard never reaches {selector} {text}")

    def choose(self, value: str) -> None:
        """The entry of the list that has the focus, by its arrows."""
        places = "(value) => [...document.activeElement.options].findIndex((option) => option.value === value)"
        wanted = self.visit.page.evaluate(places, value)
        now = self.visit.page.evaluate("document.activeElement.selectedIndex")
        self.press(*(["ArrowDown"] * (wanted - now) if wanted > now else ["ArrowUp"] * (now - wanted)))
        assert self.visit.page.evaluate("document.activeElement.value") == value

    def page_from_the_top(self) -> list[str]:
        """Walks the whole page once, from its beginning; the ids or texts of the places in their order."""
        self.visit.page.evaluate("document.activeElement.blur(); getSelection().removeAllRanges(); scrollTo(0, 0)")
        names: list[str] = []
        for _ in range(800):
            self.press("Tab")
            if self.visit.page.evaluate("document.activeElement === document.body"):
                return names
            here = self.visit.page.evaluate(_STOP)
            assert here["outlined"], here["name"]
            assert here["seen"], here["name"]
            names.append(self.visit.focused())
        pytest.fail("the focus never leaves the page")
