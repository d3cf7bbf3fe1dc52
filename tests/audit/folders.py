"""
Exported folders of several sizes, made without the code that writes exports, and the means to spoil a copy of one.
"""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from audit.format.checkpoint import Checkpoint
from audit.format.note import Signer
from audit.format.tiles import ENTRIES, Tile, encode_bundle, hash_tiles
from audit.format.tree import CompactRange, full_root
from audit.verify.directory_source import DirectorySource
from audit.verify.verifier import Damage, VerificationReport, verify
from tests.audit import oracle

LOG = Signer("court.example/audit/1", bytes(range(32)))
SIZES = (0, 1, 255, 256, 257, 600, 70_000)


def entry(n: int) -> bytes:
    return b'{"n":%d,"x":"%s"}' % (n, hashlib.sha256(b"%d" % n).hexdigest().encode()[: n % 40])


def write(folder: Path, entries: list[bytes]) -> bytes:
    """An export of these entries, made without the code that writes exports; returns its checkpoint."""
    levels = [[oracle.leaf(entry) for entry in entries]]
    while len(levels[-1]) >= 256:
        below = levels[-1]
        levels.append([full_root(b"".join(below[at : at + 256])) for at in range(0, len(below) // 256 * 256, 256)])
    for tile in hash_tiles(len(entries)):
        put(folder, tile, b"".join(levels[tile.level][tile.n * 256 : tile.n * 256 + tile.width]))
        if tile.level == 0:
            part = entries[tile.n * 256 : tile.n * 256 + tile.width]
            put(folder, Tile(ENTRIES, tile.n, tile.width), encode_bundle(part))
    growing = CompactRange()
    for leaf in levels[0]:
        growing.append(leaf)
    note = LOG.sign(Checkpoint(LOG.vkey.name, len(entries), growing.root()).text()).encode()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "checkpoint").write_bytes(note)
    return note


def put(folder: Path, tile: Tile, content: bytes) -> None:
    path = folder / tile.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def check(folder: Path, *against: bytes) -> VerificationReport:
    return verify(DirectorySource(folder), LOG.vkey.name, [LOG.vkey], against=against)


def findings_of(report: VerificationReport) -> list[tuple[Damage, int | None, int | None]]:
    return [(finding.damage, finding.first, finding.last) for finding in report.findings]


@pytest.fixture(scope="session")
def originals(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """An intact export of every size."""
    folders = {}
    for size in SIZES:
        folders[size] = tmp_path_factory.mktemp(f"log{size}")
        write(folders[size], [entry(n) for n in range(size)])
    return folders


@pytest.fixture
def corrupt(originals: dict[int, Path], tmp_path: Path) -> Callable[[int, str, Callable[[bytes], bytes]], Path]:
    """A copy of an export in which one file is changed."""

    def copy(size: int, name: str, change: Callable[[bytes], bytes]) -> Path:
        folder = tmp_path / "copy"
        if not folder.exists():
            shutil.copytree(originals[size], folder)
        path = folder / name
        path.write_bytes(change(path.read_bytes()))
        return folder

    return copy


def bundle(size: int, index: int) -> tuple[str, int]:
    """The file in which an entry is, and where its bytes begin."""
    n, place = divmod(index, 256)
    width = min(256, size - n * 256)
    return Tile(ENTRIES, n, width).path, sum(2 + len(entry(k)) for k in range(n * 256, n * 256 + place)) + 2


def hash_tile(size: int, level: int, n: int) -> str:
    return Tile(level, n, min(256, (size >> (8 * level)) - n * 256)).path


def flip(at: int) -> Callable[[bytes], bytes]:
    return lambda content: content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def check_swap(corrupt: Callable[..., Path], left: str, right: str) -> list[tuple[Damage, int | None, int | None]]:
    """What is found when two files of the large export change places."""
    folder = corrupt(70_000, left, lambda content: content)
    first, second = (folder / left).read_bytes(), (folder / right).read_bytes()
    (folder / left).write_bytes(second)
    (folder / right).write_bytes(first)
    return findings_of(check(folder))
