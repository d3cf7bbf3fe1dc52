"""
Benchmark of the clerk's page: delay of the first card after the fastest agency's answer, and size of the page.

One reader asks again and again in a demo court; agencies, hub and reader share the machine.
"""

import gzip
import itertools
import re
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
from bs4 import BeautifulSoup

from gateway.demo import tour, world
from gateway.web.assets import ASSETS
from tests.court import RunningCourt
from tests.web.reader import Reader

LOOKUPS: Final = 20
LOADED: Final = ("shuniu.css", "shuniu.js", "vendor/htmx.org-4.0.1/htmx.min.js", "vendor/htmx.org-4.0.1/hx-sse.min.js")


def main() -> None:
    """Prints one line for each figure."""
    with (
        tempfile.TemporaryDirectory() as folder,
        tour.court(Path(folder) / "hub", deadline=3.0) as demo,
    ):
        court = RunningCourt(demo=demo, cast=world.cast(), numbers=itertools.count(1))
        clerk = Reader(court, "li.ting", language="en")
        after = [_first_card(clerk, court) for _ in range(LOOKUPS)]
        page = clerk.get(f"/work-orders/{court.dispatch(court.cast['moved'])}").content
        clerk.close()
    files = sum(len(ASSETS[name].packed) for name in LOADED)
    print(
        f"first card sent after the fastest agency's answer: median {statistics.median(after):.0f} ms, "
        f"highest of {LOOKUPS} {max(after):.0f} ms (goal: 100 ms)"
    )
    print(f"weight of the lookup page: {(files + len(gzip.compress(page))) / 1000:.1f} kB compressed (goal: 150 kB)")


def _first_card(clerk: Reader, court: RunningCourt) -> float:
    """Milliseconds between the fastest agency's answer and its card."""
    number = court.dispatch(court.cast["moved"])
    page = BeautifulSoup(clerk.get(f"/work-orders/{number}").text, "lxml")
    token = page.select_one("form#ask input[name=csrf_token]")
    if token is None:
        raise RuntimeError("the page has no form")
    data = {"csrf_token": str(token["value"]), "party": "1", "version": "1"}
    data |= {"want": ["identity", "addresses", "registrations"]}  # type: ignore[dict-item]
    headers = {"HX-Request": "true", "Accept": "text/html, text/event-stream", "Origin": court.demo.address}
    times: list[float] = []
    text = ""
    begun = time.perf_counter()
    with clerk.client.stream("POST", f"/work-orders/{number}/lookups", data=data, headers=headers) as answer:
        for piece in _pieces(answer):
            times.append(time.perf_counter() - begun)
            text = piece
    fastest = min(int(ms) for ms in re.findall(r"(\d+) ms", text))
    # The questions go out right after the first piece, which lays the cards out.
    return (times[1] - times[0]) * 1000 - fastest


def _pieces(answer: httpx.Response) -> Iterator[str]:
    buffer = ""
    for chunk in answer.iter_text():
        buffer += chunk
        while "\n\n" in buffer:
            piece, _, buffer = buffer.partition("\n\n")
            yield piece


if __name__ == "__main__":
    main()
