"""
The view of a result: flags first, then the addresses in the order of the law, then a card for each agency.
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

# Flags that stop or change the way of service stand before everything else.
GRAVE = frozenset({Effect.STOP, Effect.WITHHOLD, Effect.TELL_JUDGE})


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressView:
    """
    One address: `place` counts from 1, `text` is the address itself, `facts` are its other fields.
    """

    place: int
    text: Fact
    facts: tuple[Fact, ...]
    address: Any = field(repr=False)
    used: UsedAddress | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagView:
    """A service flag with its sources, and the sources that state otherwise."""

    flag: ServiceFlag
    grave: bool
    sources: tuple[FactSource, ...]
    disputed_by: tuple[FactSource, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultView:
    """
    The whole view.  `missing` are agencies that did not answer, `disputed` the fields of which sources disagree.
    """

    result: LookupResult = field(repr=False)
    switches: tuple[FlagView, ...]
    addresses: tuple[AddressView, ...]
    cards: tuple[Card, ...]
    missing: tuple[Words, ...]
    disputed: tuple[Words, ...]
    withheld_addresses: tuple[Words, ...]


def result_view(cards: Cards, result: LookupResult, used: UsedAddress | None = None) -> ResultView:
    """The view of a released result."""
    questions = [(answer.agency, answer.capability) for answer in result.answers]
    built = cards.build(questions, [result])
    return ResultView(
        result=result,
        switches=tuple(
            FlagView(
                flag=flag,
                grave=flag.effect in GRAVE,
                sources=cards.sources(result, flag.sources),
                disputed_by=cards.sources(result, flag.disputed_by),
            )
            for flag in result.switches
        ),
        addresses=tuple(_addresses(cards, result, used)),
        cards=built,
        missing=tuple(
            card.name
            for card in built
            if any(question.answer and question.answer.state is AnswerState.UNAVAILABLE for question in card.questions)
        ),
        disputed=tuple(dict.fromkeys(fact.name for card in built for fact in card.facts if fact.others)),
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
