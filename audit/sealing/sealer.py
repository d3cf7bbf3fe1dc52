"""
Sealing of events: every personal value of a stored record is encrypted under a subject's key.

A subject (a party, a member of staff) has a random key per process, wrapped by the root key.  The AES-GCM keys of the
subject's boxes and payloads and the `r` of its commitments derive from it: once the wrapped key is destroyed, nothing
of that subject can be opened or confirmed any more, and no hash in the log changes.
"""

import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from audit.format import leaf
from audit.format.event import Actor, Event, SealedPayload
from audit.format.tree import leaf_hash
from audit.sealing.commitment import commit, mac
from audit.sealing.keys import KEY_BYTES, Keys
from schemas.identifiers.normalize import normalized_case_number
from schemas.subject import Subject

NONCE_BYTES = 12
MARK_BYTES = 16
MOST_KEYS = 20_000
# A cipher takes many times the memory of its key and is quickly made: only recent ones are cached.
MOST_CIPHERS = 512
_NONCES_AT_ONCE = 512

_LENGTH = struct.Struct(">H").pack


class SubjectKey:
    """
    One key of one subject.  `stored` turns true once a commit has made its wrapped form durable; until then every
    record that uses it brings it along.
    """

    __slots__ = ("_boxes", "_kept", "commits", "id", "mark", "stored", "wrapped")

    def __init__(self, identity: int, mark: bytes, secret: bytes, wrapped: bytes, *, stored: bool) -> None:
        self.id = identity
        self.mark = mark
        self.wrapped = wrapped
        self.stored = stored
        self._boxes = _derive(secret, b"boxes")
        self._kept = _derive(secret, b"kept")
        self.commits = _derive(secret, b"commitments")

    @property
    def box_cipher(self) -> AESGCM:
        """The cipher of the subject's boxes."""
        return _cipher(self._boxes)

    @property
    def payload_cipher(self) -> AESGCM:
        """The cipher of the subject's payloads."""
        return _cipher(self._kept)

    @property
    def short_mark(self) -> int:
        """The mark beside a sealed value, shortened; search checks every hit against the value itself."""
        return short_mark(self.mark)

    def r(self, nonce: bytes, name: str) -> bytes:
        """The randomness of one field's commitment in one box."""
        return mac(self.commits, nonce + name.encode())


@dataclass(frozen=True, slots=True)
class Box:
    """The stored form of one slot's values: ciphertext under a subject's key."""

    key: int | None = None
    box: bytes | None = None
    mark: int | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """One row of sealed values: a party's, and in slot 0 the member of staff's with the marks of the matter."""

    party: Box
    staff: Box
    case_mark: int | None = None
    order_mark: int | None = None


@dataclass(frozen=True, slots=True)
class EncryptedPayload:
    """A sealed payload.  `expires` is microseconds since 1970."""

    kind: str
    agency: str
    capability: str
    key: int
    box: bytes
    expires: int


@dataclass(frozen=True, slots=True)
class PreparedRecord:
    """Everything that one append stores.  No personal value stands in clear."""

    xid: bytes
    type: int
    at: int
    court: str | None
    states: int
    body: bytes
    leaf: bytes
    slots: tuple[Slot, ...]
    payloads: tuple[EncryptedPayload, ...]
    keys: tuple[SubjectKey, ...] = field(repr=False)
    epoch: int


class BlindIndex:
    """Keyed marks of identifiers: equal identifiers have equal marks, meaningless without the key."""

    def __init__(self, index: bytes) -> None:
        self._key = index

    def party(self, subject: Subject) -> bytes:
        """The mark of a party's identifier."""
        return self._mark("party", subject.id_type.value, subject.id_number)

    def staff(self, court: str | None, user: str | None) -> bytes:
        """The mark of a member of staff."""
        return self._mark("staff", court or "", user or "")

    def case(self, case_number: str) -> bytes:
        """The mark of a case number, in any spelling of its brackets and digits."""
        return self._mark("case", normalized_case_number(case_number))

    def order(self, court: str | None, work_order: str) -> bytes:
        """The mark of a work order of a court."""
        return self._mark("order", court or "", work_order)

    def _mark(self, *parts: str) -> bytes:
        return mac(self._key, "|".join(parts).encode())[:MARK_BYTES]


class _Nonces:
    """
    Random nonces of 12 bytes, drawn from the system many at a time.  Never the same twice, also after a fork.

    One `os.urandom` per nonce would release the interpreter lock each time: 226 µs instead of 1 µs beside the
    sequencer's busy thread.
    """

    def __init__(self) -> None:
        self._drawn = b""
        self._at = 0
        os.register_at_fork(after_in_child=self._forget)

    def take(self, count: int) -> bytes:
        """`count` nonces, one after the other."""
        start, end = self._at, self._at + count * NONCE_BYTES
        if end > len(self._drawn):
            self._drawn = os.urandom(NONCE_BYTES * max(count, _NONCES_AT_ONCE))
            start, end = 0, count * NONCE_BYTES
        self._at = end
        return self._drawn[start:end]

    def _forget(self) -> None:
        self._drawn, self._at = b"", 0


class Sealer:
    """
    Seals the events of one log in one process.  Needs no database: an unknown subject gets a fresh key, and several
    processes may have different keys of the same subject.

    `epoch` is the number of erasures before these keys were made; `forget` drops them all.
    """

    def __init__(self, keys: Keys, epoch: int) -> None:
        self.epoch = epoch
        self.marks = BlindIndex(keys.index)
        self._origin = keys.origin
        self._root = AESGCM(keys.root)
        self._known: dict[tuple[str | None, ...], SubjectKey] = {}
        self._nonces = _Nonces()
        self._short: dict[tuple[str | None, ...], int] = {}

    def forget(self, epoch: int) -> None:
        """Drops all keys, since one of them may have been destroyed."""
        self._known.clear()
        _cipher.cache_clear()
        self.epoch = epoch

    def seal(self, event: Event, payloads: Sequence[SealedPayload] = ()) -> PreparedRecord:
        """
        Prepares an event for storage.  Raises `RecordRefused`.
        """
        exchange = f"{self._origin}|{event.exchange.hex}|{event.type.number}|"
        digests = leaf.digests_value(event)
        parties = [self._party(subject) for subject in event.whose]
        # A record that completes another one repeats neither who nor whose nor why.
        whole = not event.type.is_completion
        who, why = (leaf.who_value(event.who), leaf.why_value(event.why)) if whole else (b"", b"")
        staff = self._staff(event.who) if who or why or (not parties and (digests or payloads)) else None
        nonces = self._nonces.take(len(parties) + 1)
        boxes: list[Box] = []
        commitments: list[bytes] = []
        for number, (key, subject) in enumerate(zip(parties, event.whose, strict=True)):
            nonce = nonces[NONCE_BYTES * number : NONCE_BYTES * (number + 1)]
            value = leaf.whose_value(subject) if whole else b""
            values = [value, digests] if digests and not number else [value]
            if any(values):
                commitments.append(commit(f"whose.{number}", key.r(nonce, f"whose.{number}"), value))
                boxes.append(_box(key, nonce, f"{exchange}{number}|party", values, searchable=whole))
        own = nonces[-NONCE_BYTES:]
        staff_box = Box()
        if staff is not None:
            values = [who, why, digests] if digests and not parties else [who, why]
            staff_box = _box(staff, own, f"{exchange}0|staff", values, searchable=whole and event.who.user is not None)
        holder, nonce = (parties[0], nonces[:NONCE_BYTES]) if parties else (staff, own)
        body = leaf.body(
            event,
            who=commit("who", staff.r(own, "who"), who) if who and staff else b"",
            why=commit("why", staff.r(own, "why"), why) if why and staff else b"",
            whose=commitments,
            digests=commit("digests", holder.r(nonce, "digests"), digests) if digests and holder else b"",
        )
        return PreparedRecord(
            xid=event.exchange.bytes,
            type=event.type.number,
            at=leaf.microseconds(event.at),
            court=event.who.court,
            states=leaf.states_mask(event),
            body=body,
            leaf=leaf_hash(body),
            slots=self._slots(event, boxes, staff_box),
            payloads=tuple(self._keep(holder, exchange, payload) for payload in payloads) if holder else (),
            keys=tuple(key for key in (*parties, staff) if key is not None and not key.stored),
            epoch=self.epoch,
        )

    def _slots(self, event: Event, boxes: list[Box], staff: Box) -> tuple[Slot, ...]:
        if not boxes and staff.key is None:
            return ()
        case = order = None
        if event.why is not None and not event.type.is_completion:
            if event.why.case_number:
                case = self._short_mark(("case", event.why.case_number))
            if event.why.work_order:
                order = self._short_mark(("order", event.who.court, event.why.work_order))
        first = boxes[0] if boxes else Box()
        return (Slot(first, staff, case, order), *(Slot(box, Box()) for box in boxes[1:]))

    def _keep(self, key: SubjectKey, exchange: str, payload: SealedPayload) -> EncryptedPayload:
        nonce = self._nonces.take(1)
        context = f"{exchange}{payload.kind}|{payload.agency}|{payload.capability}".encode()
        return EncryptedPayload(
            kind=payload.kind,
            agency=payload.agency,
            capability=payload.capability,
            key=key.id,
            box=nonce + key.payload_cipher.encrypt(nonce, payload.body, context),
            expires=leaf.microseconds(payload.expires_at),
        )

    def _party(self, subject: Subject) -> SubjectKey:
        known = ("party", subject.id_type.value, subject.id_number)
        return self._known.get(known) or self._fresh(known, self.marks.party(subject))

    def _staff(self, who: Actor) -> SubjectKey:
        known = ("staff", who.court, who.user)
        return self._known.get(known) or self._fresh(known, self.marks.staff(who.court, who.user))

    def _fresh(self, known: tuple[str | None, ...], mark: bytes) -> SubjectKey:
        if len(self._known) >= MOST_KEYS:
            self._known.pop(next(iter(self._known)))
        drawn = os.urandom(KEY_BYTES + NONCE_BYTES + 8)
        secret, nonce = drawn[:KEY_BYTES], drawn[KEY_BYTES : KEY_BYTES + NONCE_BYTES]
        identity = int.from_bytes(drawn[-8:]) >> 1
        wrapped = nonce + self._root.encrypt(nonce, secret, wrapping_context(self._origin, identity, mark))
        key = self._known[known] = SubjectKey(identity, mark, secret, wrapped, stored=False)
        return key

    def _short_mark(self, known: tuple[str | None, ...]) -> int:
        if known not in self._short:
            if len(self._short) >= MOST_KEYS:
                self._short.clear()
            kind, *rest = known
            mark = self.marks.case(rest[0] or "") if kind == "case" else self.marks.order(rest[0], rest[1] or "")
            self._short[known] = short_mark(mark)
        return self._short[known]


@lru_cache(maxsize=MOST_CIPHERS)
def _cipher(secret: bytes) -> AESGCM:
    return AESGCM(secret)


def same_case(first: str, second: str) -> bool:
    """Whether two texts are spellings of one case number."""
    return normalized_case_number(first) == normalized_case_number(second)


def short_mark(mark: bytes) -> int:
    """The first 64 bits of a mark, as PostgreSQL's bigint."""
    return int.from_bytes(mark[:8], signed=True)


def wrapping_context(origin: str, identity: int, mark: bytes) -> bytes:
    """The associated data of a wrapped key."""
    return f"{origin}|{identity}|".encode() + mark


def _box(key: SubjectKey, nonce: bytes, aad: str, values: list[bytes], *, searchable: bool) -> Box:
    plain = b"".join([part for value in values for part in (_LENGTH(len(value)), value)])
    return Box(
        key.id, nonce + key.box_cipher.encrypt(nonce, plain, aad.encode()), key.short_mark if searchable else None
    )


def _derive(secret: bytes, purpose: bytes) -> bytes:
    # The secret is uniformly random, so a single HMAC is a sound key derivation (RFC 5869, expand step).
    return mac(secret, purpose + b"\x01")
