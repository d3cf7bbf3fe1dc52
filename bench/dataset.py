"""
The data set of the benchmarks: synthetic persons of the demo's population, and work orders that name them.
"""

from collections.abc import Sequence
from typing import Any, Final

from bench.handwritten_upstreams import OFFICIAL
from mock_agencies.population import Population, SyntheticPerson

COURT: Final = "浙0802"
CLERK: Final = "li.ting"
TICKETS: Final = "ticket-system"
PARTIES_OF_ONE: Final = 5
WANT: Final = ["identity", "addresses", "registrations"]

# Behind the cast, whose members are special; a step apart, so that they differ in age and place.
FIRST: Final = 1_000
STEP: Final = 41


def parties(work_orders: int) -> list[SyntheticPerson]:
    """Living persons, enough for so many work orders."""
    population = Population()
    people: list[SyntheticPerson] = []
    index = FIRST
    while len(people) < work_orders * PARTIES_OF_ONE:
        person = population.person(index)
        if not person.deceased and not person.names_at and not person.numbers_at:
            people.append(person)
        index += STEP
    return people


def work_orders(people: Sequence[SyntheticPerson]) -> dict[str, dict[str, Any]]:
    """The statements of the ticket system, by work order."""
    return {
        work_order_of(start): {
            "version": 1,
            "status": "dispatched",
            "kind": "service-of-process",
            "court": COURT,
            "case_number": f"（2026）{COURT}民初{start // PARTIES_OF_ONE + 1}号",
            "holder": {"user": CLERK, **OFFICIAL},
            "parties": [_party(person) for person in people[start : start + PARTIES_OF_ONE]],
        }
        for start in range(0, len(people), PARTIES_OF_ONE)
    }


def questions(people: Sequence[SyntheticPerson], *, under_work_orders: bool) -> list[dict[str, Any]]:
    """One question about each person, as the hub takes it or as the hand-written gateway does."""
    return [
        {"body": _hub_question(position, person) if under_work_orders else _plain(person), "expected": person.id_number}
        for position, person in enumerate(people)
    ]


def work_order_of(position: int) -> str:
    """The work order of the person at this position."""
    return f"B-{position // PARTIES_OF_ONE:05d}"


def _hub_question(position: int, person: SyntheticPerson) -> dict[str, Any]:
    subject = {"kind": "person", "id_type": "resident_id", "id_number": person.id_number}
    return {"work_order": work_order_of(position), "subject": subject, "want": WANT}


def _plain(person: SyntheticPerson) -> dict[str, Any]:
    return {"subject": {"id_number": person.id_number, "name": person.name}}


def _party(person: SyntheticPerson) -> dict[str, Any]:
    return {
        "role": "defendant",
        "kind": "person",
        "id_type": "resident_id",
        "id_number": person.id_number,
        "name": person.name,
    }
