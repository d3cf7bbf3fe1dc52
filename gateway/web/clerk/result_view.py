"""
A whole answer as a page shows it: what must be known first, the addresses in the order of the law, a card per agency.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from gateway.lookup.history import UsedAddress
from gateway.web.clerk.cards import Card, Cards, Fact, FactSource, sourced_fields
from gateway.web.clerk.labels import Words, field_name
from schemas.codes import AnswerState, Want
from schemas.lookup import LookupResult
from schemas.service_flag import Effect, ServiceFlag

# What stops or changes the way of service is said before anything else.
GRAVE = frozenset({Effect.STOP, Effect.WITHHOLD, Effect.TELL_JUDGE})


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressView:
    """
    One address: `place` counts from 1, `text` is the address itself, `facts` what else is held about it.
    """

    place: int
    text: Fact
    facts: tuple[Fact, ...]
    address: Any = field(repr=False)
    used: UsedAddress | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagView:
    """A switch with who says so and who says otherwise."""

    switch: ServiceFlag
    grave: bool
    sources: tuple[FactSource, ...]
    disputed_by: tuple[FactSource, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultView:
    """
    The whole.  `missing` are the agencies that were not heard, `disputed` the fields of which sources disagree.
    """

    result: LookupResult = field(repr=False)
    switches: tuple[FlagView, ...]
    addresses: tuple[AddressView, ...]
    cards: tuple[Card, ...]
    missing: tuple[Words, ...]
    disputed: tuple[Words, ...]
    withheld_addresses: tuple[Words, ...]


def result_view(cards: Cards, result: LookupResult, used: UsedAddress | None = None) -> ResultView:
    """What a page shows of a released result."""
    asked = [(one.agency, one.capability) for one in result.answers]
    made = cards.build(asked, [result])
    return ResultView(
        result=result,
        switches=tuple(
            FlagView(
                switch=one,
                grave=one.effect in GRAVE,
                sources=cards.sources(result, one.sources),
                disputed_by=cards.sources(result, one.disputed_by),
            )
            for one in result.switches
        ),
        addresses=tuple(_addresses(cards, result, used)),
        cards=made,
        missing=tuple(
            card.name
            for card in made
            if any(one.answer and one.answer.state is AnswerState.UNAVAILABLE for one in card.questions)
        ),
        disputed=tuple(dict.fromkeys(fact.name for card in made for fact in card.facts if fact.others)),
        withheld_addresses=tuple(field_name(name) for name in result.withheld if name.startswith(f"{Want.ADDRESSES}.")),
    )


def _addresses(cards: Cards, result: LookupResult, used: UsedAddress | None) -> Iterator[AddressView]:
    for place, address in enumerate(result.addresses, start=1):
        facts = {key: cards.fact(result, key, value) for key, value in sourced_fields(Want.ADDRESSES, address)}
        yield AddressView(
            place=place,
            text=facts.pop(f"{Want.ADDRESSES}.text"),
            facts=tuple(facts.values()),
            address=address,
            used=used if used is not None and used.place == place else None,
        )
