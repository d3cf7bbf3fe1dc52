"""
Any history of questions, time, strangers, restarts and deaths: a secret is fetched when it is needed, and only then.
"""

import asyncio
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.wire.secrets import CredentialPair
from gateway.database.embedded_server import EmbeddedServer
from gateway.field_encryption import FieldEncryption
from tests.agency_secrets.conftest import KEY, LIFE, MARGIN, Hands, SharedDatabase, until

HUBS: Final = 3
TRIES: Final = 3

STEPS = st.one_of(
    st.tuples(st.just("ask"), st.lists(st.integers(0, HUBS - 1), min_size=1, max_size=6)),
    st.tuples(st.just("time passes"), st.sampled_from([100, 300, 500, 900])),
    st.tuples(st.just("a stranger refreshes"), st.none()),
    st.tuples(st.just("a hub starts anew"), st.integers(0, HUBS - 1)),
    st.tuples(st.just("a hub died with the turn"), st.none()),
)


class Story:
    """Three hubs whose clocks are hours apart, one agency, and what a fetch was needed for."""

    def __init__(self, shared: SharedDatabase) -> None:
        self.house = shared
        self.clocks = [Hands(skew) for skew in (0.0, -7200.0, 36_000.0)]
        self.hubs = [shared.hub(hands) for hands in self.clocks]
        self.age: float | None = None  # of the agency's newest secret, where one of ours has it

    async def step(self, what: str, which: object) -> None:
        """One step; after the questions of an "ask" exactly as many fetches were made as were needed."""
        match what, which:
            case "ask", [*hubs]:
                needed = self.age is None or self.age > LIFE - MARGIN
                before = len(self.house.agency.given)
                accepted = await asyncio.gather(*(self.answered(int(hub)) for hub in hubs))
                assert all(accepted)
                assert len(self.house.agency.given) - before == needed
                self.age = 0 if needed else self.age
            case "time passes", int(seconds):
                for hands in self.clocks:
                    hands.forward(seconds)
                self.house.age(seconds)
                self.age = None if self.age is None else self.age + seconds
            case "a stranger refreshes", _:
                self.house.agency.issued.append(f"stranger-{len(self.house.agency.issued)}")
                self.age = None
            case "a hub starts anew", int(number):
                self.hubs[number] = self.house.hub(self.clocks[number])
            case _:
                self.house.sql(
                    "UPDATE agency_secret SET turn = gen_random_uuid(), "
                    "turn_ends_at = clock_timestamp() + interval '20 milliseconds'"
                )

    async def answered(self, number: int) -> bool:
        """Asks as a wire family does: the held secret, and after a refusal a newer one, three tries in all."""
        hub, clock = self.hubs[number], self.clocks[number].clock
        ring = hub.current(KEY)
        if ring is None or not ring.secret.lives(clock, margin=MARGIN):
            ring = await hub.renew(KEY, ring, until())
        for _ in range(TRIES - 1):
            if self.accepted(ring):
                return True
            ring = await hub.renew(KEY, ring, until(), anew=True)
        return self.accepted(ring)

    def accepted(self, ring: CredentialPair) -> bool:
        """Whether the agency takes this secret."""
        return ring.secret.text == self.house.agency.issued[-1]


@pytest.mark.anyio
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(steps=st.lists(STEPS, min_size=4, max_size=14))
async def test_a_secret_is_fetched_exactly_when_no_hub_has_one_that_serves(
    tables: EmbeddedServer, steps: list[tuple[str, object]]
) -> None:
    """Every question ends with a secret that the agency takes, whichever hub it came to."""
    shared = SharedDatabase(tables, FieldEncryption(bytes(32)))
    shared.sql("TRUNCATE agency_secret")
    story = Story(shared)
    try:
        for what, which in steps:
            await story.step(what, which)
    finally:
        await shared.aclose()
