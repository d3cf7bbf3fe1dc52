"""
A log in a folder, laid out as C2SP tlog-tiles: what `audit.export.exporter` writes, and what any tile server mirrors.
"""

from collections.abc import Sequence
from pathlib import Path

from audit.format.note import NoteError, VerifierKey
from audit.format.tiles import ENTRIES, Tile

CHECKPOINT = "checkpoint"
VKEY = "log.vkey"
CHECKPOINTS = "checkpoints"
ANCHORS = "anchors"
COSIGNED = "cosigned"


class DirectorySource:
    """
    A `Source` over a folder.  What is not there reads as empty or missing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def key(self) -> VerifierKey:
        """The public key that lies beside the log; trust it only if you know it from elsewhere.  Raises `NoteError`."""
        text = self._read(VKEY).decode("utf-8", "replace").strip()
        if not text:
            raise NoteError(f"could not read the verifier key: no file {VKEY} in the folder")
        return VerifierKey.parse(text)

    def checkpoint(self) -> bytes:
        """The newest checkpoint."""
        return self._read(CHECKPOINT)

    def older(self) -> list[bytes]:
        """The older checkpoints that lie beside it."""
        return self._notes(CHECKPOINTS)

    def cosigned(self) -> list[bytes]:
        """The checkpoints that witnesses have cosigned, with their lines."""
        return self._notes(COSIGNED)

    def entries(self, n: int, width: int) -> Sequence[bytes | None]:
        """The entries of a bundle; from the first that is cut off or too many, all are missing."""
        bundle = self._read(Tile(ENTRIES, n, width).path)
        entries: list[bytes | None] = []
        at, end = 0, len(bundle)
        while at + 2 <= end and len(entries) < width:
            start = at + 2
            at = start + (bundle[at] << 8 | bundle[at + 1])
            if at > end:
                break
            entries.append(bundle[start:at])
        if len(entries) == width and at == end:
            return entries
        if len(entries) == width:
            # Something follows the last entry, so it is not known to end where it seems to.
            entries.pop()
        return entries + [None] * (width - len(entries))

    def hashes(self, level: int, n: int, width: int) -> bytes:
        """The hashes of a tile."""
        return self._read(Tile(level, n, width).path)

    def peaks(self) -> Sequence[bytes]:
        """A folder has tiles alone."""
        return ()

    def _notes(self, name: str) -> list[bytes]:
        folder = self._path / name
        return [path.read_bytes() for path in sorted(folder.iterdir())] if folder.is_dir() else []

    def _read(self, name: str) -> bytes:
        path = self._path / name
        return path.read_bytes() if path.is_file() else b""
