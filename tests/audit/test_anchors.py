"""
What others said about a checkpoint is kept with the checkpoint that it speaks of, and leaves the house with it.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from audit.anchor.anchors import Anchor, AnchorKind, Anchors, AnchorState, StoredCheckpoint
from audit.errors import LogBroken
from audit.export.exporter import export
from audit.format.checkpoint import Checkpoint, Cosigner, read_checkpoint
from audit.format.event import EventType
from audit.format.note import Signer, open_note, parse
from audit.store.log import Log
from audit.verify.cosign_policy import parse_policy, weigh
from audit.verify.directory_source import DirectorySource
from audit.verify.findings import VerificationVerdict
from audit.verify.verifier import verify
from tests.audit.sample import ORIGIN, START, Dsn, intent

pytestmark = pytest.mark.anyio

WITNESS = Cosigner("neighbour.example/witness", bytes([7] * 32))
LATER = START + timedelta(hours=1)
KINDS = (AnchorKind.TIMESTAMP, "tsa")


def cosignature(checkpoint: StoredCheckpoint, witness: Cosigner = WITNESS, name: str = "neighbour") -> Anchor:
    """A witness's line for a kept checkpoint."""
    line = witness.cosign(parse(checkpoint.note).text, 1_790_000_000).line().encode()
    return Anchor(kind=AnchorKind.COSIGNATURE, name=name, size=checkpoint.size, at=LATER, evidence=line)


def timestamp(checkpoint: StoredCheckpoint, state: AnchorState = AnchorState.VALID, at: datetime = LATER) -> Anchor:
    """Some authority's reply."""
    return Anchor(kind=KINDS[0], name=KINDS[1], size=checkpoint.size, at=at, evidence=b"DER", state=state)


async def grown(log: Log, count: int) -> StoredCheckpoint:
    """The log with so many more records, signed and kept."""
    for n in range(count):
        await log.append(intent(n))
    await log.sign()
    checkpoint = Anchors(log.reader).retain_newest()
    assert checkpoint is not None
    return checkpoint


async def test_a_published_checkpoint_is_retained_byte_for_byte(log: Log) -> None:
    """Also within the minute of which only one is kept otherwise; keeping it twice changes nothing."""
    anchors = Anchors(log.reader)
    first, second = await grown(log, 3), await grown(log, 4)

    assert [first.size, second.size] == [3, 7]
    assert second.note == log.checkpoint
    assert anchors.retain_newest() == second
    assert [size for size, _ in log.reader.checkpoints()] == [0, 3, 7]
    assert anchors.retained(3) == first.note
    assert anchors.retained(5) is None


async def test_an_anchor_is_stored_once_and_only_for_a_retained_checkpoint(log: Log) -> None:
    """Of two replicas that fetched one, the second is told so."""
    anchors, checkpoint = Anchors(log.reader), await grown(log, 3)
    anchor = cosignature(checkpoint)

    assert (anchors.add(anchor), anchors.add(anchor)) == (True, False)
    assert anchors.newest(AnchorKind.COSIGNATURE, "neighbour") == anchor
    assert anchors.newest(AnchorKind.COSIGNATURE, "other") is None
    with pytest.raises(Exception, match="could not read the log's database"):
        anchors.add(cosignature(StoredCheckpoint(2, checkpoint.note)))


async def test_records_of_anchors_do_not_wait_for_an_anchor(log: Log) -> None:
    """Or an idle log would be anchored for ever."""
    anchors, checkpoint = Anchors(log.reader), await grown(log, 3)
    assert anchors.is_due(0)
    anchors.add(timestamp(checkpoint))
    assert anchors.status(*KINDS).uncovered_since is None

    await log.append(intent(8, type=EventType.LOG_ANCHORED, whose=(), why=None, asked=(), outcome="valid"))
    await log.sign()
    assert not anchors.is_due(3)
    assert anchors.status(*KINDS).uncovered_since is None

    await log.append(intent(9))
    assert not anchors.is_due(3)
    await log.sign()
    assert anchors.is_due(3)
    assert anchors.status(*KINDS).uncovered_since == START + timedelta(seconds=9)


async def test_an_anchor_is_late_when_a_record_has_waited_longer_than_the_limit(log: Log) -> None:
    """From the first record on; what could not be verified here covers nothing."""
    anchors, limit = Anchors(log.reader), timedelta(hours=4)
    empty = anchors.status(*KINDS)
    checkpoint = await grown(log, 3)
    never = anchors.status(*KINDS)
    anchors.add(timestamp(checkpoint, AnchorState.UNPARSED))
    unparsed = anchors.status(*KINDS)
    later = await grown(log, 2)
    anchors.add(timestamp(later))
    covered = anchors.status(*KINDS)

    assert not empty.is_late(START + timedelta(days=9), limit)
    assert (never.size, never.at, never.uncovered_since) == (None, None, START)
    assert [never.is_late(START + timedelta(hours=hours), limit) for hours in (4, 5)] == [False, True]
    assert (unparsed.size, unparsed.unparsed) == (None, 3)
    assert unparsed.is_late(START + timedelta(hours=5), limit)
    assert (covered.size, covered.at) == (5, LATER)
    assert not covered.is_late(START + timedelta(days=9), limit)


async def test_a_foreign_checkpoint_in_the_database_is_never_published(log: Log, dsn: Dsn) -> None:
    """Whoever owns the tables cannot have something else anchored in our name."""
    await grown(log, 3)
    forged = Signer(ORIGIN, bytes(32)).sign(Checkpoint(ORIGIN, 3, bytes(32)).text()).encode()
    right = log.checkpoint
    with psycopg.connect(dsn.owner, autocommit=True) as owner:
        owner.execute("ALTER TABLE audit.checkpoint DISABLE TRIGGER append_only")
        owner.execute("UPDATE audit.checkpoint SET note = %s WHERE size = 3", (forged,))
        with pytest.raises(LogBroken):
            Anchors(log.reader).retain_newest()
        owner.execute("UPDATE audit.checkpoint SET note = %s WHERE size = 3", (right,))


async def test_evidence_and_note_are_exported_together_and_public_tools_see_the_cosignatures(
    log: Log, folder: Path
) -> None:
    """The bare note as it was stamped, and beside it the note with its lines; a policy can be held against them."""
    anchors, out = Anchors(log.reader), folder / "out"
    first = await grown(log, 3)
    anchors.add(cosignature(first))
    anchors.add(timestamp(first))
    for _ in range(3):
        last = await grown(log, 1)
    anchors.add(cosignature(last, name="same-witness-again"))
    export(log.reader, out, log.keys.signer.vkey)
    keys = [log.keys.signer.vkey, WITNESS.vkey]
    source = DirectorySource(out)

    assert (out / "checkpoints" / "3").read_bytes() == first.note
    assert (out / "anchors" / "3.rfc3161.tsa").read_bytes() == b"DER"
    assert (out / "anchors" / "3.cosignature.neighbour").read_bytes() == cosignature(first).evidence
    assert len(open_note((out / "cosigned" / "3").read_bytes(), keys).signatures) == 2
    assert len(open_note((out / "checkpoint").read_bytes(), keys).signatures) == 2
    assert anchors.newest_cosigned() == (out / "checkpoint").read_bytes()
    for requested, verdict in (
        (WITNESS, VerificationVerdict.INTACT),
        (Cosigner("other.example", bytes(32)), VerificationVerdict.CANNOT_SAY),
    ):
        policy = parse_policy(f"witness w {requested.vkey.encode()}\nquorum w\n".encode())
        notes = [source.checkpoint(), *source.cosigned()]
        report = verify(source, ORIGIN, keys[:1], against=[*source.older(), *source.cosigned()])
        weigh(report, policy, keys[:1], notes)
        assert report.verdict is verdict
        assert any("size 6, cosigned by neighbour" in line for line in report.checked) is (requested is WITNESS)


async def test_an_altered_line_in_the_database_keeps_no_checkpoint_from_being_shown(log: Log) -> None:
    """It is left out; the checkpoint itself needs it not."""
    anchors, checkpoint = Anchors(log.reader), await grown(log, 3)
    anchors.add(cosignature(checkpoint))
    anchors.add(Anchor(kind=AnchorKind.COSIGNATURE, name="x", size=3, at=datetime.now(UTC), evidence=b"junk"))

    assert len(parse(anchors.cosigned(checkpoint.note, 3)).signatures) == 2
    assert read_checkpoint(anchors.cosigned(checkpoint.note, 3)).size == 3
