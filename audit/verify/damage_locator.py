"""
The damage locator: follows the signed root down through all stored hashes that still lead to it.

A stored hash is trusted only if the signed root follows from it.  A difference below a trusted hash is the damage;
where no trusted hash divides a range any further, the range is reported.
"""

import itertools
from collections.abc import Iterable, Iterator

from audit.format.tiles import LEVEL_BITS, WIDTH
from audit.format.tree import HASH_BYTES, CompactRange, fold, full_root
from audit.verify.findings import Damage, Finding
from audit.verify.recomputation import Recomputed, cells_of

Piece = tuple[int, int, bytes]
"""Level, number of the first hash at that level, and hashes from which the signed root follows."""


def locate(derived: Recomputed, root: bytes, confirmed: int) -> list[Finding]:
    """
    The damage to a log whose entries do not lead to its signed `root`, or are not all there.

    An older checkpoint confirms the first `confirmed` entries.
    """
    missing = sorted(derived.unread)
    findings = [Finding(Damage.MISSING, first, last) for first, last in runs(missing)]
    pieces = _edges(derived, root)
    ranges: list[tuple[int, int]] = []
    if pieces is None:
        pieces, ranges = _peaks(derived, root)
    if pieces is None:
        return findings + _suspects(derived, confirmed)
    below = [Finding(Damage.RANGE, first, last) for first, last in ranges]
    for level, first, hashes in pieces:
        count = len(hashes) // HASH_BYTES
        below += _differences(derived, level, first, hashes, derived.cells(level, first, count))
    return findings + sorted(below, key=lambda finding: finding.first or 0)


def altered_tiles(derived: Recomputed, findings: Iterable[Finding]) -> list[Finding]:
    """Stored hashes that differ from those of the entries, where the entries themselves are undamaged."""
    blamed = [
        (finding.first, finding.last) for finding in findings if finding.first is not None and finding.last is not None
    ]
    altered = []
    for level, n, width in derived.mismatched:
        span = 1 << (LEVEL_BITS * level)
        for low, high in _places(derived, level, n, width):
            first, last = (n * WIDTH + low) * span, (n * WIDTH + high + 1) * span - 1
            if not any(begin <= last and first <= end for begin, end in blamed):
                altered.append(Finding(Damage.TILE, first, last, f"tile level {level}, number {n}"))
    return altered


def runs(places: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Adjacent numbers as (first, last)."""
    for _, run in itertools.groupby(enumerate(places), lambda pair: pair[1] - pair[0]):
        members = [place for _, place in run]
        yield members[0], members[-1]


def _edges(derived: Recomputed, root: bytes) -> list[Piece] | None:
    """
    The unfinished tiles at the right edge, which together give the root: stored or derived, whichever leads to it.
    """
    edges: list[tuple[int, int, tuple[bytes, ...]]] = []
    for level in reversed(range(len(derived.levels))):
        n, width = divmod(derived.size >> (LEVEL_BITS * level), WIDTH)
        if width:
            stored = derived.stored(level, n * WIDTH, width)
            choices = (derived.cells(level, n * WIDTH, width), stored)
            edges.append((level, n * WIDTH, choices if len(stored) == width * HASH_BYTES else choices[:1]))
    for chosen in itertools.product(*(choices for _, _, choices in edges)):
        tree = CompactRange()
        for (level, _, _), hashes in zip(edges, chosen, strict=True):
            for node in cells_of(hashes):
                tree.append_full(LEVEL_BITS * level, node)
        if tree.root() == root:
            return [(level, first, hashes) for (level, first, _), hashes in zip(edges, chosen, strict=True)]
    return None


def _peaks(derived: Recomputed, root: bytes) -> tuple[list[Piece] | None, list[tuple[int, int]]]:
    """The same from the roots of the perfect subtrees; and the subtrees below which no stored hash is trusted."""
    peaks = derived.source.peaks()
    if len(peaks) != derived.size.bit_count() or fold(peaks) != root:
        return None, []
    pieces: list[Piece] = []
    ranges: list[tuple[int, int]] = []
    start = 0
    for true in peaks:
        height = (derived.size - start).bit_length() - 1
        level, below = divmod(height, LEVEL_BITS)
        first, count = start >> (LEVEL_BITS * level), 1 << below
        stored = derived.stored(level, first, count) if below else true
        if len(stored) == count * HASH_BYTES and full_root(stored) == true:
            pieces.append((level, first, stored))
        elif full_root(derived.cells(level, first, count)) != true:
            ranges.append((start, start + (1 << height) - 1))
        start += 1 << height
    return pieces, ranges


def _differences(derived: Recomputed, level: int, first: int, right: bytes, computed: bytes) -> Iterator[Finding]:
    """Compares trusted hashes with those of the entries, and descends into each difference."""
    for child, (true, computed_hash) in enumerate(zip(cells_of(right), cells_of(computed), strict=True), start=first):
        if true == computed_hash:
            continue
        if level == 0:
            if child not in derived.unread:
                yield Finding(Damage.ENTRY, child, child)
            continue
        stored = derived.stored(level - 1, child * WIDTH, WIDTH)
        if len(stored) == WIDTH * HASH_BYTES and full_root(stored) == true:
            yield from _differences(
                derived, level - 1, child * WIDTH, stored, derived.cells(level - 1, child * WIDTH, WIDTH)
            )
        else:
            span = 1 << (LEVEL_BITS * level)
            yield Finding(Damage.RANGE, child * span, (child + 1) * span - 1)


def _suspects(derived: Recomputed, confirmed: int) -> list[Finding]:
    """The findings where nothing leads to the signed root: tiles that contradict their entries, or the whole log."""
    findings = [
        Finding(Damage.ENTRY, n * WIDTH + first, n * WIDTH + last)
        for level, n, width in derived.mismatched
        if level == 0
        for first, last in _places(derived, 0, n, width)
    ]
    if findings:
        return findings
    if not derived.size:
        return [Finding(Damage.REPLACED)]
    damage = Damage.RANGE if derived.unread else Damage.REPLACED
    return [Finding(damage, confirmed, derived.size - 1)]


def _places(derived: Recomputed, level: int, n: int, width: int) -> list[tuple[int, int]]:
    """Where within a tile the stored hashes differ: the whole tile if there are too many or too few of them."""
    stored, computed = derived.source.hashes(level, n, width), derived.cells(level, n * WIDTH, width)
    if len(stored) != len(computed):
        return [(0, width - 1)]
    pairs = zip(cells_of(stored), cells_of(computed), strict=True)
    return list(runs(place for place, (first, second) in enumerate(pairs) if first != second))
