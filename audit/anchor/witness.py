"""
Witnessing (C2SP tlog-witness v1.0.0): this hub cosigns its neighbours' checkpoints, and has its own cosigned.

A witness cosigns only checkpoints that are consistent with all that it cosigned of that log before.  Checking and
storing are one atomic step, durable before the answer.  A witness that is down delays nothing: its line is added later,
or never.
"""

import base64
import contextlib
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from audit.format.checkpoint import Checkpoint, Cosigner, WitnessKey, open_checkpoint, parse_size, read_checkpoint
from audit.format.note import Note, NoteError, Signature, VerifierKey, decode_base64, parse
from audit.format.tree import EMPTY_ROOT, verify_consistency
from audit.store.reader import Reader

MOST_PROOF_LINES = 63
TEXT = "text/plain; charset=utf-8"
SIZE_TYPE = "text/x.tlog.size"


@dataclass(frozen=True, slots=True)
class WitnessAnswer:
    """An HTTP answer: status, body, content type."""

    status: int
    body: bytes = b""
    content_type: str = TEXT


@dataclass(frozen=True, slots=True)
class WitnessedCheckpoint:
    """The last checkpoint of a foreign log that was cosigned here."""

    size: int
    root: bytes
    note: bytes


class WitnessStore(Protocol):
    """
    A witness's memory.  `advance` compares with `old` and stores in one step, durable when it returns True.
    """

    def last_checkpoint(self, origin: str) -> WitnessedCheckpoint | None: ...
    def advance(self, origin: str, old: int, new: WitnessedCheckpoint) -> bool: ...


class WitnessTable:
    """A witness's memory in the hub's database."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def last_checkpoint(self, origin: str) -> WitnessedCheckpoint | None:
        """The last checkpoint that was cosigned.  Raises `AuditUnavailable`."""
        rows = self._reader.rows("SELECT size, root, note FROM {schema}.witnessed WHERE origin = %s", (origin,))
        return WitnessedCheckpoint(*rows[0]) if rows else None

    def advance(self, origin: str, old: int, new: WitnessedCheckpoint) -> bool:
        """Stores if `old` is still the last size.  Raises `AuditUnavailable`."""
        parameters = (origin, old, new.size, new.root, new.note)
        return bool(self._reader.rows("SELECT {schema}.witness(%s, %s, %s, %s, %s)", parameters)[0][0])


class Witness:
    """
    The answering side of the protocol.  `logs` are the neighbours' verifier keys by origin.
    """

    def __init__(self, cosigner: Cosigner, logs: Mapping[str, VerifierKey], memory: WitnessStore) -> None:
        self._cosigner = cosigner
        self._logs = logs
        self._memory = memory
        self._by_digest = {log_digest(origin): origin for origin in logs}

    def add_checkpoint(self, request: bytes, time: int) -> WitnessAnswer:
        """
        Answers `POST add-checkpoint` at a time in seconds since 1970.  Raises `AuditUnavailable`.
        """
        read = _read_request(request)
        if read is None:
            return WitnessAnswer(400)
        old, proof, encoded = read
        opened = self._opened(encoded)
        if isinstance(opened, WitnessAnswer):
            return opened
        checkpoint, note = opened
        refusal = self._refusal(old, proof, checkpoint)
        if refusal is not None:
            return refusal
        cosignature = self._cosigner.cosign(checkpoint.text(), time)
        # Monitors are shown the log's own signature and ours, and no other line of the request.
        shown = Note(note.text, (*note.signatures, cosignature)).encode()
        if not self._memory.advance(
            checkpoint.origin, old, WitnessedCheckpoint(checkpoint.size, checkpoint.root, shown)
        ):
            # This cosignature is discarded.
            return self._conflict(checkpoint.origin)
        return WitnessAnswer(200, cosignature.line().encode())

    def monitored(self, digest: str) -> bytes | None:
        """The last checkpoint that was cosigned here, of the log whose origin has this SHA-256 (hex)."""
        origin = self._by_digest.get(digest)
        seen = None if origin is None else self._memory.last_checkpoint(origin)
        return None if seen is None else seen.note

    def _opened(self, encoded: bytes) -> tuple[Checkpoint, Note] | WitnessAnswer:
        status = 400
        try:
            origin = read_checkpoint(encoded).origin
            status = 404
            if origin in self._logs:
                status = 403
                return open_checkpoint(encoded, origin, [self._logs[origin]])
        except NoteError:
            pass
        return WitnessAnswer(status)

    def _refusal(self, old: int, proof: Sequence[bytes], checkpoint: Checkpoint) -> WitnessAnswer | None:
        if old > checkpoint.size:
            return WitnessAnswer(400)
        seen = self._memory.last_checkpoint(checkpoint.origin) or WitnessedCheckpoint(0, EMPTY_ROOT, b"")
        if old != seen.size:
            return self._conflict(checkpoint.origin)
        if checkpoint.size == old:
            fits = not proof and checkpoint.root == seen.root
        elif old == 0:
            fits = not proof
        else:
            fits = verify_consistency(old, checkpoint.size, seen.root, checkpoint.root, proof)
        return None if fits else WitnessAnswer(422)

    def _conflict(self, origin: str) -> WitnessAnswer:
        seen = self._memory.last_checkpoint(origin)
        return WitnessAnswer(409, f"{0 if seen is None else seen.size}\n".encode(), SIZE_TYPE)


def log_digest(origin: str) -> str:
    """SHA-256 of an origin: the log's id in the address of its monitored checkpoint."""
    return hashlib.sha256(origin.encode()).hexdigest()


def _read_request(request: bytes) -> tuple[int, list[bytes], bytes] | None:
    head, _, checkpoint = request.partition(b"\n\n")
    try:
        first, *lines = head.decode("ascii").split("\n")
        if not first.startswith("old ") or len(lines) > MOST_PROOF_LINES:
            return None
        return parse_size(first.removeprefix("old ")), [decode_base64(line) for line in lines], checkpoint
    except (NoteError, UnicodeDecodeError, IndexError):
        return None


def make_request(old: int, proof: Sequence[bytes], checkpoint: bytes) -> bytes:
    """The body of `POST add-checkpoint`, for the asking side."""
    lines = [f"old {old}", *(base64.b64encode(node).decode() for node in proof)]
    return ("\n".join(lines) + "\n\n").encode() + checkpoint


def read_answer(answer: WitnessAnswer, checkpoint: bytes, witness: WitnessKey) -> Signature | int | None:
    """
    Parses an answer: the witness's valid cosignature of our checkpoint, the size that it knows (409), or None.
    """
    try:
        if answer.status == 409 and answer.content_type.startswith(SIZE_TYPE):
            return parse_size(answer.body.decode("ascii").removesuffix("\n"))
        if answer.status != 200:
            return None
        note = parse(checkpoint)
        cosigned = parse((note.text + "\n").encode() + answer.body)
    except (NoteError, UnicodeDecodeError, IndexError):
        return None
    return next(
        (
            signature
            for signature in cosigned.signatures
            if (signature.name, signature.key_id) == (witness.name, witness.key_id)
            and witness.check(note.text, signature.payload)
        ),
        None,
    )


def with_cosignatures(checkpoint: bytes, lines: Sequence[bytes]) -> bytes:
    """A checkpoint with its cosignature lines; malformed lines are left out."""
    note = parse(checkpoint)
    text = (note.text + "\n").encode()
    signatures = list(note.signatures)
    for line in lines:
        # An altered line must not prevent the checkpoint itself from being served or exported.
        with contextlib.suppress(NoteError):
            signatures += parse(text + line).signatures
    return Note(note.text, tuple(signatures)).encode()
