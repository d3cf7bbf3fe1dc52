"""
The running system: real agencies, real sign-on, real PostgreSQL, the hub over HTTP.
"""

import itertools
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from gateway.demo import tour, world
from gateway.demo.tour import Court

Party = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningCourt:
    """A running court, its cast, and short ways to state work orders and to look up."""

    demo: Court
    cast: dict[str, Party]
    numbers: Iterator[int]

    def token(self, **who: str) -> str:
        """An access token of the court's sign-on server."""
        return self.demo.outside.token(**who)

    def call(self, method: str, path: str, body: Any = None, **who: str) -> httpx.Response:
        """A call as a person or a client (`user=` or `client=`)."""
        return self.demo.call(self.token(**who), method, path, body)

    def statement(self, *parties: Party, **changes: Any) -> dict[str, Any]:
        """A work order of the clerk li.ting that names these parties."""
        return tour.work_order(*parties) | changes

    def dispatch(self, *parties: Party, **changes: Any) -> str:
        """States a work order of a fresh number; returns the number."""
        number = f"T-{next(self.numbers)}"
        answer = self.call(
            "PUT", f"/v1/work-orders/{number}", self.statement(*parties, **changes), client="ticket-system"
        )
        assert answer.status_code == 200, answer.text
        return number

    def restate(self, number: str, *parties: Party, **changes: Any) -> httpx.Response:
        """States an existing work order anew."""
        return self.call(
            "PUT", f"/v1/work-orders/{number}", self.statement(*parties, **changes), client="ticket-system"
        )

    def look_up(self, number: str, party: Party, *, user: str = "li.ting", **changes: Any) -> httpx.Response:
        """Asks everything about a party."""
        return self.call("POST", "/v1/lookups", self.question(number, party) | changes, user=user)

    @staticmethod
    def question(number: str, party: Party) -> dict[str, Any]:
        """The body of a lookup."""
        return {"work_order": number, "subject": tour.subject(party), "want": list(tour.WANT)}

    def events(self, **filters: str) -> list[dict[str, Any]]:
        """The audit events as an auditor sees them, oldest first."""
        answer = self.call("GET", f"/v1/audit/events?{httpx.QueryParams(filters)}", user="chen.jing")
        assert answer.status_code == 200, answer.text
        return sorted(answer.json()["events"], key=lambda event: int(event["index"]))


@contextmanager
def start_court(folder: Path, *, breakers: str = "", **changes: Any) -> Iterator[RunningCourt]:
    """Starts a court of its own; `breakers` is each lookup's breaker in agencies.toml."""
    agencies = world.AGENCIES_TEMPLATE.read_text(encoding="utf-8")
    lookups = [
        f"{agency}.{name}"
        for agency, facts in tomllib.loads(agencies).items()
        for name, value in facts.items()
        if isinstance(value, dict)
    ]
    template = folder / "agencies.template.toml"
    template.write_text(
        "\n".join([agencies, *(f"[{lookup}.breaker]\n{breakers}" for lookup in lookups)]), encoding="utf-8"
    )
    with tour.court(folder / "hub", deadline=3.0, template=template, **changes) as demo:
        yield RunningCourt(demo=demo, cast=world.cast(), numbers=itertools.count(1))
