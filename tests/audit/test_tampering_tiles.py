"""
Every kind of damage to the hash tiles of an exported folder is detected, located, and told apart from altered entries.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from audit.format.tiles import Tile
from audit.format.tree import leaf_hash
from audit.verify.verifier import Damage
from tests.audit.folders import SIZES, bundle, check, check_swap, entry, findings_of, flip, hash_tile


def test_two_swapped_tiles_are_found_hash_by_hash(corrupt: Callable[..., Path]) -> None:
    """The entries lead to the root; the tiles do not."""
    findings = check_swap(corrupt, Tile(0, 5).path, Tile(0, 200).path)

    assert findings == [(Damage.TILE, 5 * 256, 5 * 256 + 255), (Damage.TILE, 200 * 256, 200 * 256 + 255)]


@pytest.mark.parametrize("size", SIZES[2:])
def test_two_swapped_hashes_of_a_tile_are_both_named(
    size: int, originals: dict[int, Path], corrupt: Callable[..., Path]
) -> None:
    """At every level that has two, in the first tile and in the last."""
    for level in range(2):
        stored = size >> (8 * level)
        for n in {0, (stored - 1) // 256} if stored > 1 else ():
            width = min(256, stored - n * 256)
            if width < 2:
                continue
            name = hash_tile(size, level, n)
            folder = corrupt(size, name, lambda c, w=width: c[-32:] + c[32 : (w - 1) * 32] + c[:32])
            span = 256**level
            places = (n * 256, n * 256 + width - 1)
            runs = [(place * span, place * span + span - 1) for place in places]
            if width == 2:
                runs = [(runs[0][0], runs[1][1])]
            assert findings_of(check(folder)) == [(Damage.TILE, *run) for run in runs]
            shutil.copy(originals[size] / name, folder / name)


@pytest.mark.parametrize("size", SIZES[1:])
def test_a_byte_too_many_or_too_few_anywhere_in_a_tile_is_found_in_that_tile(
    size: int, originals: dict[int, Path], corrupt: Callable[..., Path]
) -> None:
    """At its beginning, in its middle, at its end, at every level; and half of the file."""
    for level in range(3):
        for n in {0, ((size >> (8 * level)) - 1) // 256} if size >> (8 * level) else ():
            name = hash_tile(size, level, n)
            width = min(256, (size >> (8 * level)) - n * 256)
            for change in (
                lambda content: b"\7" + content,
                lambda content: content[1:],
                lambda content: content[: len(content) // 2] + b"\7" + content[len(content) // 2 :],
                lambda content: content[: len(content) // 2],
            ):
                folder = corrupt(size, name, change)
                span = 256**level
                assert findings_of(check(folder)) == [(Damage.TILE, n * 256 * span, (n * 256 + width) * span - 1)]
                shutil.copy(originals[size] / name, folder / name)


@pytest.mark.parametrize("size", [256, 257, 70_000])
def test_an_entry_altered_together_with_its_hash_is_located_by_the_next_level(
    size: int, corrupt: Callable[..., Path]
) -> None:
    """To the 256 entries of its tile."""
    forged = b"f" * len(entry(77))
    name, start = bundle(size, 77)
    corrupt(size, name, lambda content: content[:start] + forged + content[start + len(forged) :])
    tile = hash_tile(size, 0, 0)
    folder = corrupt(size, tile, lambda content: content[: 77 * 32] + leaf_hash(forged) + content[78 * 32 :])

    assert findings_of(check(folder)) == [(Damage.RANGE, 0, 255)]


@pytest.mark.parametrize("size", SIZES[1:])
def test_a_damaged_hash_tile_is_distinguished_from_a_damaged_entry(
    size: int, originals: dict[int, Path], corrupt: Callable[..., Path]
) -> None:
    """Every level; the entries lead to the signed root, so they are fine."""
    for level in range(3):
        if not size >> (8 * level):
            continue
        name = hash_tile(size, level, 0)
        for change in (flip(0), lambda content: content[:-1], lambda content: content + b"\0", lambda _: b""):
            folder = corrupt(size, name, change)
            report = check(folder)
            assert [finding.damage for finding in report.findings] == [Damage.TILE]
            assert report.findings[0].where == f"tile level {level}, number 0"
            shutil.copy(originals[size] / name, folder / name)
