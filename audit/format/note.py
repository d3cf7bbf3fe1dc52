"""
Signed notes (C2SP signed-note v1.0.0): a text and, below it, lines with signatures.  Ed25519 only.  Pure.

One signature of a known key is required, further ones of unknown keys are ignored, and a wrong signature of a known key
invalidates the note.  Stricter than the specification where it leaves a choice: base64 must be canonical.
"""

import base64
import binascii
import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar, Protocol, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ED25519 = 0x01
COSIGNATURE = 0x04
KEY_ID_BYTES = 4
MOST_BYTES = 1_000_000
MOST_SIGNATURES = 100

_DASH = "\u2014 "


class NoteError(ValueError):
    """Not a note, or not signed as it must be."""


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: name, key id, and the bytes after the key id."""

    name: str
    key_id: bytes
    payload: bytes

    def line(self) -> str:
        """The line as it stands in the note, with its newline."""
        return f"{_DASH}{self.name} {base64.b64encode(self.key_id + self.payload).decode()}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text, which ends in a newline, and its signatures, checked (`open_note`) or not (`parse`)."""

    text: str
    signatures: tuple[Signature, ...]

    def encode(self) -> bytes:
        """The note's bytes."""
        return (self.text + "\n" + "".join(signature.line() for signature in self.signatures)).encode()


class Verifier(Protocol):
    """One public key: `check` verifies `payload` as its signature over `text`."""

    @property
    def name(self) -> str: ...
    @property
    def key_id(self) -> bytes: ...
    def check(self, text: str, payload: bytes) -> bool: ...


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A named Ed25519 public key; `kind` is the type byte of its signatures."""

    kind: ClassVar[int]
    label: ClassVar[str]

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """The id of the key in a signature line."""
        return key_id(self.name, self.kind, self.public)

    def encode(self) -> str:
        """The key as text (`vkey`): `<name>+<8 hex digits>+<base64>`."""
        return encode_key(self.name, self.kind, self.public)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads a `vkey`; its key id is recomputed.  Raises `NoteError`."""
        name, kind, public = parse_key(text)
        if kind != cls.kind:
            raise NoteError(f"could not read the key: not {cls.label}")
        return cls(name, public)


@dataclass(frozen=True, slots=True)
class VerifierKey(PublicKey):
    """A log's public key."""

    kind = ED25519
    label = "an Ed25519 log key"

    def check(self, text: str, payload: bytes) -> bool:
        """Whether this key signed the text."""
        return check_ed25519(self.public, text.encode(), payload)


class Signer:
    """A log's private key.  Its holder can sign any tree in the log's name."""

    def __init__(self, name: str, seed: bytes) -> None:
        check_name(name)
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.vkey = VerifierKey(name, public_bytes(self._key))

    def sign(self, text: str) -> Note:
        """Signs a text, which must end in a newline."""
        if not text.endswith("\n"):
            raise NoteError("a note's text must end in a newline")
        vkey = self.vkey
        return Note(text, (Signature(vkey.name, vkey.key_id, self._key.sign(text.encode())),))


def parse(encoded: bytes) -> Note:
    """
    Reads a note without checking any signature.  Raises `NoteError`.
    """
    if len(encoded) > MOST_BYTES:
        raise NoteError("could not read the note: too long")
    try:
        whole = encoded.decode("utf-8")
    except UnicodeDecodeError:
        whole = "\x00"
    if any(character < " " and character != "\n" for character in whole):
        raise NoteError("could not read the note: not plain UTF-8 text")
    end = whole.rfind("\n\n")
    below = whole[end + 2 :]
    if end < 0 or not below.endswith("\n"):
        raise NoteError("could not read the note: no signatures below an empty line")
    lines = below[:-1].split("\n")
    if len(lines) > MOST_SIGNATURES:
        raise NoteError("could not read the note: too many signatures")
    return Note(whole[: end + 1], tuple(_parse_line(line) for line in lines))


def open_note(encoded: bytes, known: Collection[Verifier]) -> Note:
    """
    Reads a note and keeps the signatures of known keys, each checked.

    Raises `NoteError` if there is none, or one fails.
    """
    note = parse(encoded)
    verifiers = {(verifier.name, verifier.key_id): verifier for verifier in known}
    valid: dict[tuple[str, bytes], Signature] = {}
    for signature in note.signatures:
        pair = (signature.name, signature.key_id)
        verifier = verifiers.get(pair)
        if verifier is None or pair in valid:
            continue
        if not verifier.check(note.text, signature.payload):
            raise NoteError("could not accept the note: a signature of a known key is wrong")
        valid[pair] = signature
    if not valid:
        raise NoteError("could not accept the note: no known key has signed it")
    return Note(note.text, tuple(valid.values()))


def key_id(name: str, kind: int, public: bytes) -> bytes:
    """The four bytes that name a key."""
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:KEY_ID_BYTES]


def encode_key(name: str, kind: int, public: bytes) -> str:
    """A verifier key as text."""
    return f"{name}+{key_id(name, kind, public).hex()}+{base64.b64encode(bytes([kind]) + public).decode()}"


def parse_key(text: str) -> tuple[str, int, bytes]:
    """Name, type byte and public key of a verifier key.  Raises `NoteError`."""
    # The base64 part may hold a plus sign itself; name and key id cannot.
    name, _, rest = text.strip().partition("+")
    stated, _, encoded = rest.partition("+")
    check_name(name)
    key = decode_base64(encoded)
    if len(key) != 1 + 32 or key[0] not in {ED25519, COSIGNATURE}:
        raise NoteError("could not read the verifier key: not an Ed25519 key")
    if stated != key_id(name, key[0], key[1:]).hex():
        raise NoteError("could not read the verifier key: its key id is not that of its key")
    return name, key[0], key[1:]


def check_ed25519(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether an Ed25519 signature is right."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    """The 32 bytes of the public key."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def check_name(name: str) -> None:
    """Raises `NoteError` unless this can name a key: not empty, no space, no plus sign."""
    if not name or "+" in name or any(character.isspace() or character < " " for character in name):
        raise NoteError("could not use the key name: it must not be empty or hold a space or a plus sign")


def decode_base64(text: str) -> bytes:
    """Decodes canonical, padded, standard base64.  Raises `NoteError`."""
    try:
        decoded = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError, ValueError):
        decoded = None
    # Bits that do not count must be zero, or one signature would have several spellings.
    if decoded is None or base64.b64encode(decoded).decode() != text:
        raise NoteError("could not read the note: base64 is not canonical")
    return decoded


def _parse_line(line: str) -> Signature:
    parts = line.removeprefix(_DASH).split(" ")
    if not line.startswith(_DASH) or len(parts) != 2:
        raise NoteError("could not read the note: a signature line is malformed")
    name, encoded = parts
    check_name(name)
    signature = decode_base64(encoded)
    if len(signature) <= KEY_ID_BYTES:
        raise NoteError("could not read the note: a signature is too short")
    return Signature(name, signature[:KEY_ID_BYTES], signature[KEY_ID_BYTES:])
