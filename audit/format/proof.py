"""
Offline proofs (C2SP tlog-proof, draft v1): one file that proves that an entry is in the log.  Pure.

    c2sp.org/tlog-proof@v1
    index <n>
    <base64 hash>            from the leaf's sibling upward
                             an empty line
    <the checkpoint, word for word>
"""

import base64
import re
from collections.abc import Collection
from dataclasses import dataclass

from audit.format.checkpoint import Checkpoint, open_checkpoint, parse_size
from audit.format.note import NoteError, Verifier, decode_base64
from audit.format.tree import HASH_BYTES, leaf_hash, verify_inclusion

HEADER = "c2sp.org/tlog-proof@v1"
MOST_HASHES = 64
_HEAD = re.compile(
    re.escape(HEADER).encode()
    + rb"(?:\nextra (?P<extra>[^\s]*))?\nindex (?P<index>\d{1,19})(?P<hashes>(?:\n[A-Za-z0-9+/=]+)*)"
)


class ProofError(ValueError):
    """Not a proof, or it does not show what it should."""


@dataclass(frozen=True, slots=True)
class Proof:
    """`index`, the hashes of its path, and the signed checkpoint that they lead to."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes

    def encode(self) -> bytes:
        """The proof's bytes."""
        lines = [HEADER, f"index {self.index}", *(base64.b64encode(node).decode() for node in self.hashes), "", ""]
        return "\n".join(lines).encode() + self.checkpoint

    @classmethod
    def parse(cls, encoded: bytes) -> "Proof":
        """Reads a proof; `extra` is not authenticated and is dropped.  Raises `ProofError`."""
        head, _, checkpoint = encoded.partition(b"\n\n")
        match = _HEAD.fullmatch(head)
        if match is None or not checkpoint:
            raise ProofError("could not read the proof")
        try:
            index = parse_size(match["index"].decode())
            hashes = tuple(decode_base64(line.decode()) for line in match["hashes"].split())
            decode_base64((match["extra"] or b"").decode())
        except NoteError:
            hashes = (b"",)
        if len(hashes) > MOST_HASHES or any(len(node) != HASH_BYTES for node in hashes):
            raise ProofError("could not read the proof")
        return cls(index, hashes, checkpoint)


def check_proof(proof: Proof, entry: bytes, origin: str, known: Collection[Verifier]) -> Checkpoint:
    """
    Verifies that `entry` is in the log at the proof's index, and returns the signed checkpoint that shows it.

    Raises `ProofError` if the path does not lead to its root, `NoteError` if no known key signed it.
    """
    checkpoint, _ = open_checkpoint(proof.checkpoint, origin, known)
    if not verify_inclusion(proof.index, checkpoint.size, leaf_hash(entry), proof.hashes, checkpoint.root):
        raise ProofError("could not confirm the entry: the path does not lead to the signed root")
    return checkpoint
