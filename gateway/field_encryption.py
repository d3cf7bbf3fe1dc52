"""
Field encryption: encrypts personal data in the hub's tables, and gives identifiers a blind index for comparison.

A blind index is HMAC-SHA256 under a key of its own: equal identifiers have equal indexes, which reveal nothing without
the key.  Encryption is AES-256-GCM with a random nonce; the context is authenticated, so that a value cannot be moved
to another row.
"""

import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from adapters.errors import ConfigurationError
from audit.durable_files import create_key_file, readable_by_others
from audit.sealing.commitment import mac

HUB_KEY = "hub.key"
KEY_BYTES = 32
NONCE_BYTES = 12


class DecryptionFailed(Exception):
    """A value does not decrypt: wrong key, wrong context, or changed bytes."""


class FieldEncryption:
    """
    Encrypts, decrypts and indexes with keys derived from one root key.
    """

    def __init__(self, root: bytes) -> None:
        self._seal = AESGCM(_derive(root, b"shuniu seal"))
        self._index_key = _derive(root, b"shuniu mark")

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
        """Writes a new key for its owner alone; never replaces one."""
        create_key_file(path, os.urandom(KEY_BYTES))

    def seal(self, context: str, value: bytes) -> bytes:
        """Encrypts `value` for one context."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._seal.encrypt(nonce, value, context.encode())

    def open(self, context: str, sealed: bytes) -> bytes:
        """Decrypts a value of the same context.  Raises `DecryptionFailed`."""
        try:
            return self._seal.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context.encode())
        except InvalidTag:
            pass
        raise DecryptionFailed

    def blind_index(self, kind: str, value: str) -> bytes:
        """The 32-byte blind index of an identifier of one kind."""
        return mac(self._index_key, f"{kind}|{value}".encode())


def _derive(root: bytes, purpose: bytes) -> bytes:
    # The root key is uniformly random, so a single HMAC is a sound key derivation (RFC 5869, expand step).
    return mac(root, purpose + b"\x01")
