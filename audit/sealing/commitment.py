"""
Commitments: a leaf commits to one value without disclosing it.

    c = HMAC-SHA256(r, "aud1|" ‖ field ‖ "|" ‖ u32 length ‖ value)

`r` is 32 bytes, derived from the subject's key, different for every record and field.  Without `r` nothing can be
learned about even a value that is easy to guess; with it, exactly one value fits.  This module (with nothing but the
standard library) suffices to check a `CommitmentOpening`.
"""

import hmac
import struct
from dataclasses import dataclass, field

_LENGTH = struct.Struct(">I").pack


@dataclass(frozen=True, slots=True)
class CommitmentOpening:
    """The values that open one commitment.  `value` is personal data."""

    name: str
    r: bytes = field(repr=False)
    value: bytes = field(repr=False)

    def opens(self, commitment: bytes) -> bool:
        """Whether this is what was committed to."""
        return hmac.compare_digest(commit(self.name, self.r, self.value), commitment)


def commit(name: str, r: bytes, value: bytes) -> bytes:
    """The 32-byte commitment to one field's value."""
    return mac(r, b"aud1|" + name.encode() + b"|" + _LENGTH(len(value)) + value)


def mac(key: bytes, message: bytes) -> bytes:
    """
    HMAC-SHA256 (RFC 2104) of a short message.

    `hmac.digest` releases the interpreter lock for every call; beside the sequencer's busy thread each call then takes
    2,100 µs instead of 4 µs.
    """
    return hmac.new(key, message, "sha256").digest()
