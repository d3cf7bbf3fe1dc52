"""
The audit log of one hub process: appends events durably, signs checkpoints, opens payloads.
"""

import asyncio
from collections.abc import Sequence
from typing import Self
from uuid import UUID

from audit.errors import AuditError, AuditUnavailable, LogConfigurationError
from audit.format.event import Event, EventType, SealedPayload
from audit.sealing.keys import Keys
from audit.sealing.sealer import Sealer
from audit.store import database
from audit.store.checkpoint_signer import CheckpointSigner
from audit.store.reader import Reader
from audit.store.sequencer import Sequencer, StaleKeys

SIGN_EVERY = 1.0


class Log:
    """
    One audit log in one hub process, opened with `Log.open`; it belongs to the event loop that opened it.

    `appended` and `refused` count this process's records that became durable or did not.
    """

    def __init__(
        self, keys: Keys, sealer: Sealer, sequencer: Sequencer, reader: Reader, signer: CheckpointSigner
    ) -> None:
        self.origin = keys.origin
        self.keys = keys
        self.reader = reader
        self.signer = signer
        self._sealer = sealer
        self._sequencer = sequencer
        self._signing: asyncio.Task[None] | None = None
        self.appended = 0
        self.refused = 0

    @classmethod
    async def open(
        cls,
        dsn: str,
        keys: Keys,
        *,
        origin: str | None = None,
        schema: str = database.SCHEMA,
        timeout: float = 2.0,  # noqa: ASYNC109 - of every later record, not of this call
        sign_every: float | None = SIGN_EVERY,
    ) -> Self:
        """
        Opens an existing log: checks the server, the role and every signed checkpoint.

        `timeout` (seconds) bounds the wait of one record; `sign_every` None leaves signing to another process.
        Raises `LogConfigurationError` with what mends it, `LogBroken`, `AuditUnavailable`.
        """
        if origin is not None and origin != keys.origin:
            raise LogConfigurationError(
                f"the keys are those of {keys.origin}, not of {origin}: set SHUNIU_ORIGIN={keys.origin}, "
                "or point SHUNIU_KEYS at the other log's folder"
            )
        reader = Reader(dsn, keys, schema=schema, timeout=timeout)
        signer = CheckpointSigner(keys, reader)
        sequencer = Sequencer(dsn, keys.origin, schema=schema, timeout=timeout)
        try:
            epoch = await asyncio.to_thread(sequencer.start)
            await asyncio.to_thread(signer.sign)
        except BaseException:
            sequencer.close()
            reader.close()
            raise
        log = cls(keys, Sealer(keys, epoch), sequencer, reader, signer)
        if sign_every is not None:
            log._signing = asyncio.create_task(log._sign_forever(sign_every))
        return log

    async def append(self, event: Event, *, payloads: Sequence[SealedPayload] = ()) -> int:
        """
        Records an event, and seals the `payloads` with it in the same transaction.

        Returns the index once the record is durable and in the tree.  Raises `AuditUnavailable` (then nothing may be
        asked or released on its strength), `RecordRefused`.
        """
        try:
            index = await self._append(event, payloads)
        except AuditError:
            self.refused += 1
            raise
        self.appended += 1
        return index

    async def _append(self, event: Event, keep: Sequence[SealedPayload]) -> int:
        for _ in range(3):
            try:
                return await self._sequencer.append(self._sealer.seal(event, keep))
            except StaleKeys:
                epoch = await asyncio.to_thread(self.reader.epoch)
            self._sealer.forget(epoch)
        raise AuditUnavailable

    async def open_payload(self, exchange: UUID, kind: str, *, agency: str = "", capability: str = "") -> bytes | None:
        """
        Opens the newest payload of an exchange of this kind; None if there is none, it has expired, or its key was
        destroyed.  Raises `AuditUnavailable`, `LogBroken` if it does not open.
        """
        return await asyncio.to_thread(self.reader.open_payload, exchange, kind, agency, capability)

    async def entry_index(self, exchange: UUID, phase: EventType) -> int | None:
        """The index of an exchange's record of one type.  Raises `AuditUnavailable`."""
        return await asyncio.to_thread(self.reader.entry_index, exchange, phase)

    async def check(self) -> None:
        """Raises `AuditUnavailable` unless the log's database answers."""
        await asyncio.to_thread(self.reader.epoch)

    @property
    def checkpoint_size(self) -> int:
        """The size of the newest signed checkpoint that this process knows; records are in it within a second."""
        return self.signer.size

    @property
    def checkpoint(self) -> bytes:
        """The newest signed checkpoint that this process knows."""
        return self.signer.note

    @property
    def waiting(self) -> int:
        """The number of queued records."""
        return self._sequencer.waiting

    async def sign(self) -> int:
        """
        Signs a checkpoint now if the log has grown, and returns its size.  Raises `AuditUnavailable`, `LogBroken`.
        """
        return await asyncio.to_thread(self.signer.sign)

    async def aclose(self) -> None:
        """Writes the queued records, signs a last checkpoint, and closes the connections."""
        if self._signing is not None:
            self._signing.cancel()
            await asyncio.gather(self._signing, return_exceptions=True)
            await asyncio.to_thread(self._sequencer.close)
            await asyncio.gather(self.sign(), return_exceptions=True)
        else:
            await asyncio.to_thread(self._sequencer.close)
        await asyncio.to_thread(self.reader.close)

    async def _sign_forever(self, every: float) -> None:
        while True:
            await asyncio.sleep(every)
            # A failure shows in the checkpoint's age and in `signer.broken`; it never slows a lookup.
            await asyncio.gather(self.sign(), return_exceptions=True)
