"""
One delivery, from the outbox to its end: same id, same bytes, over hours, and exactly one ending.
"""

import json
import threading
from datetime import timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from gateway.callbacks.delivery_admin import DeliveryFilter
from gateway.callbacks.states import DeliveryState, Failure, ReceiverState
from tests.callbacks.fakes import ADMIN, ADMINISTRATOR, CLIENT, COURT, START, CallbackService
from tests.callbacks.receiver import Receiver

pytestmark = pytest.mark.anyio


async def test_a_delivery_is_a_signed_cloud_event(callbacks: CallbackService, tickets: Receiver) -> None:
    """Its envelope is CloudEvents 1.0, its id that of the header, and the public verifier accepts the signature."""
    callbacks.clock.now = START.now(START.tzinfo)
    secret = await callbacks.register("forms", tickets.url)
    await callbacks.enter("a-1", fields={"住所地": "示例路1号"})

    assert await callbacks.sent() == 1

    (call,) = tickets.calls
    assert Webhook(secret).verify(call.body, call.headers) == {
        "specversion": "1.0",
        "id": call.id,
        "source": "/courts/%E6%B5%990802",
        "type": "cn.shuniu.autofill.finished.v1",
        "subject": "a-1",
        "time": callbacks.clock.now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "data": {"fields": {"住所地": "示例路1号"}},
    }
    assert (call.path, call.headers["content-type"]) == ("/hooks", "application/cloudevents+json; charset=utf-8")
    assert await callbacks.states() == {"a-1": ("delivered", None)}
    assert callbacks.forms.endings == [("a-1", DeliveryState.DELIVERED, None)]
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(call.body.replace("1号".encode(), "2号".encode()), call.headers)


async def test_every_attempt_has_the_same_id_and_the_same_bytes(callbacks: CallbackService, tickets: Receiver) -> None:
    """A receiver that fails three times is asked a fourth time, later and later."""
    await callbacks.register("forms", tickets.url)
    tickets.answers = [(500, {}), (502, {}), (429, {})]
    await callbacks.enter("a-1")

    waits = []
    while (await callbacks.states())["a-1"][0] == "waiting":
        await callbacks.sent()
        due = (await callbacks.delivery("autofill-a-1")).due_at
        waits.append(due - callbacks.clock.now)
        callbacks.clock.now = max(due, callbacks.clock.now)

    assert len(tickets.calls) == 4
    assert {(call.id, call.body) for call in tickets.calls} == {("autofill-a-1", tickets.calls[0].body)}
    for wait, longest in zip(waits, (5, 30, 120), strict=False):
        assert timedelta(seconds=1) <= wait <= timedelta(seconds=longest)
    assert [ending[1] for ending in callbacks.forms.endings] == [DeliveryState.DELIVERED]


async def test_retry_after_is_obeyed(callbacks: CallbackService, tickets: Receiver) -> None:
    """Nothing is sent before the receiver wants it."""
    await callbacks.register("forms", tickets.url)
    tickets.answers = [(503, {"Retry-After": "600"})]
    await callbacks.enter("a-1")
    await callbacks.sent()

    callbacks.clock.advance(seconds=599)
    assert await callbacks.sent() == 0

    callbacks.clock.now = (await callbacks.delivery("autofill-a-1")).due_at
    assert await callbacks.sent() == 1
    assert await callbacks.states() == {"a-1": ("delivered", None)}


async def test_a_redirect_is_not_followed(callbacks: CallbackService, tickets: Receiver) -> None:
    """Whoever is redirected to gets nothing; the attempt has failed."""
    await callbacks.register("forms", tickets.url)
    tickets.answers = [(307, {"Location": tickets.url.replace("/hooks", "/elsewhere")})]
    await callbacks.enter("a-1")

    await callbacks.sent()

    assert [call.path for call in tickets.calls] == ["/hooks"]
    assert await callbacks.states() == {"a-1": ("waiting", Failure.REDIRECTED.value)}


async def test_who_is_gone_is_paused_and_told_nothing_more(callbacks: CallbackService, tickets: Receiver) -> None:
    """410 ends the delivery and pauses its receiver; an administrator resumes it."""
    await callbacks.register("forms", tickets.url)
    tickets.answers = [(410, {})]
    await callbacks.enter("a-1")
    await callbacks.sent()
    await callbacks.enter("a-2")

    assert await callbacks.sent() == 0

    assert await callbacks.states() == {"a-1": ("dead_lettered", "gone"), "a-2": ("waiting", None)}
    assert (await callbacks.receiver("forms")).state is ReceiverState.GONE
    await callbacks.callbacks.receivers.set_state(ADMINISTRATOR, ADMIN, ReceiverState.ACTIVE, client=CLIENT)
    assert await callbacks.sent() == 1


async def test_the_deadline_makes_a_dead_letter_with_its_reason(callbacks: CallbackService, tickets: Receiver) -> None:
    """The last attempt is made shortly before; then it is given up, and its deliverable is told once."""
    await callbacks.register("forms", tickets.url)
    tickets.answers = [(500, {})] * 1000
    await callbacks.enter("a-1", hours=3)

    while (await callbacks.states())["a-1"][0] == "waiting":
        callbacks.clock.now = max((await callbacks.delivery("autofill-a-1")).due_at, callbacks.clock.now)
        await callbacks.sent()

    seen = await callbacks.delivery("autofill-a-1")
    assert (seen.state, seen.reason) == (DeliveryState.DEAD_LETTERED, "failed")
    assert seen.ended_at is not None
    assert timedelta(0) < seen.deadline - seen.ended_at <= timedelta(seconds=6)
    assert callbacks.forms.endings == [("a-1", DeliveryState.DEAD_LETTERED, "failed")]


async def test_what_waits_for_a_paused_receiver_is_given_up_at_its_deadline(
    callbacks: CallbackService, tickets: Receiver
) -> None:
    """A pause loses nothing silently."""
    await callbacks.register("forms", tickets.url)
    await callbacks.callbacks.receivers.set_state(ADMINISTRATOR, ADMIN, ReceiverState.PAUSED, client=CLIENT)
    await callbacks.enter("a-1", hours=1)
    await callbacks.sent()
    callbacks.clock.advance(hours=1)
    await callbacks.sent()

    assert tickets.calls == []
    assert callbacks.forms.endings == [("a-1", DeliveryState.DEAD_LETTERED, "overdue")]


async def test_nothing_is_sent_once_the_right_has_ended(callbacks: CallbackService, tickets: Receiver) -> None:
    """The receiver sees a connection at most: not a byte of a request."""
    await callbacks.register("forms", tickets.url)
    await callbacks.enter("a-1")
    callbacks.forms.stopped["a-1"] = "closed"

    await callbacks.sent()

    assert tickets.calls == []
    assert await callbacks.states() == {"a-1": ("cancelled", "closed")}


async def test_the_right_is_held_until_the_ending_is_written_down(
    callbacks: CallbackService, tickets: Receiver
) -> None:
    """While the receiver reads, nobody can end the right; when that is over, the delivery has ended too."""
    await callbacks.register("forms", tickets.url)
    held: list[bool] = []
    tickets.before = lambda _call: held.append(callbacks.forms.rights[-1].valid)
    await callbacks.enter("a-1")

    await callbacks.sent()

    assert held == [True]
    assert callbacks.forms.rights[0].released >= 1


async def test_what_is_withdrawn_is_not_sent(callbacks: CallbackService, tickets: Receiver) -> None:
    """A closing withdraws in its own transaction what is not on its way yet."""
    await callbacks.register("forms", tickets.url)
    await callbacks.enter("a-1")
    await callbacks.enter("a-2")

    on_its_way = await callbacks.database.run(
        lambda connection: callbacks.callbacks.outbox.cancel(connection, court=COURT, subjects=["a-1"], at=START)
    )

    assert on_its_way == []
    assert await callbacks.sent() == 1
    assert await callbacks.states() == {"a-1": ("cancelled", "withdrawn"), "a-2": ("delivered", None)}


async def test_what_is_on_its_way_when_it_is_withdrawn_ends_as_its_receiver_says(
    callbacks: CallbackService, tickets: Receiver
) -> None:
    """Whoever withdraws is told that one is on its way, and hears of its ending from the sender alone."""
    await callbacks.register("forms", tickets.url)
    await callbacks.enter("a-1")
    await callbacks.callbacks.sender.once()

    on_its_way = await callbacks.database.run(
        lambda connection: callbacks.callbacks.outbox.cancel(connection, court=COURT, subjects=["a-1"], at=START)
    )
    await callbacks.callbacks.sender.settled()

    assert on_its_way in ([], ["a-1"])
    assert callbacks.forms.endings == [("a-1", DeliveryState.DELIVERED, None)]
    assert await callbacks.states() == {"a-1": ("delivered", None)}


async def test_under_one_id_the_first_content_stands(callbacks: CallbackService, tickets: Receiver) -> None:
    """Whoever enters twice changes nothing."""
    await callbacks.register("forms", tickets.url)
    await callbacks.enter("a-1", n=1)
    await callbacks.enter("a-1", n=2)

    await callbacks.sent()

    assert [json.loads(call.body)["data"] for call in tickets.calls] == [{"n": 1}]


async def test_the_body_is_kept_sealed_and_no_longer_than_needed(callbacks: CallbackService, tickets: Receiver) -> None:
    """In the database there is nothing to read, and after the delivery nothing at all."""
    await callbacks.register("forms", tickets.url)
    await callbacks.enter("a-1", name="某某某")

    ((sealed,),) = callbacks.query("SELECT sealed FROM callback_delivery")
    assert "某某某".encode() not in bytes(sealed)
    await callbacks.sent()

    assert callbacks.query("SELECT length(sealed) FROM callback_delivery") == [(0,)]


async def test_a_slow_receiver_holds_up_itself_alone(callbacks: CallbackService, tickets: Receiver) -> None:
    """However much waits for one, at most eight are under way to it; the other's goes through at once."""
    await callbacks.register("slow", tickets.url)
    await callbacks.register("forms", tickets.url + "/other")
    for number in range(20):
        await callbacks.enter(f"slow-{number}", receiver="slow")
    await callbacks.enter("a-1")

    assert await callbacks.callbacks.sender.once() == 9

    await callbacks.callbacks.sender.settled()
    assert {call.path for call in tickets.calls} == {"/hooks", "/hooks/other"}


async def test_a_claim_that_ran_out_is_followed_by_another_and_counts_no_more(
    callbacks: CallbackService, tickets: Receiver
) -> None:
    """Whoever claimed and died is followed; if it was alive after all, its word is too late."""
    from gateway.callbacks.claiming import claim, settle

    await callbacks.register("forms", tickets.url)
    await callbacks.enter("a-1")
    (stale,) = await callbacks.database.run(claim, callbacks.clock(), 10)
    assert await callbacks.sent() == 0
    callbacks.clock.advance(seconds=11)

    assert await callbacks.sent() == 1

    late = await callbacks.database.run(
        settle, stale.delivery, DeliveryState.CANCELLED, "late", callbacks.clock(), callbacks.callbacks.sender.ended
    )
    assert not late
    assert callbacks.forms.endings == [("a-1", DeliveryState.DELIVERED, None)]


async def test_who_is_still_at_it_keeps_its_claim(callbacks: CallbackService, tickets: Receiver) -> None:
    """A receiver that takes its time is not sent the same by somebody else meanwhile."""
    from gateway.callbacks.claiming import claim

    enough = threading.Event()
    tickets.before = lambda _call: enough.wait()
    await callbacks.register("forms", tickets.url)
    await callbacks.enter("a-1")
    await callbacks.callbacks.sender.once()
    callbacks.clock.advance(seconds=9)
    await callbacks.callbacks.sender.once()
    callbacks.clock.advance(seconds=9)
    claimed = await callbacks.database.run(claim, callbacks.clock(), 10)
    enough.set()
    await callbacks.callbacks.sender.settled()

    assert claimed == []
    assert await callbacks.states() == {"a-1": ("delivered", None)}


async def test_dead_letters_are_taken_up_again_by_choice(callbacks: CallbackService, tickets: Receiver) -> None:
    """By receiver, period and reason; the right is asked for anew, and an ended one is cancelled."""
    await callbacks.register("forms", tickets.url)
    tickets.answers = [(410, {})]
    await callbacks.enter("a-1")
    await callbacks.sent()
    await callbacks.callbacks.receivers.set_state(ADMINISTRATOR, ADMIN, ReceiverState.ACTIVE, client=CLIENT)
    choose = callbacks.callbacks.deliveries.resend
    other = DeliveryFilter(court=COURT, receiver="forms", reason="unreachable")
    callbacks.forms.stopped["a-1"] = "closed"

    assert (await choose(ADMINISTRATOR, ADMIN, other))[0] == []
    assert (await choose(ADMINISTRATOR, ADMIN, DeliveryFilter(court="浙0803")))[0] == []
    taken, _ = await choose(
        ADMINISTRATOR, ADMIN, DeliveryFilter(court=COURT, receiver="forms", reason="gone", since=START)
    )
    assert taken == ["autofill-a-1"]
    await callbacks.sent()

    assert len(tickets.calls) == 1
    assert await callbacks.states() == {"a-1": ("cancelled", "closed")}


async def test_a_removed_receiver_makes_dead_letters(callbacks: CallbackService, tickets: Receiver) -> None:
    """Nothing is sent to it, and nothing waits for ever."""
    await callbacks.register("forms", tickets.url)
    await callbacks.enter("a-1")
    await callbacks.callbacks.receivers.remove(ADMINISTRATOR, ADMIN, "forms")

    await callbacks.sent()

    assert tickets.calls == []
    assert callbacks.forms.endings == [("a-1", DeliveryState.DEAD_LETTERED, "receiver_removed")]
    assert callbacks.query("SELECT url, length(secrets) FROM callback_receiver") == [("", 0)]


async def test_a_rotated_secret_signs_beside_the_old_one_for_a_day(
    callbacks: CallbackService, tickets: Receiver
) -> None:
    """A receiver changes over when it likes within that day; after it the old one signs nothing."""
    callbacks.clock.now = START.now(START.tzinfo)
    old = await callbacks.register("forms", tickets.url)
    new = await callbacks.callbacks.receivers.rotate(ADMINISTRATOR, ADMIN, "forms")
    await callbacks.enter("a-1")
    await callbacks.sent()
    callbacks.clock.advance(hours=24)
    await callbacks.enter("a-2")
    await callbacks.sent()

    first, second = tickets.calls
    assert [len(call.headers["webhook-signature"].split()) for call in (first, second)] == [2, 1]
    for secret in (old, new):
        Webhook(secret).verify(first.body, first.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(old).verify(second.body, second.headers)


async def test_two_replicas_send_each_delivery_once(callbacks: CallbackService, tickets: Receiver) -> None:
    """Whoever looks at the same moment finds something else to do."""
    await callbacks.register("forms", tickets.url)
    for number in range(12):
        await callbacks.enter(f"a-{number}")

    from gateway.callbacks.claiming import claim

    first = await callbacks.database.run(claim, callbacks.clock(), 3)
    second = await callbacks.database.run(claim, callbacks.clock(), 3)
    third = await callbacks.database.run(claim, callbacks.clock(), 3)

    ids = [one.delivery.id for one in (*first, *second, *third)]
    assert len(ids) == len(set(ids)) == 8
