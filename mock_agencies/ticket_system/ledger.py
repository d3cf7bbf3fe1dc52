"""
The ticket system's ledger: its actions and callbacks, one JSON object a line, on disk before anything else happens.

It names work orders, requests and deliveries by their ids, and contents by their digests: nothing in it is about a
person.  Loss and doubling are counted from it.
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

DISPATCHED: Final = "dispatched"
REQUESTING: Final = "asking"
ACCEPTED: Final = "accepted"
REFUSED: Final = "refused"
CLOSING: Final = "closing"
CLOSED: Final = "closed"
RECEIVED: Final = "received"
REJECTED: Final = "rejected"

LedgerEntry = dict[str, Any]


class CallbackLedger:
    """
    Appends to one file.  `write` returns when the line is on the disk.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._clock = clock

    def write(self, what: str, **details: Any) -> None:
        """Writes one entry with the present time (Unix, seconds)."""
        entry = {"at": self._clock(), "what": what} | details
        os.write(self._descriptor, (json.dumps(entry, separators=(",", ":")) + "\n").encode())
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Closes the file."""
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def read_ledger(path: Path) -> Iterator[LedgerEntry]:
    """Every whole line; a killed process may have left an incomplete one at the end."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.endswith("\n"):
                entry: LedgerEntry = json.loads(line)
                yield entry
