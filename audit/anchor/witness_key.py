"""
The witness's own key: cosigns neighbours' logs, and nothing of ours.  One file for its owner alone.

Kept apart from the log's keys: it may be lost and made anew without harm to our log; the neighbours then have to be
given the new public key.
"""

import base64
import os
import stat
from pathlib import Path

from audit.errors import LogConfigurationError
from audit.format.checkpoint import Cosigner
from audit.format.note import COSIGNATURE, NoteError, decode_base64, parse_key
from audit.sealing.rollback_guard import sync_folder

FILE = "witness.key"
COMMAND = "shuniu audit witness-key"
_SEED_BYTES = 32


def witness_name(origin: str) -> str:
    """The name of the witness that stands beside the log of this origin."""
    return f"{origin.partition('/')[0]}/witness"


def create_witness_key(folder: Path, *, name: str) -> Cosigner:
    """Writes a fresh key, durably, and returns it.  Never replaces one: `ConfigurationError`."""
    seed = os.urandom(_SEED_BYTES)
    cosigner = Cosigner(name, seed)
    lines = (
        "# Key of this court's witness.  For its owner alone.",
        f"vkey {cosigner.vkey.encode()}",
        f"seed {base64.b64encode(seed).decode()}",
    )
    path = folder / FILE
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        descriptor = -1
    if descriptor < 0:
        raise LogConfigurationError(f"{path}: a witness key is there already; move it away to make a new one")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        os.fsync(file.fileno())
    sync_folder(folder)
    return cosigner


def load_witness_key(folder: Path) -> Cosigner:
    """Reads the key.  Raises `ConfigurationError` with the command that mends it."""
    path = folder / FILE
    if not path.exists():
        raise LogConfigurationError(f"{path}: no witness key; make one with: {COMMAND}")
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise LogConfigurationError(f"{path}: others can read this key; run: chmod 600 {path}")
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        said = dict(line.split(" ", 1) for line in lines if line and not line.startswith("#"))
        name, kind, public = parse_key(said["vkey"])
        cosigner = Cosigner(name, decode_base64(said["seed"]))
        fits = kind == COSIGNATURE and cosigner.vkey.public == public
    except (NoteError, KeyError, ValueError):
        fits = False
    if not fits:
        raise LogConfigurationError(f"{path}: not a witness key; restore it from its copy")
    return cosigner
