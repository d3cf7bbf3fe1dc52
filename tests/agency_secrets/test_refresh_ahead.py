"""
Renewal ahead of time: what is in use is renewed before its margin, by one hub, and the others hear of it.
"""

import asyncio
from collections.abc import Callable

import pytest

from adapters.errors import AgencyUnreachable
from gateway.agency_secrets import SharedSecretStore
from tests.agency_secrets.conftest import KEY, MARGIN, Hands, SharedDatabase, until

pytestmark = pytest.mark.anyio


async def eventually(holds: Callable[[], bool]) -> None:
    """Waits until something holds; what it waits for happens on other connections."""
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - nothing of the hub's says when
            await asyncio.sleep(0.005)


def text(hub: SharedSecretStore) -> str | None:
    """The secret that a hub holds, without using it."""
    ring = hub._entries[KEY].pair
    return ring.secret.text if ring else None


async def test_a_secret_in_use_is_renewed_before_any_question_waits_for_it(
    shared: SharedDatabase, hands: Hands
) -> None:
    """Both hubs wake within the two minutes before the margin; the agency counts one refresh."""
    hubs = [shared.hub(hands) for _ in range(2)]
    for hub in hubs:
        await hub.renew(KEY, None, until())
        hub.current(KEY)
        hub.current(KEY)
    await asyncio.sleep(0)
    hands.forward(730)
    shared.age(730)
    naps = [nap for nap in shared.naps.wake() if nap > 100]
    await eventually(lambda: [text(hub) for hub in hubs] == ["secret-2", "secret-2"])

    assert all(900 - MARGIN - 120 <= nap <= 900 - MARGIN - 60 for nap in naps)
    assert (len(naps), shared.agency.given) == (2, [None, "secret-1"])
    assert all(ring and ring.secret.lives(hands.clock, margin=MARGIN) for ring in (hub.current(KEY) for hub in hubs))


async def test_an_unused_secret_expires_without_renewal(shared: SharedDatabase, hands: Hands) -> None:
    """One question long ago is no reason to call an agency all night."""
    hub = shared.hub(hands)
    await hub.renew(KEY, None, until())
    hub.current(KEY)
    await asyncio.sleep(0)
    hands.forward(730)
    shared.naps.wake()
    await eventually(lambda: not hub._refresh_ahead._waiting)

    assert shared.agency.issued == ["secret-1"]


async def test_a_failed_refresh_ahead_is_retried_while_the_secret_is_valid(
    shared: SharedDatabase, hands: Hands
) -> None:
    """And no question learns of it."""
    hub = shared.hub(hands)
    await hub.renew(KEY, None, until())
    for _ in range(2):
        hub.current(KEY)
    await asyncio.sleep(0)
    shared.agency.fails = AgencyUnreachable(sent=False)
    hands.forward(730)
    shared.naps.wake()
    await eventually(lambda: len(shared.agency.given) == 2 and bool(shared.naps._asleep))
    shared.agency.fails = None
    shared.naps.wake()
    await eventually(lambda: text(hub) == "secret-2")

    assert len(shared.agency.given) == 3


async def test_a_failing_refresh_ahead_stops_when_the_secret_expires(shared: SharedDatabase, hands: Hands) -> None:
    """Then the questions' own renewals tell."""
    hub = shared.hub(hands)
    await hub.renew(KEY, None, until())
    for _ in range(2):
        hub.current(KEY)
    await asyncio.sleep(0)
    shared.agency.fails = AgencyUnreachable(sent=False)
    hands.forward(1000)
    shared.naps.wake()
    await eventually(lambda: not hub._refresh_ahead._waiting)

    assert len(shared.agency.given) == 2


async def test_another_hubs_renewal_is_loaded_before_the_old_secret_is_refused(
    shared: SharedDatabase, hands: Hands
) -> None:
    """It is told as soon as it is written."""
    first, other = shared.hub(hands), shared.hub(hands)
    old = await first.renew(KEY, None, until())
    await other.renew(KEY, None, until())
    await other._listener.ready()

    await first.renew(KEY, old, until(), anew=True)
    await eventually(lambda: text(other) == "secret-2")

    assert shared.agency.issued == ["secret-1", "secret-2"]


async def test_a_listener_that_loses_its_connection_reconnects(shared: SharedDatabase, hands: Hands) -> None:
    """Its connection was cut; what is renewed after that is heard."""
    first, other = shared.hub(hands), shared.hub(hands)
    old = await first.renew(KEY, None, until())
    await other.renew(KEY, None, until())
    await other._listener.ready()
    shared.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")
    await eventually(lambda: not other._listener._ready.is_set() and bool(shared.naps._asleep))
    shared.naps.wake()
    await other._listener.ready()

    await first.renew(KEY, old, until(), anew=True)
    await eventually(lambda: text(other) == "secret-2")
