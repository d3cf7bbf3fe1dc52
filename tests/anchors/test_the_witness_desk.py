"""
The open door for neighbours: what a caller without any right can cost is bounded.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from audit.anchor.witness import Witness, WitnessedCheckpoint, log_digest, make_request
from audit.format.checkpoint import Checkpoint, Cosigner
from audit.format.note import Signer
from gateway.anchors.witness_endpoint import MOST_AT_ONCE, MOST_BYTES, BodyTooLarge, WitnessBusy, WitnessEndpoint

pytestmark = pytest.mark.anyio

LOG = Signer("neighbour.example/audit/1", bytes(range(32)))
NOTE = LOG.sign(Checkpoint(LOG.vkey.name, 3, bytes(32)).text()).encode()
NOW = datetime(2026, 11, 24, tzinfo=UTC)


class Memory:
    """Remembers one checkpoint."""

    def __init__(self) -> None:
        self.last: WitnessedCheckpoint | None = None

    def last_checkpoint(self, _origin: str) -> WitnessedCheckpoint | None:
        return self.last

    def advance(self, _origin: str, _old: int, new: WitnessedCheckpoint) -> bool:
        self.last = new
        return True


@pytest.fixture
def court() -> WitnessEndpoint:
    """A desk that knows one neighbour and reads fast."""
    witness = Witness(Cosigner("a.example/witness", bytes(32)), {LOG.vkey.name: LOG.vkey}, Memory())
    return WitnessEndpoint(witness, clock=lambda: NOW, read_seconds=0.05)


async def pieces(*given: bytes, then: asyncio.Event | None = None) -> AsyncIterator[bytes]:
    """A body that comes in pieces, and perhaps stops before its end."""
    for piece in given:
        yield piece
    if then is not None:
        await then.wait()


async def test_a_request_in_pieces_is_cosigned_and_shown(court: WitnessEndpoint) -> None:
    """As a neighbour's hub sends it."""
    request = make_request(0, [], NOTE)
    answer = await court.add_checkpoint(pieces(request[:9], request[9:]))

    assert answer.status == 200
    assert await court.monitored(log_digest(LOG.vkey.name)) == NOTE + answer.body


async def test_more_bytes_than_any_request_has_are_not_read(court: WitnessEndpoint) -> None:
    """The rest stays where it is."""
    with pytest.raises(BodyTooLarge):
        await court.add_checkpoint(pieces(bytes(MOST_BYTES), b"x"))
    assert (await court.add_checkpoint(pieces(bytes(MOST_BYTES)))).status == 400


async def test_a_body_that_never_ends_is_given_up(court: WitnessEndpoint) -> None:
    """And its place is free again."""
    for _ in range(MOST_AT_ONCE + 1):
        assert (await court.add_checkpoint(pieces(b"old 0\n", then=asyncio.Event()))).status == 400


async def test_only_a_few_are_answered_at_the_same_time(court: WitnessEndpoint) -> None:
    """The next one is told to come again, at once."""
    patient = WitnessEndpoint(court._witness, clock=lambda: NOW)
    end = asyncio.Event()
    open_ones = [asyncio.create_task(patient.add_checkpoint(pieces(b"", then=end))) for _ in range(MOST_AT_ONCE)]
    await asyncio.sleep(0)
    with pytest.raises(WitnessBusy):
        await patient.add_checkpoint(pieces(make_request(0, [], NOTE)))
    end.set()
    await asyncio.gather(*open_ones)

    assert (await patient.add_checkpoint(pieces(make_request(0, [], NOTE)))).status == 200


async def test_a_court_without_neighbours_knows_no_log() -> None:
    """404, whatever is sent; nothing of it is read."""
    court = WitnessEndpoint(None, clock=lambda: NOW)

    assert (await court.add_checkpoint(pieces(make_request(0, [], NOTE)))).status == 404
    assert await court.monitored(log_digest(LOG.vkey.name)) is None
