"""
The checkpoint signer: signs a log that has grown, and never one that contradicts an earlier signature.

The signer folds the leaves into its own tree, and compares the database's tree with it at start and before every
signature.  A log that is smaller than, or different from, any signed state is refused.
"""

import time
from dataclasses import dataclass

from audit.errors import LogBroken
from audit.format.checkpoint import Checkpoint, open_checkpoint
from audit.format.note import NoteError
from audit.format.tree import CompactRange, fold
from audit.sealing.keys import Keys
from audit.sealing.rollback_guard import RollbackGuard, SignedState
from audit.store.reader import Head, Reader


@dataclass(frozen=True, slots=True)
class _Newest:
    size: int
    note: bytes
    at: float


class CheckpointSigner:
    """
    Signs for one log with one key.  Safe to run in every process and on every host that has the key.

    `broken` is the reason why it has stopped signing, if it has.
    """

    def __init__(self, keys: Keys, reader: Reader) -> None:
        self._signer = keys.signer
        self._vkey = keys.signer.vkey
        self._guard = RollbackGuard(keys.guard, self._vkey)
        self._reader = reader
        # Replaced as a whole by the holder of the guard's lock, read by any thread.
        self._newest = _Newest(0, b"", time.monotonic())
        self.broken: LogBroken | None = None

    @property
    def size(self) -> int:
        """The size of the newest signed checkpoint known here."""
        return self._newest.size

    @property
    def note(self) -> bytes:
        """The newest signed checkpoint known here."""
        return self._newest.note

    @property
    def age(self) -> float:
        """Seconds since a checkpoint last covered the whole log."""
        return time.monotonic() - self._newest.at

    def sign(self) -> int:
        """
        Signs the log if it has grown since the last signature, and returns the size of the newest checkpoint.

        The guard is durable before the signature is published.  Raises `LogBroken` and signs nothing if the log
        contradicts an earlier signature, `LogConfigurationError`, `AuditUnavailable`.
        """
        if self.broken is not None:
            raise self.broken
        try:
            with self._guard.locked():
                self._newest = self._sign()
        except LogBroken as broken:
            self.broken = broken
            raise
        return self._newest.size

    def _sign(self) -> _Newest:
        remembered = self._guard.load()
        head = self._reader.head()
        tree = self._folded(remembered, head)
        note = remembered.note
        if tree.size > remembered.range.size or not note:
            text = Checkpoint(self._vkey.name, tree.size, tree.root()).text()
            note = self._signer.sign(text).encode()
            self._guard.store(SignedState(note, tree))
        if head.signed_size < tree.size or not head.signed_note:
            # False if another host has published a larger tree of the same log.
            self._reader.publish(tree.size, note)
        return _Newest(tree.size, note, time.monotonic())

    def _folded(self, remembered: SignedState, head: Head) -> CompactRange:
        """The tree of the current log, folded through every signed state."""
        tree = remembered.range.copy()
        if head.size < tree.size:
            raise LogBroken(
                f"the log has {head.size} entries, but {tree.size} were signed: the database was rolled back or "
                "replaced. Restore the newest copy; if there is none, begin a new log with: shuniu audit succeed",
                last_good=head.size,
            )
        start = tree.size
        if head.signed_note and start < head.signed_size <= head.size:
            # Another host has signed more than this one remembers.
            self._extend(tree, head.signed_size)
            self._compare(tree, self._published(head), start)
        self._extend(tree, head.size)
        self._compare(tree, fold(head.range), start)
        if head.signed_note and head.signed_size == tree.size:
            self._compare(tree, self._published(head), start)
        return tree

    def _extend(self, tree: CompactRange, size: int) -> None:
        for leaf in self._reader.leaves(tree.size, size):
            tree.append(leaf)
        if tree.size != size:
            raise LogBroken(f"entry {tree.size} is missing", last_good=tree.size, first_bad=tree.size + 1)

    @staticmethod
    def _compare(tree: CompactRange, root: bytes, last_good: int) -> None:
        if tree.root() != root:
            raise LogBroken(
                f"the first {tree.size} entries are not those that the log's head or checkpoint speaks of; "
                "run: shuniu audit verify",
                last_good=last_good,
                first_bad=tree.size,
            )

    def _published(self, head: Head) -> bytes:
        try:
            checkpoint, _ = open_checkpoint(head.signed_note, self._vkey.name, [self._vkey])
            fits = checkpoint.size == head.signed_size
        except NoteError:
            fits = False
        if not fits:
            raise LogBroken("the checkpoint in the database is not one that this key signed")
        return checkpoint.root
