"""
Neighbouring courts cosign each other's checkpoints: the exchange of C2SP tlog-witness, on both sides.
"""

from collections.abc import Callable

import pytest

from audit.anchor.witness import (
    Witness,
    WitnessAnswer,
    WitnessedCheckpoint,
    WitnessTable,
    log_digest,
    make_request,
    read_answer,
    with_cosignatures,
)
from audit.format.checkpoint import Checkpoint, Cosigner, cosigned_at
from audit.format.note import Signer, open_note
from audit.format.tree import EMPTY_ROOT
from audit.store.log import Log
from tests.audit import oracle
from tests.audit.sample import intent

pytestmark = pytest.mark.anyio

LOG = Signer("neighbour.example/audit/1", bytes(range(32)))
COSIGNER = Cosigner("witness.example/hub", bytes([3] * 32))
ENTRIES = [b"%d" % n for n in range(20)]
NOW = 1_790_000_000


class Memory:
    """A witness's memory without a database."""

    def __init__(self) -> None:
        self.known: dict[str, WitnessedCheckpoint] = {}

    def last_checkpoint(self, origin: str) -> WitnessedCheckpoint | None:
        return self.known.get(origin)

    def advance(self, origin: str, old: int, new: WitnessedCheckpoint) -> bool:
        last = self.known.get(origin)
        if (0 if last is None else last.size) != old:
            return False
        self.known[origin] = new
        return True


@pytest.fixture
def witness() -> Witness:
    """A witness that knows one neighbour."""
    return Witness(COSIGNER, {LOG.vkey.name: LOG.vkey}, Memory())


def note(size: int, *, entries: list[bytes] | None = None, signer: Signer = LOG) -> bytes:
    root = oracle.root((ENTRIES if entries is None else entries)[:size])
    return signer.sign(Checkpoint(signer.vkey.name, size, root).text()).encode()


def proof(old: int, new: int) -> list[bytes]:
    return oracle.consistency(old, ENTRIES[:new]) if old else []


def monitored(witness: Witness, origin: str = LOG.vkey.name) -> bytes:
    shown = witness.monitored(log_digest(origin))
    assert shown is not None
    return shown


def ask(witness: Witness, old: int, new: int) -> WitnessAnswer:
    return witness.add_checkpoint(make_request(old, proof(old, new), note(new)), NOW)


def test_a_growing_log_is_cosigned_step_by_step(witness: Witness) -> None:
    """And the cosigned checkpoint verifies with both keys."""
    for old, new in ((0, 0), (0, 1), (1, 7), (7, 7), (7, 20)):
        answer = ask(witness, old, new)
        cosignature = read_answer(answer, note(new), COSIGNER.vkey)
        assert answer.status == 200
        assert not isinstance(cosignature, int)
        assert cosignature is not None
        assert cosigned_at(cosignature) == NOW
        both = with_cosignatures(note(new), [answer.body])
        assert len(open_note(both, [LOG.vkey, COSIGNER.vkey]).signatures) == 2

    assert monitored(witness) == note(20) + COSIGNER.cosign(open_note(note(20), [LOG.vkey]).text, NOW).line().encode()
    assert witness.monitored(log_digest("other.example")) is None


def test_a_stale_size_is_answered_with_the_size_that_is_known(witness: Witness) -> None:
    """409 and `text/x.tlog.size`; old = 0 is how one learns it."""
    ask(witness, 0, 7)
    for old, new in ((0, 9), (5, 9)):
        answer = ask(witness, old, new)
        assert (answer.status, answer.body, answer.content_type) == (409, b"7\n", "text/x.tlog.size")
        assert read_answer(answer, note(new), COSIGNER.vkey) == 7


FORGED = [b"x", *ENTRIES[1:]]


@pytest.mark.parametrize(
    ("request_of", "status"),
    [
        (lambda: b"", 400),
        (lambda: b"old 07\n\n" + note(9), 400),
        (lambda: b"old 7\nnot base64\n\n" + note(9), 400),
        (lambda: b"old 7\n\njunk", 400),
        (lambda: make_request(7, [bytes(32)] * 64, note(9)), 400),
        (lambda: make_request(9, [], note(8)), 400),
        (lambda: make_request(7, [], note(9, signer=Signer("stranger.example", bytes(32)))), 404),
        (lambda: make_request(7, proof(7, 9), note(9, signer=Signer(LOG.vkey.name, bytes(32)))), 403),
        (lambda: make_request(7, [], note(9)), 422),
        (lambda: make_request(7, proof(7, 9)[::-1], note(9)), 422),
        (lambda: make_request(7, proof(7, 9), note(9, entries=FORGED)), 422),
        (lambda: make_request(7, [], note(7, entries=FORGED)), 422),
        (lambda: make_request(7, [bytes(32)], note(7)), 422),
    ],
)
def test_a_malformed_unknown_or_inconsistent_checkpoint_is_never_cosigned(
    witness: Witness, request_of: Callable[[], bytes], status: int
) -> None:
    """Each with the status of the specification, and nothing is remembered of it."""
    ask(witness, 0, 7)
    answer = witness.add_checkpoint(request_of(), NOW)

    assert answer.status == status
    assert monitored(witness).startswith(note(7))
    assert read_answer(answer, note(9), COSIGNER.vkey) is None


def test_a_new_log_brings_no_proof_and_a_true_empty_root(witness: Witness) -> None:
    """Old 0 takes no proof; size 0 has one root."""
    assert witness.add_checkpoint(make_request(0, [bytes(32)], note(3)), NOW).status == 422
    wrong = LOG.sign(Checkpoint(LOG.vkey.name, 0, bytes(32)).text()).encode()
    assert witness.add_checkpoint(make_request(0, [], wrong), NOW).status == 422
    assert bytes(32) != EMPTY_ROOT


def test_a_cosignature_of_something_else_is_not_taken(witness: Witness) -> None:
    """Of another size, by another key, or no line at all."""
    answer = ask(witness, 0, 7)
    stranger = Cosigner(COSIGNER.vkey.name, bytes([4] * 32)).vkey
    assert read_answer(answer, note(8), COSIGNER.vkey) is None
    assert read_answer(answer, note(7), stranger) is None
    for body in (b"", b"junk\n", b"\xff"):
        assert read_answer(WitnessAnswer(200, body), note(7), COSIGNER.vkey) is None
        assert read_answer(WitnessAnswer(409, body, "text/x.tlog.size"), note(7), COSIGNER.vkey) is None
    assert read_answer(WitnessAnswer(500), note(7), COSIGNER.vkey) is None


async def test_two_hubs_witness_each_other_through_their_databases(log: Log) -> None:
    """Our own log is cosigned with proofs from its database; what was seen is remembered in one."""
    memory = WitnessTable(log.reader)
    witness = Witness(COSIGNER, {log.origin: log.keys.signer.vkey}, memory)
    old = 0
    for count in (1, 3, 300):
        for n in range(count):
            await log.append(intent(n))
        size = await log.sign()
        path = log.reader.consistency(old, size) if old else []
        answer = witness.add_checkpoint(make_request(old, path, log.checkpoint), NOW)
        assert read_answer(answer, log.checkpoint, COSIGNER.vkey) is not None
        assert answer.status == 200
        assert memory.advance(log.origin, old, WitnessedCheckpoint(size, bytes(32), b"late")) is (old == size)
        old = size

    assert monitored(witness, log.origin).startswith(log.checkpoint)
    assert memory.last_checkpoint("other.example") is None
