"""
Checkpoints (C2SP tlog-checkpoint v1.0.0) and cosignatures (tlog-cosignature v1.0.1).  Pure.

A checkpoint states that the log of this origin had `size` entries and this root.  A log must never sign two that
contradict each other.
"""

import base64
from collections.abc import Collection
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.format.note import (
    COSIGNATURE,
    Note,
    NoteError,
    PublicKey,
    Signature,
    Verifier,
    check_ed25519,
    check_name,
    decode_base64,
    open_note,
    parse,
    public_bytes,
)
from audit.format.tree import HASH_BYTES

_TIME_BYTES = 8


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Origin, size and root of a log.  `extensions` are further lines, which we never write."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def text(self) -> str:
        """The signed body."""
        lines = (self.origin, str(self.size), base64.b64encode(self.root).decode(), *self.extensions)
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """Reads the body of a checkpoint.  Raises `NoteError`."""
        lines = text.split("\n")
        if len(lines) < 4 or lines[-1] or not all(lines[:-1]):
            raise NoteError("could not read the checkpoint: it needs an origin, a size and a root, one line each")
        origin, size, root, *extensions = lines[:-1]
        check_name(origin)
        decoded = decode_base64(root)
        if len(decoded) != HASH_BYTES:
            raise NoteError("could not read the checkpoint: the root is not a SHA-256 hash")
        return cls(origin, parse_size(size), decoded, tuple(extensions))


def open_checkpoint(encoded: bytes, origin: str, known: Collection[Verifier]) -> tuple[Checkpoint, Note]:
    """
    Reads a checkpoint note of `origin` and checks its signatures.  Raises `NoteError`.
    """
    note = open_note(encoded, known)
    checkpoint = Checkpoint.parse(note.text)
    if checkpoint.origin != origin:
        raise NoteError("could not accept the checkpoint: it is another log's")
    return checkpoint, note


def read_checkpoint(encoded: bytes) -> Checkpoint:
    """The checkpoint in a note, without a check of signatures.  Raises `NoteError`."""
    return Checkpoint.parse(parse(encoded).text)


def parse_size(text: str) -> int:
    """A tree size in decimal without leading zeros.  Raises `NoteError`."""
    if not (text.isascii() and text.isdigit()) or (text[0] == "0" and text != "0") or len(text) > 19:
        raise NoteError("could not read the checkpoint: the size is not a plain decimal number")
    return int(text)


@dataclass(frozen=True, slots=True)
class WitnessKey(PublicKey):
    """A witness's public key.  Its signatures carry their time in seconds."""

    kind = COSIGNATURE
    label = "a cosignature key"

    def check(self, text: str, payload: bytes) -> bool:
        """Whether this witness cosigned the checkpoint with this body."""
        time = int.from_bytes(payload[:_TIME_BYTES])
        message = _cosigned(text, time)
        return time < 1 << 63 and check_ed25519(self.public, message, payload[_TIME_BYTES:])


class Cosigner:
    """
    A witness's private key.  Callers must have checked a checkpoint against all that was cosigned before.
    """

    def __init__(self, name: str, seed: bytes) -> None:
        check_name(name)
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.vkey = WitnessKey(name, public_bytes(self._key))

    def cosign(self, text: str, time: int) -> Signature:
        """The cosignature of a checkpoint's body at a time in seconds since 1970."""
        payload = time.to_bytes(_TIME_BYTES) + self._key.sign(_cosigned(text, time))
        return Signature(self.vkey.name, self.vkey.key_id, payload)


def cosigned_at(signature: Signature) -> int:
    """When a cosignature was made, in seconds since 1970."""
    return int.from_bytes(signature.payload[:_TIME_BYTES])


def _cosigned(text: str, time: int) -> bytes:
    return f"cosignature/v1\ntime {time}\n{text}".encode()
