"""
Commitments: a leaf says that it speaks of one certain value, without saying which.

    c = HMAC-SHA256(r, "aud1|" ‖ field ‖ "|" ‖ u32 length ‖ value)

`r` is 32 bytes that nobody can know without the subject's key, different for every record and field.  Without `r`
nothing can be learned about even a value that is easy to guess; with it, exactly one value fits.  Whoever is given
an `Opening` checks it with this module alone (and what it imports, which is the standard library).
"""

import hmac
import struct
from dataclasses import dataclass, field

from audit.sealing.mac import mac

_LENGTH = struct.Struct(">I").pack


@dataclass(frozen=True, slots=True)
class CommitmentOpening:
    """What must be disclosed to open one commitment.  `value` is personal data."""

    name: str
    r: bytes = field(repr=False)
    value: bytes = field(repr=False)

    def opens(self, commitment: bytes) -> bool:
        """Whether this is what was committed to."""
        return hmac.compare_digest(commit(self.name, self.r, self.value), commitment)


def commit(name: str, r: bytes, value: bytes) -> bytes:
    """The 32-byte commitment to one field's value."""
    return mac(r, b"aud1|" + name.encode() + b"|" + _LENGTH(len(value)) + value)
