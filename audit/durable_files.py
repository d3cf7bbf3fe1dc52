"""
Files that are durable once a function here returns: the content before the name, the name before the caller goes on.
"""

import os
import stat
from pathlib import Path


def create_key_file(path: Path, content: bytes) -> None:
    """Writes a new file for its owner alone.  Raises `FileExistsError`; never replaces a file."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _write(path, content, os.O_EXCL, 0o600)
    sync_folder(path.parent)


def replace_file(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Writes a file whole or not at all; its name is durable once its folder is synced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".new")
    _write(beside, content, os.O_TRUNC, mode)
    beside.replace(path)


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def readable_by_others(path: Path) -> bool:
    """Whether a key file is open to anyone but its owner."""
    return bool(stat.S_IMODE(path.stat().st_mode) & 0o077)


def _write(path: Path, content: bytes, flag: int, mode: int) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | flag, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
