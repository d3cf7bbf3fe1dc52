"""
The verifier: re-derives a log from its entries and compares it with everything that was said about it.

Needs neither gateway nor database nor network: a `Source` gives the entries, the stored hashes and the checkpoint, from
an exported folder (`audit.folder`) or from a database (`audit.tables`).  On damage it says where: the entry, or the
smallest range that the stored hashes allow.
"""

import hashlib
import itertools
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from audit.checkpoint import Checkpoint, open_checkpoint
from audit.note import NoteError, Verifier
from audit.tiles import LEVEL_BITS, WIDTH
from audit.tree import HASH_BYTES, CompactRange, full_root, leaf_hash

_sha256 = hashlib.sha256

Progress = Callable[[int, int], None]


class Source(Protocol):
    """
    One log as it lies somewhere.  Reads what it is asked for and judges nothing.
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


class Verdict(Enum):
    """The answer of a verification, and the exit code of the command."""

    INTACT = 0
    ALTERED = 1
    CANNOT_SAY = 2


class Damage(Enum):
    """What was found to be wrong."""

    ENTRY = "altered"
    MISSING = "missing or unreadable"
    RANGE = "altered, in stored hashes too, somewhere among"
    TILE = "stored hashes altered, entries fine"
    CHECKPOINT = "checkpoint not signed by the key that was given"
    REPLACED = "entries and hashes agree with each other, but not with the signed checkpoint"
    REWRITTEN = "history differs from an older checkpoint"
    SHORTENED = "an older checkpoint covers more entries than there are"
    SEALED = "sealed values altered or missing"
    INDEX = "search index wrong"
    UNPAIRED = "outcome without an intent"


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of damage; entries `first` … `last` where they are known."""

    damage: Damage
    first: int | None = None
    last: int | None = None
    where: str = ""

    def __str__(self) -> str:
        if self.first is None:
            place = ""
        elif self.first == self.last:
            place = f"entry {self.first}: "
        else:
            place = f"entries {self.first} to {self.last}: "
        return f"{place}{self.damage.value}{f' ({self.where})' if self.where else ''}"


@dataclass(slots=True)
class Report:
    """
    What was asked, checked, found, and not checked.
    """

    origin: str
    size: int = 0
    root: bytes = b""
    tree: CompactRange = field(default_factory=CompactRange)
    findings: list[Finding] = field(default_factory=list)
    checked: list[str] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)

    @property
    def verdict(self) -> Verdict:
        """Intact only if a signed checkpoint was there and everything agrees with it."""
        if any(finding.damage is not Damage.CHECKPOINT for finding in self.findings):
            return Verdict.ALTERED
        return Verdict.CANNOT_SAY if self.findings or not self.root else Verdict.INTACT

    def last_line(self) -> str:
        """The answer in one line."""
        if self.verdict is Verdict.INTACT:
            return f"intact: {self.size} entries, all as signed"
        first = self.findings[0] if self.findings else "no checkpoint"
        more = f" (and {len(self.findings) - 1} more)" if len(self.findings) > 1 else ""
        return f"{'ALTERED' if self.verdict is Verdict.ALTERED else 'cannot say'}: {first}{more}"


def verify(
    source: Source,
    origin: str,
    keys: Collection[Verifier],
    *,
    against: Iterable[bytes] = (),
    progress: Progress | None = None,
) -> Report:
    """
    Verifies a whole log against its checkpoint, and against older checkpoints of the same log (`against`).

    Every checkpoint must be signed by one of `keys`.  Raises nothing for damage: it is in the report.
    """
    report = Report(origin)
    checkpoint = _checkpoint(source.checkpoint(), origin, keys, report)
    if checkpoint is None:
        report.unchecked.append("everything: without a checkpoint there is nothing to compare with")
        return report
    report.size, report.root = checkpoint.size, checkpoint.root
    older = sorted(
        {one.size: one for old in against if (one := _checkpoint(old, origin, keys, report))}.values(),
        key=lambda one: one.size,
    )
    derived = _Derived(source, checkpoint.size, [one.size for one in older], progress)
    report.tree = derived.range
    report.checked.append(f"{checkpoint.size} entries hashed, {derived.tiles} hash tiles compared")
    if derived.range.root() != checkpoint.root or derived.unread:
        _locate(derived, checkpoint, report)
    _report_tiles(derived, report)
    _compare_older(derived, older, checkpoint, report)
    return report


class _Derived:
    """
    What follows from the entries alone: the hashes of every level, the tree, and the roots at some earlier sizes.

    Beside it, where the stored hashes say something else.
    """

    def __init__(self, source: Source, size: int, sizes: Sequence[int], progress: Progress | None) -> None:
        self.source = source
        self.size = size
        self.range = CompactRange()
        self.roots: dict[int, bytes] = {}
        self.unread: list[int] = []
        self.mismatched: list[tuple[int, int, int]] = []
        self.tiles = 0
        # levels[l] holds the hashes of level l, concatenated; level 0 only as far as it is not yet a full tile.
        self.levels: list[bytearray] = [bytearray()]
        self._sizes = deque(one for one in sizes if 0 < one <= size)
        for n in range(-(-size // WIDTH)):
            self._bundle(n, min(WIDTH, size - n * WIDTH))
            if progress is not None:
                progress(min((n + 1) * WIDTH, size), size)
        for level in range(1, len(self.levels)):
            self._compare_level(level)

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
            for leaf in _cells(leaves):
                self.range.append(leaf)

    def _with_gaps(self, n: int, entries: Sequence[bytes | None], stored: bytes) -> bytes:
        # The stored hash stands in for a missing entry, so that the rest can still be judged.
        leaves: list[bytes] = []
        for place, entry in enumerate(entries):
            if entry is None:
                self.unread.append(n * WIDTH + place)
                leaves.append(stored[place * HASH_BYTES : (place + 1) * HASH_BYTES].ljust(HASH_BYTES, b"\0"))
            else:
                leaves.append(leaf_hash(entry))
        return b"".join(leaves)

    def _roots_within(self, start: int, leaves: bytes) -> None:
        while self._sizes and self._sizes[0] <= start + len(leaves) // HASH_BYTES:
            size = self._sizes.popleft()
            tree = self.range.copy()
            for leaf in _cells(leaves[: (size - start) * HASH_BYTES]):
                tree.append(leaf)
            self.roots[size] = tree.root()

    def _push(self, level: int, node: bytes) -> None:
        if level == len(self.levels):
            self.levels.append(bytearray())
        self.levels[level] += node
        if len(self.levels[level]) % (WIDTH * HASH_BYTES) == 0:
            self._push(level + 1, full_root(bytes(self.levels[level][-WIDTH * HASH_BYTES :])))

    def _compare_level(self, level: int) -> None:
        held = len(self.levels[level]) // HASH_BYTES
        for n in range(-(-held // WIDTH)):
            width = min(WIDTH, held - n * WIDTH)
            self.tiles += 1
            if self.source.hashes(level, n, width) != self.tile(level, n, width):
                self.mismatched.append((level, n, width))

    def tile(self, level: int, n: int, width: int = WIDTH) -> bytes:
        """The hashes of a tile as they follow from the entries."""
        if level == 0 and width == WIDTH:
            return self._with_gaps(n, self.source.entries(n, width), self.source.hashes(0, n, width))
        start = 0 if level == 0 else n * WIDTH * HASH_BYTES
        return bytes(self.levels[level][start : start + width * HASH_BYTES])


def _locate(derived: _Derived, checkpoint: Checkpoint, report: Report) -> None:
    """Follows the signed root downwards through whatever hashes still lead to it."""
    unread = sorted(set(derived.unread))
    derived.unread = []
    report.findings += [Finding(Damage.MISSING, first, last) for first, last in _runs(unread)]
    edge = _authentic_edge(derived, checkpoint)
    if edge is None:
        _suspects(derived, report)
        return
    for level, (n, hashes) in edge.items():
        computed = derived.tile(level, n, len(hashes) // HASH_BYTES)
        _descend(derived, level, n, hashes, computed, report, set(unread))


def _authentic_edge(derived: _Derived, checkpoint: Checkpoint) -> dict[int, tuple[int, bytes]] | None:
    """
    The unfinished tiles at the right edge, which together give the root: stored or derived, whichever leads to it.
    """
    edges: list[tuple[int, int, tuple[bytes, ...]]] = []
    for level in reversed(range(len(derived.levels))):
        n, width = divmod(checkpoint.size >> (LEVEL_BITS * level), WIDTH)
        if width:
            stored = derived.source.hashes(level, n, width)
            choices = (derived.tile(level, n, width), stored)
            edges.append((level, n, choices if len(stored) == width * HASH_BYTES else choices[:1]))
    for chosen in itertools.product(*(choices for _, _, choices in edges)):
        tree = CompactRange()
        for (level, _, _), hashes in zip(edges, chosen, strict=True):
            for node in _cells(hashes):
                tree.append_full(LEVEL_BITS * level, node)
        if tree.root() == checkpoint.root:
            return {level: (n, hashes) for (level, n, _), hashes in zip(edges, chosen, strict=True)}
    return None


def _descend(
    derived: _Derived, level: int, n: int, right: bytes, computed: bytes, report: Report, known: set[int]
) -> None:
    """Compares a tile that is known to be right with what follows from the entries, and goes into each difference."""
    for place, (true, found) in enumerate(zip(_cells(right), _cells(computed), strict=True)):
        if true == found:
            continue
        child = n * WIDTH + place
        if level == 0:
            if child not in known:
                report.findings.append(Finding(Damage.ENTRY, child, child))
            continue
        stored = derived.source.hashes(level - 1, child, WIDTH)
        if len(stored) == WIDTH * HASH_BYTES and full_root(stored) == true:
            _descend(derived, level - 1, child, stored, derived.tile(level - 1, child), report, known)
        else:
            span = 1 << (LEVEL_BITS * level)
            report.findings.append(Finding(Damage.RANGE, child * span, (child + 1) * span - 1))


def _suspects(derived: _Derived, report: Report) -> None:
    """Nothing leads to the signed root: name what disagrees with itself, or say that nothing does."""
    before = len(report.findings)
    for level, n, width in derived.mismatched:
        stored, computed = derived.source.hashes(level, n, width), derived.tile(level, n, width)
        if level:
            continue
        places = [
            n * WIDTH + place
            for place, (one, other) in enumerate(itertools.zip_longest(_cells(stored), _cells(computed)))
            if one != other
        ]
        report.findings += [Finding(Damage.ENTRY, first, last) for first, last in _runs(places)]
    if len(report.findings) == before:
        report.findings.append(Finding(Damage.REPLACED, 0, derived.size - 1) if derived.size else _EMPTY)


_EMPTY = Finding(Damage.REPLACED)


def _report_tiles(derived: _Derived, report: Report) -> None:
    blamed = [(one.first, one.last) for one in report.findings if one.first is not None and one.last is not None]
    for level, n, width in derived.mismatched:
        span = 1 << (LEVEL_BITS * level)
        first, last = n * WIDTH * span, (n * WIDTH + width) * span - 1
        if not any(low <= last and first <= high for low, high in blamed):
            report.findings.append(Finding(Damage.TILE, first, last, f"tile level {level}, number {n}"))


def _compare_older(derived: _Derived, older: Sequence[Checkpoint], newest: Checkpoint, report: Report) -> None:
    good = 0
    for one in older:
        if one.size > newest.size:
            report.findings.append(Finding(Damage.SHORTENED, newest.size, one.size - 1))
            return
        if derived.roots.get(one.size, CompactRange().root()) != one.root:
            report.findings.append(Finding(Damage.REWRITTEN, good, one.size - 1))
            return
        good = one.size
    if older:
        report.checked.append(f"{len(older)} older checkpoints, the newest of size {good}: all of this same history")
    else:
        report.unchecked.append(
            "whether entries were cut from the end, or the whole history replaced by who holds the key: "
            "give a checkpoint that was kept elsewhere (--against)"
        )


def _checkpoint(note: bytes, origin: str, keys: Collection[Verifier], report: Report) -> Checkpoint | None:
    try:
        return open_checkpoint(note, origin, keys)[0]
    except NoteError as error:
        report.findings.append(Finding(Damage.CHECKPOINT, where=str(error)))
        return None


def _cells(hashes: bytes) -> Iterator[bytes]:
    for at in range(0, len(hashes), HASH_BYTES):
        yield hashes[at : at + HASH_BYTES]


def _runs(places: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Adjacent numbers as (first, last)."""
    for _, run in itertools.groupby(enumerate(places), lambda pair: pair[1] - pair[0]):
        members = [place for _, place in run]
        yield members[0], members[-1]
