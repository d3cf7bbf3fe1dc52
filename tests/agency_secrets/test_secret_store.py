"""
One refresh per key over all hubs: who has the turn fetches, the others read; nothing that dies or hangs stops them.
"""

import asyncio

import pytest

from adapters.errors import AgencyTimeout, AgencyUnavailable, AgencyUnreachable, CredentialsRejected
from gateway.field_encryption import FieldEncryption
from schemas.codes import Reason
from tests.agency_secrets.conftest import KEY, MARGIN, Hands, SharedDatabase, until

pytestmark = pytest.mark.anyio


async def test_questions_at_three_hubs_cause_one_refresh(shared: SharedDatabase, hands: Hands) -> None:
    """Sixty at once, over three hubs, before the first secret and after its end."""
    hubs = [shared.hub(hands) for _ in range(3)]
    first = await asyncio.gather(*(hub.renew(KEY, None, until()) for hub in hubs for _ in range(20)))
    hands.forward(900)
    shared.age(900)
    seen = [hub.current(KEY) for hub in hubs]
    second = await asyncio.gather(
        *(hub.renew(KEY, ring, until()) for hub, ring in zip(hubs, seen, strict=True) for _ in range(20))
    )

    assert {ring.secret.text for ring in first} == {"secret-1"}
    assert {ring.secret.text for ring in second} == {"secret-2"}
    assert shared.agency.given == [None, "secret-1"]


async def test_a_starting_hub_reads_the_shared_secret(shared: SharedDatabase, hands: Hands) -> None:
    """With the time that the database says has passed."""
    await shared.hub(hands).renew(KEY, None, until())
    shared.age(300)

    ring = await shared.hub(hands).renew(KEY, None, until())

    assert (ring.secret.text, shared.agency.issued) == ("secret-1", ["secret-1"])
    assert ring.secret.due - hands.monotonic == pytest.approx(600, abs=5)
    assert ring.refresh is not None
    assert ring.refresh.due - hands.monotonic == pytest.approx(172_500, abs=5)


@pytest.mark.parametrize("skew", [-36_000.0, 36_000.0])
async def test_hubs_whose_clocks_disagree_do_not_take_the_secret_from_each_other(
    shared: SharedDatabase, skew: float
) -> None:
    """Ten hours apart, and the ring lives equally long on both."""
    true, wrong = Hands(), Hands(skew)
    first, other = shared.hub(true), shared.hub(wrong)
    await first.renew(KEY, None, until())

    ring = await other.renew(KEY, None, until())

    assert shared.agency.issued == ["secret-1"]
    assert ring.secret.lives(wrong.clock, margin=MARGIN)
    wrong.forward(900)
    assert not ring.secret.lives(wrong.clock, margin=0)


async def test_a_secret_that_another_hub_replaced_is_read_and_not_fetched(shared: SharedDatabase, hands: Hands) -> None:
    """After a refusal of the old one the shared row is looked at first."""
    first, other = shared.hub(hands), shared.hub(hands)
    old = await first.renew(KEY, None, until())
    seen = await other.renew(KEY, None, until())
    await first.renew(KEY, old, until(), anew=True)

    ring = await other.renew(KEY, seen, until(), anew=True)

    assert (ring.secret.text, shared.agency.issued) == ("secret-2", ["secret-1", "secret-2"])


async def test_a_secret_replaced_by_another_program_is_fetched_again(shared: SharedDatabase, hands: Hands) -> None:
    """The row is no newer than what was refused, and its refresh secret is dead as well."""
    hub = shared.hub(hands)
    old = await hub.renew(KEY, None, until())

    ring = await hub.renew(KEY, old, until(), anew=True)

    assert (ring.secret.text, shared.agency.given) == ("secret-2", [None, None])


async def test_a_hub_that_dies_while_renewing_delays_the_others_until_its_turn_ends(
    shared: SharedDatabase, hands: Hands
) -> None:
    """Nobody goes on while the turn is its; then the next one fetches."""
    shared.sql(
        "INSERT INTO agency_secret (key, number, turn, turn_ends_at) "
        f"VALUES ('{KEY}', 0, gen_random_uuid(), clock_timestamp() + interval '1 hour')"
    )
    hub = shared.hub(hands)
    waiting = asyncio.create_task(hub.renew(KEY, None, until()))
    with pytest.raises(AgencyTimeout):
        await hub.renew(KEY, None, until(0.1))
    assert shared.agency.given == []

    shared.sql("UPDATE agency_secret SET turn_ends_at = clock_timestamp()")

    assert (await waiting).secret.text == "secret-1"


async def test_a_hub_that_lost_its_turn_does_not_overwrite_the_next_secret(
    shared: SharedDatabase, hands: Hands
) -> None:
    """It was so slow that another has fetched: the later ring stands, and the slow hub finds it."""
    slow, other = shared.hub(hands), shared.hub(hands)
    shared.agency.holds = asyncio.Event()
    late = asyncio.create_task(slow.renew(KEY, None, until()))
    await shared.agency.began.wait()
    hold, shared.agency.holds = shared.agency.holds, None
    shared.sql("UPDATE agency_secret SET turn_ends_at = clock_timestamp()")
    await other.renew(KEY, None, until())
    hold.set()

    ring = await late
    assert [number for (number,) in shared.sql("SELECT number FROM agency_secret")] == [1]
    assert (await slow.renew(KEY, ring, until())).secret.text == "secret-1"
    assert len(shared.agency.issued) == 2


async def test_a_renewal_finishes_without_waiting_callers(shared: SharedDatabase, hands: Hands) -> None:
    """A clerk who has gone, or a deadline that has passed, does not lose what the agency hands out."""
    hub = shared.hub(hands)
    shared.agency.holds = asyncio.Event()
    gone = asyncio.create_task(hub.renew(KEY, None, until()))
    await shared.agency.began.wait()
    gone.cancel()
    with pytest.raises(AgencyTimeout):
        await hub.renew(KEY, None, until(-1))
    shared.agency.holds.set()

    ring = await hub.renew(KEY, None, until())

    assert (ring.secret.text, len(shared.agency.given)) == ("secret-1", 1)


@pytest.mark.parametrize("error", [AgencyUnreachable(sent=True), CredentialsRejected()])
async def test_a_failed_refresh_ends_its_turn_at_once(shared: SharedDatabase, hands: Hands, error: Exception) -> None:
    """All who waited hear why, one call was made, and the next one to ask tries again."""
    first, other = shared.hub(hands), shared.hub(hands)
    shared.agency.fails = error
    outcomes = await asyncio.gather(*(first.renew(KEY, None, until()) for _ in range(5)), return_exceptions=True)
    assert (outcomes, len(shared.agency.given)) == ([error] * 5, 1)
    shared.agency.fails = None

    assert (await other.renew(KEY, None, until())).secret.text == "secret-1"


async def test_without_the_database_a_valid_secret_serves_and_a_renewal_fails_with_a_reason(
    shared: SharedDatabase, hands: Hands
) -> None:
    """And once it is back, so are the secrets."""
    hub = shared.hub(hands, timeout=0.5)
    ring = await hub.renew(KEY, None, until())
    with shared.without_database():
        pair = hub.current(KEY)
        hands.forward(900)
        with pytest.raises(AgencyUnavailable) as caught:
            await hub.renew(KEY, pair, until())

    assert pair == ring
    assert (caught.value.reason, caught.value.__cause__, caught.value.__context__) == (Reason.NO_SECRET, None, None)
    assert len(shared.agency.given) == 1
    shared.age(900)
    assert (await hub.renew(KEY, pair, until())).secret.text == "secret-2"


async def test_the_database_holds_no_secret_in_clear_and_no_row_can_be_replayed(
    shared: SharedDatabase, hands: Hands
) -> None:
    """Who writes to the table can neither read a secret nor pass an older ring off as the newest."""
    hub = shared.hub(hands)
    old = await hub.renew(KEY, None, until())
    sealed = shared.sql("SELECT encode(sealed, 'hex') FROM agency_secret")[0][0]
    await hub.renew(KEY, old, until(), anew=True)
    shared.sql(f"UPDATE agency_secret SET sealed = decode('{sealed}', 'hex')")

    ring = await shared.hub(hands).renew(KEY, None, until())

    assert b"secret" not in bytes.fromhex(sealed)
    assert (ring.secret.text, shared.agency.given[-1]) == ("secret-3", None)


async def test_a_hub_with_another_encryption_key_fetches_its_own_secret(shared: SharedDatabase, hands: Hands) -> None:
    """It cannot open the row, and says nothing of what it found."""
    await shared.hub(hands).renew(KEY, None, until())

    ring = await shared.hub(hands, encryption=FieldEncryption(bytes(32))).renew(KEY, None, until())

    assert ring.secret.text == "secret-2"
