"""
Short ways to order forms in a running court.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from tests.court import Party, RunningCourt, start_court

ENDS = ("filled", "delivered", "cancelled", "dead_lettered")


@dataclass(frozen=True, slots=True)
class Forms:
    """A ticket system that asks for forms."""

    court: RunningCourt
    token: str = field(repr=False)

    def ask(self, number: str, *, key: str | None = None, client: str = "ticket-system", **more: Any) -> httpx.Response:
        """Asks for the form of a work order."""
        headers = {"Authorization": f"Bearer {self.court.token(client=client)}"}
        headers |= {} if key is None else {"Idempotency-Key": key}
        address = f"{self.court.demo.address}/v1/autofill"
        body = {"work_order": number} | more
        return httpx.post(address, json=body, headers=headers, timeout=30, trust_env=False)

    def see(self, name: str, **who: str) -> dict[str, Any]:
        """A request as it stands."""
        token = self.court.token(**who) if who else self.token
        answer = self.court.demo.call(token, "GET", f"/v1/autofill/{name}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def dispatched(self, *parties: Party, **changes: Any) -> tuple[str, str]:
        """States a work order and asks for its form: its number, and the id of the request."""
        number = self.court.dispatch(*parties, **changes)
        answer = self.ask(number)
        assert answer.status_code == 202, answer.text
        return number, answer.json()["id"]

    def until(self, name: str, true: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The request as soon as something is true of it."""
        for _ in range(400):
            found = self.see(name)
            if true(found):
                return found
            time.sleep(0.1)
        raise AssertionError(found)

    def ended(self, name: str) -> dict[str, Any]:
        """The request at its end."""
        return self.until(name, lambda found: found["state"] in ENDS)


@pytest.fixture(scope="session")
def court(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCourt]:
    """
    A court of these tests' own: agencies fail here so often that their breakers open, which others must not find.
    Their rests are short, as the pauses of the forms are.
    """
    rests = "open_for = 0.5\nlongest = 2.0\n"
    with start_court(tmp_path_factory.mktemp("forms"), breakers=rests, autofill_pause=0.2) as court:
        yield court


@pytest.fixture
def forms(court: RunningCourt) -> Forms:
    """The court's forms."""
    return Forms(court, court.token(client="ticket-system"))


def fields(found: dict[str, Any], party: int = 1) -> dict[str, dict[str, Any]]:
    """The fields of one party by their names."""
    (form,) = (one for one in found["result"]["parties"] if one["party"] == party)
    return {one["name"]: one for one in form["fields"]}
