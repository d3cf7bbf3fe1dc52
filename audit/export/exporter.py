"""
Export of a log into a folder that public tools can verify: tiles, entry bundles, checkpoints, key, anchors, manual.

One consistent snapshot, also during writes.  Every file is durable under its name before the checkpoint that needs it,
so an interrupted export never shows a checkpoint without its tiles; a repetition resumes it.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from audit.anchor.anchors import AnchorKind
from audit.anchor.witness import with_cosignatures
from audit.durable_files import replace_file, sync_folder
from audit.format.checkpoint import read_checkpoint
from audit.format.note import VerifierKey
from audit.format.tiles import ENTRIES, WIDTH, Tile, encode_bundle, hash_tiles
from audit.store.reader import Reader
from audit.verify.database_source import DatabaseSource
from audit.verify.directory_source import ANCHORS, CHECKPOINT, CHECKPOINTS, COSIGNED, VKEY
from audit.verify.verifier import Progress

MANIFEST = "manifest.json"
FORMAT = "shuniu audit export 1 (C2SP tlog-tiles, tlog-checkpoint, signed-note)"

README = """\
# Audit log {origin}

{size} entries, root {root} (SHA-256, RFC 6962), exported {at}.

| file | what it is |
|---|---|
| `checkpoint` | the signed size and root (C2SP tlog-checkpoint, Ed25519 signed note) |
| `log.vkey` | the log's public key: compare it with the one that you have on paper |
| `tile/<level>/…` | hashes, 256 to a file (C2SP tlog-tiles) |
| `tile/entries/…` | the entries, each behind its length in 16 bits |
| `checkpoints/<size>` | older signed checkpoints of this log |
| `anchors/<size>.<kind>.<name>` | outside evidence for a checkpoint: cosignatures, RFC 3161 timestamps, deliveries |
| `cosigned/<size>` | checkpoints with the cosignature lines of witnesses (C2SP tlog-cosignature) |

## Check it without us

Any C2SP tlog-tiles tool reads this folder.  With Go, Tessera's `fsck` re-derives all of it, and says `fsck failed` if
anything is wrong:

    go run github.com/transparency-dev/tessera/cmd/fsck@latest --storage_url="file://$PWD" --public_key=log.vkey \\
      --ui=false -v=1

With a Python of 3.12 or newer, `aics-tlog` (from PyPI) proves single entries; the key must be a copy of your own, from
outside of this folder:

    aics-tlog verify-inclusion --tiles . --vkey-file KEY --index INDEX

With nothing but a shell and `openssl`: the hash of the first entry is SHA-256 over a zero byte and the entry, and must
be the first 32 bytes of the first tile.

    L=$(( $(od -An -tu1 -N1 {first_bundle}) * 256 + $(od -An -tu1 -j1 -N1 {first_bundle}) ))
    ( printf '\\000'; tail -c +3 {first_bundle} | head -c $L ) | openssl dgst -sha256 -binary | od -An -tx1
    head -c 32 {first_tile} | od -An -tx1

The signature of the checkpoint (the key is the last 32 bytes of the third part of `log.vkey`):

    ( printf '\\060\\052\\060\\005\\006\\003\\053\\145\\160\\003\\041\\000'
      cut -d+ -f3- log.vkey | base64 -d | tail -c 32 ) | openssl pkey -pubin -inform DER -out log.pem
    head -n 3 checkpoint > checkpoint.body
    grep '^— ' checkpoint | head -n 1 | cut -d' ' -f3 | base64 -d | tail -c 64 > checkpoint.signature
    openssl pkeyutl -verify -pubin -inkey log.pem -rawin -in checkpoint.body -sigfile checkpoint.signature

A timestamp (RFC 3161) of checkpoint SIZE, with the authority's certificate in `ca.pem`:

    openssl ts -verify -data checkpoints/SIZE -in anchors/SIZE.rfc3161.NAME -CAfile ca.pem

With ours:

    shuniu audit verify . --vkey log.vkey --against OLD_CHECKPOINT
"""


def export(
    reader: Reader, folder: Path, vkey: VerifierKey, *, at: datetime | None = None, progress: Progress | None = None
) -> int:
    """
    Writes the log up to its newest checkpoint, and returns its size.

    Existing full tiles are left alone.  Raises `AuditUnavailable`, `OSError`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with DatabaseSource.snapshot(reader) as tables:
        note, size = tables.checkpoint(), tables.signed_size
        for n in range(-(-size // WIDTH)):
            _write_bundle(folder, tables, n, min(WIDTH, size - n * WIDTH))
            if progress is not None:
                progress(min((n + 1) * WIDTH, size), size)
        for tile in hash_tiles(size):
            # A full tile never changes.
            if tile.level and not (tile.width == WIDTH and (folder / tile.path).exists()):
                replace_file(folder / tile.path, tables.hashes(tile.level, tile.n, tile.width))
        anchored = tables.anchored()
        for older in (*tables.older(), *anchored.values(), note):
            replace_file(folder / CHECKPOINTS / f"{read_checkpoint(older).size}", older)
        note = _write_anchors(folder, tables, anchored, note)
        _describe(folder, vkey, note, at or datetime.now(UTC))
        _sync(folder)
        replace_file(folder / CHECKPOINT, note)
        sync_folder(folder)
    _remove_partials(folder, size)
    return size


def _write_bundle(folder: Path, tables: DatabaseSource, n: int, width: int) -> None:
    bundle, tile = Tile(ENTRIES, n, width), Tile(0, n, width)
    if width == WIDTH and (folder / bundle.path).exists() and (folder / tile.path).exists():
        return
    # Damage is exported as it is, for the verifier to find: a missing entry leaves its bundle short.
    entries = [entry for entry in tables.entries(n, width) if entry is not None]
    replace_file(folder / bundle.path, encode_bundle(entries))
    replace_file(folder / tile.path, tables.hashes(0, n, width))


def _write_anchors(folder: Path, tables: DatabaseSource, anchored: Mapping[int, bytes], note: bytes) -> bytes:
    """Writes the evidence and the cosigned checkpoints; returns the newest checkpoint with its own cosignatures."""
    lines: dict[int, list[bytes]] = {}
    for covered, kind, name, evidence in tables.anchors():
        replace_file(folder / f"{ANCHORS}/{covered}.{kind}.{_file_name(name)}", evidence)
        if kind == AnchorKind.COSIGNATURE:
            lines.setdefault(covered, []).append(evidence)
    for covered, given in lines.items():
        if covered not in anchored:
            continue
        # Beside the bare note, not in its place: a timestamp covers the bare note's bytes.
        replace_file(folder / COSIGNED / f"{covered}", with_cosignatures(anchored[covered], given))
    return with_cosignatures(note, lines[tables.signed_size]) if tables.signed_size in lines else note


def _describe(folder: Path, vkey: VerifierKey, note: bytes, at: datetime) -> None:
    checkpoint = read_checkpoint(note)
    width = min(checkpoint.size, WIDTH)
    manifest = {
        "format": FORMAT,
        "origin": checkpoint.origin,
        "size": checkpoint.size,
        "root_sha256": checkpoint.root.hex(),
        "checkpoint_sha256": hashlib.sha256(note).hexdigest(),
        "vkey": vkey.encode(),
        "minimum_index": 0,
        "exported_at": at.isoformat(timespec="seconds"),
    }
    replace_file(folder / VKEY, (vkey.encode() + "\n").encode())
    replace_file(folder / MANIFEST, (json.dumps(manifest, indent=2) + "\n").encode())
    text = README.format(
        origin=checkpoint.origin,
        size=checkpoint.size,
        root=checkpoint.root.hex(),
        at=manifest["exported_at"],
        first_bundle=Tile(ENTRIES, 0, width or 1).path,
        first_tile=Tile(0, 0, width or 1).path,
    )
    replace_file(folder / "README.md", text.encode())


def _sync(folder: Path) -> None:
    for path, _, _ in os.walk(folder):
        sync_folder(Path(path))


def _remove_partials(folder: Path, size: int) -> None:
    """Deletes the partial tiles of older checkpoints, which the published one has replaced."""
    for path in _partials(folder):
        try:
            tile = Tile.parse(path.relative_to(folder).as_posix())
        except ValueError:
            continue
        filled = (size >> (8 * max(tile.level, 0))) - tile.n * WIDTH
        if filled != tile.width:
            path.unlink()
            if not any(path.parent.iterdir()):
                path.parent.rmdir()


def _partials(folder: Path) -> Iterable[Path]:
    return [path for path in (folder / "tile").rglob("*.p/*") if path.is_file()]


def _file_name(name: str) -> str:
    return "".join(character if character.isalnum() or character in "-._" else "_" for character in name)
