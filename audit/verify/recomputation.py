"""
Recomputation of a log's hashes from its entries alone, and their comparison with the stored hashes.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from audit.format.tiles import LEVEL_BITS, WIDTH
from audit.format.tree import HASH_BYTES, CompactRange, full_root, leaf_hash

_sha256 = hashlib.sha256

Progress = Callable[[int, int], None]


class LogSource(Protocol):
    """
    A stored log.  Reads, and verifies nothing.
    """

    def checkpoint(self) -> bytes:
        """The newest checkpoint; empty if there is none."""
        ...

    def entries(self, n: int, width: int) -> Sequence[bytes | None]:
        """`width` entries from n·256 on; None for one that is missing or cannot be told from its neighbours."""
        ...

    def hashes(self, level: int, n: int, width: int) -> bytes:
        """The stored hashes of a tile, however many there are."""
        ...

    def peaks(self) -> Sequence[bytes]:
        """The roots of the perfect subtrees under the newest root, largest first; empty where they are not stored."""
        ...


class Recomputed:
    """
    The hashes of every level, the tree, and the roots at some earlier sizes, recomputed from the entries alone.

    `unread` are the entries that are missing, `mismatched` the tiles (level, number, width) that are stored otherwise.
    """

    def __init__(self, source: LogSource, size: int, sizes: Sequence[int], progress: Progress | None) -> None:
        self.source = source
        self.size = size
        self.range = CompactRange()
        self.roots: dict[int, bytes] = {}
        self.unread: set[int] = set()
        self.mismatched: list[tuple[int, int, int]] = []
        self.tiles = 0
        # levels[l] holds the hashes of level l, concatenated; level 0 only as far as it is not yet a full tile.
        self.levels: list[bytearray] = [bytearray()]
        self._sizes = deque(earlier for earlier in sizes if 0 < earlier <= size)
        for n in range(-(-size // WIDTH)):
            self._bundle(n, min(WIDTH, size - n * WIDTH))
            if progress is not None:
                progress(min((n + 1) * WIDTH, size), size)
        for level in range(1, len(self.levels)):
            self._compare_level(level)

    def cells(self, level: int, first: int, count: int) -> bytes:
        """`count` hashes of a level from number `first` on, all of one tile, as they follow from the entries."""
        n, place = divmod(first, WIDTH)
        if level:
            return bytes(self.levels[level][first * HASH_BYTES : (first + count) * HASH_BYTES])
        if n == self.size // WIDTH:
            return bytes(self.levels[0][place * HASH_BYTES : (place + count) * HASH_BYTES])
        leaves = self._with_gaps(n, self.source.entries(n, WIDTH), self.source.hashes(0, n, WIDTH))
        return leaves[place * HASH_BYTES : (place + count) * HASH_BYTES]

    def stored(self, level: int, first: int, count: int) -> bytes:
        """The same hashes as they are stored, as many as there are."""
        n, place = divmod(first, WIDTH)
        width = min(WIDTH, (self.size >> (LEVEL_BITS * level)) - n * WIDTH)
        return self.source.hashes(level, n, width)[place * HASH_BYTES : (place + count) * HASH_BYTES]

    def _bundle(self, n: int, width: int) -> None:
        stored = self.source.hashes(0, n, width)
        entries = self.source.entries(n, width)
        try:
            leaves = b"".join([_sha256(b"\x00" + entry).digest() for entry in entries])  # type: ignore[operator]
        except TypeError:
            leaves = self._with_gaps(n, entries, stored)
        self.tiles += 1
        if leaves != stored:
            self.mismatched.append((0, n, width))
        self._roots_within(n * WIDTH, leaves)
        if width == WIDTH:
            self._push(1, full_root(leaves))
            self.range.append_full(LEVEL_BITS, bytes(self.levels[1][-HASH_BYTES:]))
        else:
            self.levels[0] = bytearray(leaves)
            for leaf in cells_of(leaves):
                self.range.append(leaf)

    def _with_gaps(self, n: int, entries: Sequence[bytes | None], stored: bytes) -> bytes:
        # The stored hash replaces a missing entry, so that the rest can still be verified.
        leaves: list[bytes] = []
        for place, entry in enumerate(entries):
            if entry is None:
                self.unread.add(n * WIDTH + place)
                leaves.append(stored[place * HASH_BYTES : (place + 1) * HASH_BYTES].ljust(HASH_BYTES, b"\0"))
            else:
                leaves.append(leaf_hash(entry))
        return b"".join(leaves)

    def _roots_within(self, start: int, leaves: bytes) -> None:
        while self._sizes and self._sizes[0] <= start + len(leaves) // HASH_BYTES:
            size = self._sizes.popleft()
            tree = self.range.copy()
            for leaf in cells_of(leaves[: (size - start) * HASH_BYTES]):
                tree.append(leaf)
            self.roots[size] = tree.root()

    def _push(self, level: int, node: bytes) -> None:
        if level == len(self.levels):
            self.levels.append(bytearray())
        self.levels[level] += node
        if len(self.levels[level]) % (WIDTH * HASH_BYTES) == 0:
            self._push(level + 1, full_root(bytes(self.levels[level][-WIDTH * HASH_BYTES :])))

    def _compare_level(self, level: int) -> None:
        count = len(self.levels[level]) // HASH_BYTES
        for n in range(-(-count // WIDTH)):
            width = min(WIDTH, count - n * WIDTH)
            self.tiles += 1
            if self.source.hashes(level, n, width) != self.cells(level, n * WIDTH, width):
                self.mismatched.append((level, n, width))


def cells_of(hashes: bytes) -> Iterator[bytes]:
    """The single hashes of a concatenation; the last one may be cut off."""
    for at in range(0, len(hashes), HASH_BYTES):
        yield hashes[at : at + HASH_BYTES]
