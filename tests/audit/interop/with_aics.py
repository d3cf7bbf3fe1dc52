"""
Checks an exported log with aics-tlog alone, and builds one with it.  Runs on its Python, which knows nothing of ours.

    with_aics.py check VKEY FOLDER [WITNESS_VKEY]
    with_aics.py build FOLDER COUNT
"""

import base64
import json
import sys
from pathlib import Path

import aics_tlog as aics
from aics_tlog.note import SignatureLine
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ORIGIN = "aics.example/log"
WITNESS = "aics.example/witness"


def check(vkey: str, folder: Path, witness: str) -> str:
    """Everything that the library can check of a folder; raises whatever it raises."""
    log = aics.parse_vkey(vkey)
    reader = aics.FileSystemTileReader(folder)
    newest = opened(folder / "checkpoint", log)
    report = aics.audit_tiles(reader, newest.size, newest.root)
    inclusions = consistencies = cosignatures = 0
    proven = aics.VerifiedTileReader(reader, newest.size, newest.root)
    for index in {0, 1, 254, 255, 256, newest.size // 2, newest.size - 2, newest.size - 1} & set(range(newest.size)):
        proof = aics.inclusion_proof_from_tiles(proven, index, newest.size)
        leaf = aics.leaf_hash(aics.read_entry(proven, index, newest.size))
        assert aics.verify_inclusion(leaf, index, newest.size, proof, newest.root), f"entry {index}"
        inclusions += 1
    for path in sorted((folder / "checkpoints").iterdir()):
        old = opened(path, log)
        if old.size:
            proof = aics.consistency_proof_from_tiles(proven, old.size, newest.size)
            assert aics.verify_consistency(old.size, newest.size, old.root, newest.root, proof), f"size {old.size}"
            consistencies += 1
    if witness:
        key = aics.parse_vkey(witness)
        note = aics.parse_note((folder / "checkpoint.cosigned").read_bytes())
        result = aics.verify_checkpoint(note, log, [key], 1, expected_origin=log.name)
        assert result.ok, result.error
        cosignatures += result.cosignature_count
    return (
        f"{report.size} entries, {report.tiles} hash tiles, {report.bundles} bundles, {inclusions} inclusion proofs, "
        f"{consistencies} consistency proofs, {cosignatures} cosignatures"
    )


def opened(path: Path, log: aics.VKey) -> aics.Checkpoint:
    """A checkpoint whose signature was checked."""
    note = aics.parse_note(path.read_bytes())
    result = aics.verify_checkpoint(note, log, expected_origin=log.name)
    assert result.ok, f"{path.name}: {result.error}"
    return aics.parse_checkpoint(note.text)


def build(folder: Path, count: int) -> str:
    """A log of the library's own making: tiles, signed checkpoint, cosignature, and proofs beside it."""
    writer = aics.IncrementalTileWriter(aics.DirectoryTileStore(folder))
    entries = [b'{"n":%d}' % n for n in range(count)]
    half = count // 2
    writer.append(entries[:half])
    old_root = writer.root()
    writer.append(entries[half:])
    key, witness = (Ed25519PrivateKey.from_private_bytes(bytes([n] * 32)) for n in (7, 8))
    checkpoint = aics.Checkpoint(origin=ORIGIN, size=count, root=writer.root())
    note = aics.sign_checkpoint(checkpoint, key, ORIGIN)
    _, line = aics.sign_cosignature(witness, WITNESS, 1_790_000_000, ORIGIN, count, writer.root())
    (folder / "checkpoint").write_bytes(note.to_bytes())
    cosigned = aics.Note(text=note.text, signatures=[*note.signatures, SignatureLine(*parts(line))])
    (folder / "checkpoint.cosigned").write_bytes(cosigned.to_bytes())
    reader = aics.FileSystemTileReader(folder)
    document = {
        "vkey": aics.format_vkey(aics.vkey_from_ed25519(ORIGIN, key.public_key())),
        "witness": aics.format_vkey(aics.cosignature_vkey(WITNESS, witness.public_key())),
        "half": half,
        "half_root": text(old_root),
        "consistency": [text(node) for node in aics.consistency_proof_from_tiles(reader, half, count)] if half else [],
        "inclusion": [text(node) for node in aics.inclusion_proof_from_tiles(reader, half, count)] if count else [],
    }
    (folder / "said.json").write_text(json.dumps(document))
    return f"built {count} entries"


def parts(line: SignatureLine) -> tuple[str, bytes, bytes]:
    """The three parts of a signature line."""
    return line.name, line.key_id, line.signature


def text(node: bytes) -> str:
    """A hash as JSON can hold it."""
    return base64.b64encode(node).decode()


if __name__ == "__main__":
    what, *arguments = sys.argv[1:]
    try:
        if what == "check":
            vkey, folder, *witness = arguments
            answer = check(vkey, Path(folder), witness[0] if witness else "")
        else:
            answer = build(Path(arguments[0]), int(arguments[1]))
    except Exception as error:  # noqa: BLE001 - whatever the library raises is its refusal
        answer = f"refused: {type(error).__name__} {error}"
    print(answer)  # noqa: T201 - the script's own output
    sys.exit(answer.startswith("refused"))
