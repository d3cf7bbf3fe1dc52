"""
Tiles and entry bundles (C2SP tlog-tiles v0.1.0): their paths, widths and bytes.  Pure.

A full hash tile holds 256 hashes of one level; the hash at level l+1 is the root over one full tile of level l.  An
entry bundle holds the same 256 entries as the level-0 tile of its number, each behind its length in 16 bits.
"""

import re
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from audit.format.tree import HASH_BYTES, Nodes, full_root

WIDTH = 256
LEVEL_BITS = 8
ENTRIES = -1
"""The level of an entry bundle."""

_LENGTH = struct.Struct(">H")
_NUMBER = r"(?P<n>(?:x\d{3}/)*\d{3})(?:\.p/(?P<w>[1-9]\d{0,2}))?"
_PATH = re.compile(r"tile/(?:(?P<level>0|[1-9]\d?)|entries)/" + _NUMBER, re.ASCII)


@dataclass(frozen=True, slots=True)
class Tile:
    """One resource: `level` (or `ENTRIES`), number, and how many of its 256 places are filled."""

    level: int
    n: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """Where it is, below the log's prefix."""
        digits = f"{self.n:03d}"
        digits = digits.rjust(-(-len(digits) // 3) * 3, "0")
        groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
        number = "/".join([f"x{group}" for group in groups[:-1]] + groups[-1:])
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{'entries' if self.level == ENTRIES else self.level}/{number}{partial}"

    @classmethod
    def parse(cls, path: str) -> "Tile":
        """Reads a path; exactly one spelling is right.  Raises ValueError."""
        match = _PATH.fullmatch(path)
        if match is None:
            raise ValueError("not the path of a tile")
        level = ENTRIES if match["level"] is None else int(match["level"])
        n = int(match["n"].replace("/", "").replace("x", ""))
        tile = cls(level, n, int(match["w"] or WIDTH))
        if level > 63 or not 1 <= tile.width <= WIDTH or tile.path != path:
            raise ValueError("not the path of a tile")
        return tile


def hash_tiles(size: int) -> Iterator[Tile]:
    """All hash tiles of a tree of this size, lowest level first; no empty ones."""
    level = 0
    while size >> (LEVEL_BITS * level):
        hashes = size >> (LEVEL_BITS * level)
        for n in range(hashes // WIDTH):
            yield Tile(level, n)
        if hashes % WIDTH:
            yield Tile(level, hashes // WIDTH, hashes % WIDTH)
        level += 1


def bundles(size: int) -> Iterator[Tile]:
    """All entry bundles of a tree of this size."""
    for n in range(size // WIDTH):
        yield Tile(ENTRIES, n)
    if size % WIDTH:
        yield Tile(ENTRIES, size // WIDTH, size % WIDTH)


def exists(tile: Tile, size: int) -> bool:
    """Whether a log whose published size is `size` must have this tile."""
    filled = (size >> (LEVEL_BITS * max(tile.level, 0))) - tile.n * WIDTH
    return filled >= WIDTH if tile.width == WIDTH else filled == tile.width


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """The bytes of an entry bundle."""
    return b"".join([part for entry in entries for part in (_LENGTH.pack(len(entry)), entry)])


def decode_bundle(bundle: bytes, width: int) -> list[bytes]:
    """The entries of a bundle.  Raises ValueError unless it holds exactly `width` entries and nothing else."""
    entries: list[bytes] = []
    at, end = 0, len(bundle)
    while at < end:
        start = at + 2
        if start > end:
            raise ValueError("entry bundle is cut off")
        at = start + (bundle[at] << 8 | bundle[at + 1])
        entries.append(bundle[start:at])
    if at != end or len(entries) != width:
        raise ValueError("entry bundle does not hold the entries that it should")
    return entries


def tile_of(level: int, n: int) -> tuple[int, int]:
    """Level and number of the tile from which node (level, n) follows."""
    tile_level, height = divmod(level, LEVEL_BITS)
    return tile_level, (n << height) // WIDTH


def nodes_of(read: Callable[[int, int], bytes]) -> Nodes:
    """
    Any node of a tree from its tiles: `read(level, n)` gives a tile's hashes, as many as there are; each is read once.
    """
    tiles: dict[tuple[int, int], bytes] = {}

    def node(level: int, n: int) -> bytes:
        tile_level, height = divmod(level, LEVEL_BITS)
        first = n << height
        number, place = divmod(first, WIDTH)
        if (tile_level, number) not in tiles:
            tiles[tile_level, number] = read(tile_level, number)
        hashes = tiles[tile_level, number][place * HASH_BYTES : (place + (1 << height)) * HASH_BYTES]
        if len(hashes) != HASH_BYTES << height:
            raise ValueError("tile is too narrow for this node")
        return full_root(hashes)

    return node
