"""
The rollback guard: the last checkpoint that was signed here, stored beside the key and not in the database.

It must not be rolled back together with the log, or an old backup would make the key sign a second history.  Only the
holder of the file lock changes it, and every change is durable before its signature is published.
"""

import base64
import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from audit.durable_files import create_key_file, replace_file, sync_folder
from audit.errors import LogConfigurationError
from audit.format.checkpoint import open_checkpoint
from audit.format.note import NoteError, VerifierKey
from audit.format.tree import CompactRange


@dataclass(frozen=True, slots=True)
class SignedState:
    """The last signed checkpoint (empty before the first) and its compact range."""

    note: bytes
    range: CompactRange


class RollbackGuard:
    """
    The guard file of one key.  Several processes of one host share it; each host has its own.
    """

    def __init__(self, path: Path, vkey: VerifierKey) -> None:
        self._path = path
        self._vkey = vkey

    @staticmethod
    def create(path: Path) -> None:
        """Writes the guard of a new log, which has signed nothing yet.  Never replaces one."""
        create_key_file(path, _encode(SignedState(b"", CompactRange())))

    def load(self) -> SignedState:
        """Reads the guard.  Raises `LogConfigurationError` if it is missing or does not belong to the key."""
        if not self._path.exists():
            raise LogConfigurationError(
                f"{self._path}: the rollback guard is missing; without it a restored database could make the key "
                "sign a second history. Copy it from the newest copy of the key folder; if there is none, begin a new "
                "log with: shuniu audit succeed"
            )
        try:
            document = json.loads(self._path.read_bytes())
            note = document["checkpoint"].encode()
            nodes = [base64.b64decode(node, validate=True) for node in document["range"]]
            size, root = 0, CompactRange().root()
            if note:
                checkpoint, _ = open_checkpoint(note, self._vkey.name, [self._vkey])
                size, root = checkpoint.size, checkpoint.root
            remembered = SignedState(note, CompactRange(size, nodes))
            fits = remembered.range.root() == root
        except (NoteError, ValueError, KeyError, TypeError, AttributeError):
            fits = False
        if not fits:
            raise LogConfigurationError(f"{self._path}: not the rollback guard of this key; restore it from its copy")
        return remembered

    def store(self, remembered: SignedState) -> None:
        """Replaces the guard, durably.  The caller holds the lock and has checked that the log only grew."""
        replace_file(self._path, _encode(remembered), mode=0o600)
        sync_folder(self._path.parent)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the guard against the other processes of this host."""
        descriptor = os.open(self._path.with_suffix(".lock"), os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _encode(remembered: SignedState) -> bytes:
    nodes = [base64.b64encode(node).decode() for node in remembered.range.nodes]
    return json.dumps({"checkpoint": remembered.note.decode(), "range": nodes}, indent=1).encode() + b"\n"
