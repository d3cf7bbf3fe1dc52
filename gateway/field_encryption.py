"""
The hub's own key: seals what the hub must remember about people, and marks identifiers for comparison.

A mark is HMAC-SHA256 of an identifier under a key of its own: equal identifiers have equal marks, and without the
key a mark says nothing.  Sealing is AES-256-GCM with a random nonce; the context is authenticated, so that a sealed
row cannot be moved to another place.
"""

import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from adapters.errors import ConfigurationError
from audit.durable_files import create_key_file, readable_by_others
from audit.sealing.mac import mac

HUB_KEY = "hub.key"
KEY_BYTES = 32
NONCE_BYTES = 12


class DecryptionFailed(Exception):
    """A sealed value does not open: wrong key, wrong place, or changed bytes."""


class FieldEncryption:
    """
    Seals, opens and marks with one root key.  Holds no state besides the keys derived from it.
    """

    def __init__(self, root: bytes) -> None:
        self._seal = AESGCM(_derive(root, b"shuniu seal"))
        self._mark = _derive(root, b"shuniu mark")

    @classmethod
    def load(cls, path: Path) -> "FieldEncryption":
        """Reads an owner-only key file.  Raises `ConfigurationError` with the command that mends it."""
        if not path.exists():
            raise ConfigurationError(f"{path}: no key file; make the keys of a new installation with: shuniu init")
        if readable_by_others(path):
            raise ConfigurationError(f"{path}: others can read this key; run: chmod 600 {path}")
        root = path.read_bytes()
        if len(root) != KEY_BYTES:
            raise ConfigurationError(f"{path}: a key is {KEY_BYTES} bytes; restore the file from its backup")
        return cls(root)

    @staticmethod
    def create(path: Path) -> None:
        """Writes a fresh key for its owner alone; refuses to replace one."""
        create_key_file(path, os.urandom(KEY_BYTES))

    def seal(self, context: str, value: bytes) -> bytes:
        """Seals `value` for one context."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._seal.encrypt(nonce, value, context.encode())

    def open(self, context: str, sealed: bytes) -> bytes:
        """Opens what was sealed for the same context.  Raises `DecryptionFailed`."""
        try:
            return self._seal.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context.encode())
        except InvalidTag:
            pass
        raise DecryptionFailed

    def blind_index(self, kind: str, value: str) -> bytes:
        """The 32-byte mark of an identifier of one kind."""
        return mac(self._mark, f"{kind}|{value}".encode())


def _derive(root: bytes, purpose: bytes) -> bytes:
    # The root key is uniformly random, so a single HMAC is a sound key derivation (RFC 5869, expand step).
    return mac(root, purpose + b"\x01")
