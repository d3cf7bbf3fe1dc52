"""
HMAC-SHA256 (RFC 2104) of short messages, and random nonces, without giving the interpreter away.

`hmac.digest` and `os.urandom` let other threads run for every call, however short; with the sequencer's thread busy,
each then waits for its turn: 2,100 µs and 226 µs a call instead of 4 µs and 1 µs, measured side by side.
"""

import hmac
import os

NONCE_BYTES = 12
_AT_ONCE = 512


def mac(key: bytes, message: bytes) -> bytes:
    """The 32 bytes of the message under the key."""
    return hmac.new(key, message, "sha256").digest()


class Nonces:
    """
    Random nonces of 12 bytes, drawn from the system many at a time.  Never the same twice, also after a fork.
    """

    def __init__(self) -> None:
        self._drawn = b""
        self._at = 0
        os.register_at_fork(after_in_child=self._forget)

    def take(self, count: int) -> bytes:
        """`count` nonces, one after the other."""
        start, end = self._at, self._at + count * NONCE_BYTES
        if end > len(self._drawn):
            self._drawn = os.urandom(NONCE_BYTES * max(count, _AT_ONCE))
            start, end = 0, count * NONCE_BYTES
        self._at = end
        return self._drawn[start:end]

    def _forget(self) -> None:
        self._drawn, self._at = b"", 0
