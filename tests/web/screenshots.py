"""
The pictures of the documents, from a whole demo court: `make screenshots` writes docs/pictures/*.png.

Add a page by adding a `Picture`: who looks, in which language, where, and what is done before the picture is taken.
"""

import itertools
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page

from gateway.demo import tour, world
from tests.court import RunningCourt
from tests.web.browser import LARGE, Visit, chromium, visit

PICTURES = Path("docs/pictures")


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One picture.  `to` gets a page ready; `whole` takes it from top to bottom, at most `height` pixels."""

    name: str
    user: str
    to: Callable[[Visit, RunningCourt], None]
    language: str = "en-GB"
    dark: bool = False
    height: int = LARGE["height"]


def orders(window: Visit, court: RunningCourt) -> None:
    """The list of a clerk with some work."""
    window.go("/work-orders")


def answer(window: Visit, court: RunningCourt) -> None:
    """A whole answer about the person who has moved."""
    _ask(window.page, window, court.dispatch(court.cast["moved"], court.cast["company_abnormal"]))


def company(window: Visit, court: RunningCourt) -> None:
    """A whole answer about a company."""
    _ask(window.page, window, court.dispatch(court.cast["company_abnormal"]))


def record(window: Visit, court: RunningCourt) -> None:
    """The printed record."""
    answer(window, court)
    window.page.click("#print-record")
    window.page.wait_for_selector("#check-value")


def events(window: Visit, court: RunningCourt) -> None:
    """The log after some work of a clerk."""
    number = court.dispatch(court.cast["moved"], court.cast["company_abnormal"])
    for name in ("moved", "company_abnormal"):
        court.look_up(number, court.cast[name])
    for _ in range(3):
        court.look_up(number, court.cast["renamed"])
    window.go("/console/events")


def one_record(window: Visit, court: RunningCourt) -> None:
    """A lookup's record."""
    events(window, court)
    window.go("/console/events?type=lookup.intent")
    window.page.click(".records a.told >> nth=0")


def review(window: Visit, court: RunningCourt) -> None:
    """The queue with a case."""
    events(window, court)
    window.go("/console/review")


def figures(window: Visit, court: RunningCourt) -> None:
    """Charts with their tables."""
    window.go("/console/figures")


def agencies(window: Visit, court: RunningCourt) -> None:
    """The state of agencies."""
    window.go("/administration/agencies")


def _ask(page: Page, window: Visit, number: str) -> None:
    window.go(f"/work-orders/{number}")
    page.click("#look-up")
    page.wait_for_selector("#answer-title[data-address]")


def both(
    name: str, user: str, to: Callable[[Visit, RunningCourt], None], height: int = LARGE["height"]
) -> Iterator[Picture]:
    """The same picture for the Chinese and for the English document."""
    yield Picture(name=f"{name}.zh-CN", user=user, to=to, language="zh-CN", height=height)
    yield Picture(name=name, user=user, to=to, height=height)


ALL = (
    *both("clerk-work-orders", "li.ting", orders),
    *both("clerk-answer", "li.ting", answer, height=1300),
    *both("clerk-record", "li.ting", record, height=1300),
    *both("console-events", "chen.jing", events),
    *both("console-record", "chen.jing", one_record, height=1300),
    *both("console-review", "chen.jing", review, height=900),
    *both("console-figures", "chen.jing", figures, height=1000),
    *both("administration-agencies", "admin", agencies),
    Picture(name="clerk-answer-dark", user="li.ting", to=company, language="zh-CN", dark=True, height=1000),
)


@contextmanager
def demo() -> Iterator[RunningCourt]:
    """A court with a clerk's usual work."""
    with tempfile.TemporaryDirectory() as folder, tour.court(Path(folder) / "hub", deadline=3.0) as demo:
        court = RunningCourt(demo=demo, cast=world.cast(), numbers=itertools.count(1874))
        for name, kind in (("renamed", "hearing-notice"), ("company_abnormal", "judgment-service")):
            court.dispatch(court.cast[name], kind=kind)
        yield court


def main() -> None:
    """Takes every picture anew."""
    PICTURES.mkdir(exist_ok=True)
    with demo() as court, chromium() as browser:
        for picture in ALL:
            options = {"locale": picture.language, "color_scheme": "dark" if picture.dark else "light"}
            size = LARGE | {"height": picture.height}
            with visit(browser, court.demo.address, viewport=size, **options) as window:
                window.sign_in(picture.user)
                picture.to(window, court)
                window.page.screenshot(path=PICTURES / f"{picture.name}.png", animations="disabled")
                print(f"{picture.name}.png")  # noqa: T201 - a program


if __name__ == "__main__":
    main()
