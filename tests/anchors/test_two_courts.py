"""
Two courts cosign each other's logs over HTTP, and neither cosigns what contradicts what it has cosigned.
"""

from collections.abc import Callable

import pytest

from audit.anchor.anchors import AnchorKind, Anchors
from audit.anchor.witness import log_digest, make_request
from audit.anchor.witness_key import load_witness_key
from audit.format.checkpoint import Checkpoint, open_checkpoint
from audit.format.event import EventType
from audit.format.note import Signer
from audit.verify.cosign_policy import parse_policy
from tests.anchors.courts import Court, call, open_for_business

pytestmark = pytest.mark.anyio

Found = Callable[[str], Court]


@pytest.fixture
def courts(found: Found) -> tuple[Court, Court]:
    """Two courts, each the other's witness and neighbour."""
    east, west = found("east"), found("west")
    east.anchored_by(west.as_witness(), west.as_neighbour())
    west.anchored_by(east.as_witness(), east.as_neighbour())
    return east, west


def witness_url(court: Court) -> str:
    """Where a court cosigns."""
    return f"{court.address}/witness/add-checkpoint"


async def test_each_court_cosigns_the_others_growing_log(courts: tuple[Court, Court]) -> None:
    """Every turn with a proof from the last; kept as an anchor, recorded, and shown to whoever asks."""
    async with open_for_business(*courts):
        for court, other in (courts, courts[::-1]):
            key = load_witness_key(other.settings.key_folder).vkey
            for count in (3, 1, 300):
                size = await court.record(count)
                (anchor,) = await court.turn(minutes=6)
                assert (anchor["kind"], anchor["name"], anchor["size"]) == ("cosignature", other.name, size)
                assert (anchor["late"], anchor["failures"], anchor["last_error"]) == (False, 0, None)
            shown = (await call("GET", f"{court.address}/audit/checkpoint/cosigned")).content
            checkpoint, note = open_checkpoint(shown, court.settings.origin, [court.signer.vkey, key])
            monitored = await call("GET", f"{other.address}/witness/{log_digest(court.settings.origin)}/checkpoint")
            policy = parse_policy(f"witness w {key.encode()}\nquorum w\n".encode())
            recorded = court.hub.log.reader.rows(
                "SELECT idx FROM {schema}.entry WHERE type = %s", (EventType.LOG_ANCHORED.number,)
            )

            assert (checkpoint.size, len(note.signatures)) == (size, 2)
            assert policy.judge(shown, [court.signer.vkey]) == (checkpoint, (key.name,))
            assert monitored.content == shown
            assert len(recorded) == 3


async def test_a_quiet_log_is_not_cosigned_again_and_a_grown_one_not_before_its_time(
    courts: tuple[Court, Court],
) -> None:
    """Its own records of being anchored are no growth."""
    court, other = courts
    async with open_for_business(*courts):
        size = await court.record(2)
        await court.turn()
        await court.record(0)
        assert (await court.turn(hours=1))[0]["size"] == size
        await court.record(1)
        assert (await court.turn(hours=1))[0]["size"] == size + 2
        grown = await court.record(1)
        assert (await court.turn(minutes=4))[0]["size"] == size + 2
        assert (await court.turn(minutes=4))[0]["size"] == grown
    assert other.clock.ahead.total_seconds() == 0


async def test_a_log_that_does_not_know_what_its_witness_knows_learns_it(courts: tuple[Court, Court]) -> None:
    """409 with the size; then the proof from there.  So an answer that was lost does no harm."""
    court, other = courts
    async with open_for_business(*courts):
        for count in (5, 4):
            await court.record(count)
            kept = Anchors(court.hub.log.reader).retain_newest()
            assert kept is not None
            old = 0 if count == 5 else 5
            proof = court.hub.log.reader.consistency(old, kept.size) if old else []
            lost = await call("POST", witness_url(other), content=make_request(old, proof, kept.note))
            assert lost.status_code == 200
        stale = await call("POST", witness_url(other), content=make_request(0, [], kept.note))
        assert (stale.status_code, stale.content, stale.headers["content-type"]) == (409, b"9\n", "text/x.tlog.size")

        assert (await court.turn())[0]["size"] == 9
        size = await court.record(30)
        assert (await court.turn(minutes=6))[0]["size"] == size


async def test_a_fork_a_stranger_and_a_forger_are_refused_and_nothing_is_remembered_of_them(
    courts: tuple[Court, Court],
) -> None:
    """422, 404 and 403, as the protocol says; too long is 413, and no protocol at all 400."""
    court, other = courts
    async with open_for_business(*courts):
        await court.record(5)
        await court.turn()
        seen = f"{other.address}/witness/{log_digest(court.settings.origin)}/checkpoint"
        before = (await call("GET", seen)).content

        def forked(size: int, signer: Signer = court.signer) -> bytes:
            return signer.sign(Checkpoint(signer.vkey.name, size, bytes(32)).text()).encode()

        stranger = Signer("stranger.example/log", bytes(32))
        for request, status in (
            (make_request(5, [], forked(5)), 422),
            (make_request(5, [bytes(32)] * 3, forked(9)), 422),
            (make_request(0, [], forked(9, stranger)), 404),
            (make_request(5, [], forked(9, Signer(court.settings.origin, bytes(32)))), 403),
            (make_request(9, [], forked(5)), 400),
            (b"hello", 400),
            (b"", 400),
            (b"old 5\n" + b"A" * 65_536, 413),
        ):
            answer = await call("POST", witness_url(other), content=request)
            assert (answer.status_code, status, b"witness" in answer.content) == (status, status, False)
        assert (await call("GET", seen)).content == before
        assert (
            await call("GET", f"{other.address}/witness/{log_digest('stranger.example/log')}/checkpoint")
        ).status_code == 404


async def test_a_rolled_back_log_is_never_sent(courts: tuple[Court, Court]) -> None:
    """The witness knows more than this log has: said in health, and not a byte more is signed or sent."""
    court, other = courts
    async with open_for_business(*courts):
        await court.record(5)
        longer = court.signer.sign(Checkpoint(court.settings.origin, 90, bytes(32)).text()).encode()
        assert (await call("POST", witness_url(other), content=make_request(0, [], longer))).status_code == 200

        (anchor,) = await court.turn()
        assert anchor["last_error"] == "it has seen 90 entries of this log, which now has 5"
        assert (anchor["size"], anchor["failures"]) == (None, 1)
        assert Anchors(court.hub.log.reader).newest(AnchorKind.COSIGNATURE, other.name) is None
