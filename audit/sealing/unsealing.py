"""
Unsealing: opens a subject's boxes and payloads, and yields the openings of their commitments.
"""

import struct
from dataclasses import dataclass, field
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from audit.errors import LogBroken
from audit.sealing.commitment import CommitmentOpening
from audit.sealing.keys import Keys
from audit.sealing.sealer import NONCE_BYTES, BlindIndex, SubjectKey, wrapping_context

_LENGTH = struct.Struct(">H")


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A subject's key as stored: useless without the root key."""

    id: int
    mark: bytes = field(repr=False)
    wrapped: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class OpenedBox:
    """The values of a box in their sealed order, each as the opening of its commitment."""

    openings: tuple[CommitmentOpening, ...] = field(repr=False)

    def value(self, name: str) -> bytes:
        """The value of one field; empty if it is not in this box."""
        return next((opening.value for opening in self.openings if opening.name == name), b"")


class Unsealer:
    """
    Opens with the root key of one log.
    """

    def __init__(self, keys: Keys) -> None:
        self.marks = BlindIndex(keys.index)
        self._origin = keys.origin
        self._root = AESGCM(keys.root)
        self._known: dict[int, SubjectKey] = {}

    def key(self, stored: WrappedKey) -> SubjectKey:
        """Unwraps a subject's key.  Raises `LogBroken` if it was altered, or belongs to another root key."""
        if stored.id not in self._known:
            if len(self._known) > 10_000:
                self._known.clear()
            secret = _decrypt(self._root, stored.wrapped, wrapping_context(self._origin, stored.id, stored.mark))
            if secret is None:
                raise LogBroken("a subject's key does not unwrap: altered, or wrapped under another root key")
            self._known[stored.id] = SubjectKey(stored.id, stored.mark, secret, stored.wrapped, stored=True)
        return self._known[stored.id]

    def party(self, stored: WrappedKey, exchange: UUID, number: int, slot: int, box: bytes) -> OpenedBox | None:
        """Opens a party's box; None if it was altered."""
        names = (f"whose.{slot}", "digests")
        return self._box(stored, f"{self._origin}|{exchange.hex}|{number}|{slot}|party", box, names)

    def staff(self, stored: WrappedKey, exchange: UUID, number: int, box: bytes) -> OpenedBox | None:
        """Opens the box of the member of staff and the case; None if it was altered."""
        names = ("who", "why", "digests")
        return self._box(stored, f"{self._origin}|{exchange.hex}|{number}|0|staff", box, names)

    def payload(self, stored: WrappedKey, exchange: UUID, number: int, what: tuple[str, str, str], box: bytes) -> bytes:
        """Opens a payload.  Raises `LogBroken` if it was altered."""
        context = f"{self._origin}|{exchange.hex}|{number}|{'|'.join(what)}".encode()
        body = _decrypt(self.key(stored).payload_cipher, box, context)
        if body is None:
            raise LogBroken("a sealed payload does not open: it was altered or moved")
        return body

    def _box(self, stored: WrappedKey, context: str, box: bytes, names: tuple[str, ...]) -> OpenedBox | None:
        key = self.key(stored)
        plain = _decrypt(key.box_cipher, box, context.encode())
        if plain is None:
            return None
        nonce = box[:NONCE_BYTES]
        openings: list[CommitmentOpening] = []
        at = 0
        for name in names:
            if at >= len(plain):
                break
            (length,) = _LENGTH.unpack_from(plain, at)
            value = plain[at + 2 : at + 2 + length]
            openings.append(CommitmentOpening(name, key.r(nonce, name), value))
            at += 2 + length
        return OpenedBox(tuple(openings))


def _decrypt(cipher: AESGCM, box: bytes, context: bytes) -> bytes | None:
    try:
        return cipher.decrypt(box[:NONCE_BYTES], box[NONCE_BYTES:], context)
    except (InvalidTag, ValueError):
        return None
