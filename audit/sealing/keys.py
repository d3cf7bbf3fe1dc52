"""
The keys of a log: one file outside the database, readable by its owner alone.

    signing   signs checkpoints.  Its holder can sign a second history; anchors and witnesses show that.
    root      wraps the subjects' keys.  Its holder can read every sealed value in the database.
    index     marks identifiers for search.  Its holder can test whether a person occurs in the log.

The rollback guard (`audit.sealing.rollback_guard`) lies beside the key file.
"""

import base64
import binascii
import os
from dataclasses import dataclass, field
from pathlib import Path

from audit.durable_files import create_key_file, readable_by_others
from audit.errors import LogConfigurationError
from audit.format.note import NoteError, Signer, key_id
from audit.sealing.rollback_guard import RollbackGuard

KEY_BYTES = 32
FILE = "audit.keys"
GUARD = "audit.guard"
_PRIVATE = "PRIVATE+KEY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The keys of one log, opened.  `guard` is the path of the rollback guard."""

    origin: str
    guard: Path
    signer: Signer = field(repr=False)
    root: bytes = field(repr=False)
    index: bytes = field(repr=False)


class KeyFile:
    """
    The key file `audit.keys` of a folder.  A new one is made only for a new log.
    """

    @staticmethod
    def create(folder: Path, *, origin: str) -> Keys:
        """
        Writes fresh keys for a log of this origin, durably, and returns them.  Never replaces a file.
        """
        signer_seed, root, index = (os.urandom(KEY_BYTES) for _ in range(3))
        public = Signer(origin, signer_seed).vkey.public
        private = base64.b64encode(b"\x01" + signer_seed).decode()
        lines = (
            f"# Keys of the audit log {origin}.  For their owner alone; keep a copy offline.",
            f"signing {_PRIVATE}+{origin}+{key_id(origin, 1, public).hex()}+{private}",
            f"root {base64.b64encode(root).decode()}",
            f"index {base64.b64encode(index).decode()}",
        )
        path = folder / FILE
        try:
            create_key_file(path, ("\n".join(lines) + "\n").encode())
        except FileExistsError:
            raise LogConfigurationError(f"{path}: a key file is there already; a new log needs a new file") from None
        RollbackGuard.create(folder / GUARD)
        return KeyFile.load(folder)

    @staticmethod
    def load(folder: Path) -> Keys:
        """
        Reads the key file.  Raises `LogConfigurationError` with the command that mends it.
        """
        path = folder / FILE
        if not path.exists():
            raise LogConfigurationError(
                f"{path}: no key file; restore it from its copy. A new installation makes one with: shuniu init; "
                "if every copy is lost, a new log begins with: shuniu audit succeed"
            )
        if readable_by_others(path):
            raise LogConfigurationError(f"{path}: others can read these keys; run: chmod 600 {path}")
        try:
            return _parse(path)
        except (NoteError, binascii.Error, KeyError, ValueError):
            pass
        raise LogConfigurationError(f"{path}: not a key file of an audit log; restore it from its copy")


def _parse(path: Path) -> Keys:
    lines = path.read_text(encoding="utf-8").splitlines()
    fields = dict(line.split(" ", 1) for line in lines if line and not line.startswith("#"))
    prefix, key, origin, _, private = fields["signing"].split("+", 4)
    seed = base64.b64decode(private, validate=True)
    root, index = (base64.b64decode(fields[name], validate=True) for name in ("root", "index"))
    if f"{prefix}+{key}" != _PRIVATE or seed[:1] != b"\x01" or {len(root), len(index), len(seed) - 1} != {KEY_BYTES}:
        raise ValueError
    return Keys(
        origin=origin,
        guard=path.with_name(GUARD),
        signer=Signer(origin, seed[1:]),
        root=root,
        index=index,
    )
