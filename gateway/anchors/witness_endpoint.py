"""
The answering side of witnessing: neighbours send us their checkpoints, and monitors read what we have cosigned.

Open to whoever can reach it, since the protocol authenticates by the log's signature.  So what an unknown caller can
cost is bounded before anything is checked: bytes, seconds, and requests at the same time.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime

from audit.anchor.witness import Witness, WitnessAnswer

MOST_BYTES = 64 * 1024
MOST_AT_ONCE = 4
READ_SECONDS = 5.0


class WitnessBusy(Exception):
    """As many requests are being answered as are taken at the same time."""


class BodyTooLarge(Exception):
    """No request of the protocol is this long."""


class WitnessEndpoint:
    """
    Answers for one hub.  Without a key or without neighbours it knows no log, and says so.
    """

    def __init__(
        self, witness: Witness | None, *, clock: Callable[[], datetime], read_seconds: float = READ_SECONDS
    ) -> None:
        self._witness = witness
        self._clock = clock
        self._read_seconds = read_seconds
        self._free = MOST_AT_ONCE

    async def add_checkpoint(self, body: AsyncIterator[bytes]) -> WitnessAnswer:
        """Reads and answers one request.  Raises `WitnessBusy`, `BodyTooLarge`, `AuditUnavailable`."""
        if self._witness is None:
            return WitnessAnswer(404)
        if self._free <= 0:
            raise WitnessBusy
        self._free -= 1
        try:
            request = await _read(body, self._read_seconds)
            if request is None:
                return WitnessAnswer(400)
            return await asyncio.to_thread(self._witness.add_checkpoint, request, int(self._clock().timestamp()))
        finally:
            self._free += 1

    async def monitored(self, digest: str) -> bytes | None:
        """The last checkpoint cosigned here of the log with this digest.  Raises `AuditUnavailable`."""
        return None if self._witness is None else await asyncio.to_thread(self._witness.monitored, digest)


async def _read(body: AsyncIterator[bytes], seconds: float) -> bytes | None:
    """The whole body, or None if it came too slowly."""
    read = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for piece in body:
                read += piece
                if len(read) > MOST_BYTES:
                    raise BodyTooLarge
    except TimeoutError:
        return None
    return bytes(read)
