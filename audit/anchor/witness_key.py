"""
The witness's key file.  The key cosigns neighbours' logs only.

It is separate from the log's keys: it may be lost and replaced without harm to our log; the neighbours then need the
new public key.
"""

import base64
import os
from pathlib import Path

from audit.durable_files import create_key_file, readable_by_others
from audit.errors import LogConfigurationError
from audit.format.checkpoint import Cosigner
from audit.format.note import COSIGNATURE, NoteError, decode_base64, parse_key

FILE = "witness.key"
COMMAND = "shuniu audit witness-key"
_SEED_BYTES = 32


def witness_name(origin: str) -> str:
    """The name of the witness of the court whose log has this origin."""
    return f"{origin.partition('/')[0]}/witness"


def create_witness_key(folder: Path, *, name: str) -> Cosigner:
    """Writes a fresh key, durably, and returns it.  Never replaces one: `LogConfigurationError`."""
    seed = os.urandom(_SEED_BYTES)
    cosigner = Cosigner(name, seed)
    lines = (
        "# Key of this court's witness.  For its owner alone.",
        f"vkey {cosigner.vkey.encode()}",
        f"seed {base64.b64encode(seed).decode()}",
    )
    path = folder / FILE
    try:
        create_key_file(path, ("\n".join(lines) + "\n").encode())
    except FileExistsError:
        message = f"{path}: a witness key is there already; move it away to make a new one"
        raise LogConfigurationError(message) from None
    return cosigner


def load_witness_key(folder: Path) -> Cosigner:
    """Reads the key.  Raises `LogConfigurationError` with the command that mends it."""
    path = folder / FILE
    if not path.exists():
        raise LogConfigurationError(f"{path}: no witness key; make one with: {COMMAND}")
    if readable_by_others(path):
        raise LogConfigurationError(f"{path}: others can read this key; run: chmod 600 {path}")
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        fields = dict(line.split(" ", 1) for line in lines if line and not line.startswith("#"))
        name, kind, public = parse_key(fields["vkey"])
        cosigner = Cosigner(name, decode_base64(fields["seed"]))
        fits = kind == COSIGNATURE and cosigner.vkey.public == public
    except (NoteError, KeyError, ValueError):
        fits = False
    if not fits:
        raise LogConfigurationError(f"{path}: not a witness key; restore it from its copy")
    return cosigner
