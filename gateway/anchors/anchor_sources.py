"""
The three ways to have a checkpoint anchored: a neighbour's cosignature, a timestamp, a delivery on paper.
"""

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

from audit.anchor.anchors import Anchor, AnchorKind, Anchors, StoredCheckpoint
from audit.anchor.paper_checkpoint import deliver
from audit.anchor.timestamp import REPLY_TYPE, REQUEST_TYPE, TimestampQuery, TimestampRefused
from audit.anchor.witness import TEXT, WitnessAnswer, make_request, read_answer
from audit.format.checkpoint import read_checkpoint
from audit.format.note import Signature, VerifierKey
from audit.format.tree import range_nodes, verify_consistency
from audit.store.log import Log
from gateway.anchors.configuration import TimestampAuthorityConfig, WitnessConfig
from gateway.anchors.http import AnchoringFailed, post
from schemas.china_time import day_in_china

DELIVERY_NAME: Final = "paper"


class AnchorSource(Protocol):
    """
    One way: `is_soon` says whether the newest anchor is too fresh for another, `ask` fetches one or raises
    `AnchoringFailed`.  `slack` is what a source may be late beyond the common limit.
    """

    @property
    def kind(self) -> AnchorKind: ...
    @property
    def name(self) -> str: ...
    @property
    def slack(self) -> timedelta: ...
    def is_recent(self, newest: datetime, now: datetime) -> bool: ...
    async def fetch(self, kept: StoredCheckpoint, now: datetime) -> Anchor: ...


@dataclass(frozen=True, slots=True)
class TimestampSource:
    """An RFC 3161 authority."""

    site: TimestampAuthorityConfig
    every: timedelta
    slack: timedelta = timedelta(0)
    kind: AnchorKind = AnchorKind.TIMESTAMP

    @property
    def name(self) -> str:
        """As configured."""
        return self.site.name

    def is_recent(self, newest: datetime, now: datetime) -> bool:
        """Within the interval."""
        return now - newest < self.every

    async def fetch(self, kept: StoredCheckpoint, now: datetime) -> Anchor:
        """Has the bytes of the note stamped."""
        stamping = TimestampQuery.from_note(kept.note)
        reply = await post(self.site.url, stamping.encode(), content_type=REQUEST_TYPE, tls=self.site.tls)
        if reply.status != 200 or reply.content_type.partition(";")[0].strip() != REPLY_TYPE:
            raise AnchoringFailed(f"its answer is no timestamp (status {reply.status})")
        try:
            state = stamping.judge(reply.body, self.site.roots)
        except TimestampRefused as refused:
            why = str(refused)
        else:
            return Anchor(kind=self.kind, name=self.name, size=kept.size, at=now, evidence=reply.body, state=state)
        raise AnchoringFailed(why)


@dataclass(frozen=True, slots=True)
class WitnessSource:
    """A neighbour that cosigns (C2SP tlog-witness)."""

    site: WitnessConfig
    log: Log
    every: timedelta
    slack: timedelta = timedelta(0)
    kind: AnchorKind = AnchorKind.COSIGNATURE

    @property
    def name(self) -> str:
        """As configured."""
        return self.site.name

    def is_recent(self, newest: datetime, now: datetime) -> bool:
        """Within the interval."""
        return now - newest < self.every

    async def fetch(self, kept: StoredCheckpoint, now: datetime) -> Anchor:
        """Sends the note with a proof from the size that the witness knows; learns that size if it is another."""
        newest = await asyncio.to_thread(Anchors(self.log.reader).newest, self.kind, self.name)
        known = newest.size if newest else 0
        said = await self._sent(known, kept)
        if isinstance(said, int):
            said = await self._sent(said, kept)
        if not isinstance(said, Signature):
            raise AnchoringFailed("it names one size and then another")
        line = said.line().encode()
        return Anchor(kind=self.kind, name=self.name, size=kept.size, at=now, evidence=line)

    async def _sent(self, old: int, kept: StoredCheckpoint) -> Signature | int:
        if old > kept.size:
            raise AnchoringFailed(f"it has seen {old} entries of this log, which now has {kept.size}")
        proof = await asyncio.to_thread(self._proof, old, kept)
        url = f"{self.site.url}/add-checkpoint"
        reply = await post(url, make_request(old, proof, kept.note), content_type=TEXT, tls=self.site.tls)
        said = read_answer(WitnessAnswer(reply.status, reply.body, reply.content_type), kept.note, self.site.key)
        if said is None:
            raise AnchoringFailed(f"its answer is no cosignature of this checkpoint (status {reply.status})")
        return said

    def _proof(self, old: int, kept: StoredCheckpoint) -> list[bytes]:
        """The consistency proof, checked here first: what contradicts itself is never sent to anybody."""
        if not 0 < old < kept.size:
            return []
        reader = self.log.reader
        proof = reader.consistency(old, kept.size)
        sent = Anchors(reader).retained(old)
        root = range_nodes(old, reader.nodes()).root() if sent is None else read_checkpoint(sent).root
        if not verify_consistency(old, kept.size, root, read_checkpoint(kept.note).root, proof):
            raise AnchoringFailed(f"the log contradicts what it was at size {old}; run: shuniu audit verify")
        return proof


@dataclass(frozen=True, slots=True)
class DeliverySource:
    """A folder from which the day's checkpoint is printed, mailed or copied to whoever keeps it."""

    folder: Path
    vkey: VerifierKey
    slack: timedelta = timedelta(days=1)
    kind: AnchorKind = AnchorKind.DELIVERY
    name: str = DELIVERY_NAME

    def is_recent(self, newest: datetime, now: datetime) -> bool:
        """On the same day of the court."""
        return day_in_china(newest) == day_in_china(now)

    async def fetch(self, kept: StoredCheckpoint, now: datetime) -> Anchor:
        """Writes the day's files, durably."""
        day = day_in_china(now)
        try:
            path = await asyncio.to_thread(deliver, self.folder, kept.note, self.vkey, day)
        except OSError:
            path = None
        if path is None:
            raise AnchoringFailed("could not write into the delivery folder")
        evidence = f"{path.name} sha256 {hashlib.sha256(kept.note).hexdigest()}\n".encode()
        return Anchor(kind=self.kind, name=self.name, size=kept.size, at=now, evidence=evidence)
