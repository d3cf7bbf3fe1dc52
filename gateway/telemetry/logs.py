"""
Log lines: one JSON object a line on stderr, or plain text for a terminal.

Only events of ours carry values, and those are words of closed sets, ids of ours and numbers.  Of a library's own
message the unfilled template is written, of an exception its class and the places in the code: what stands in their
texts may have come from a person.
"""

import json
import logging
import os
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Literal

from gateway.telemetry.request_context import CURRENT

Format = Literal["json", "text"]

LOGGER: Final = logging.getLogger("shuniu")
MOST_WAITING: Final = 10_000
EVERY_SECONDS: Final = 0.2
LAST_SECONDS: Final = 2.0

Value = str | int | float | bool | None


def event(name: str, level: int = logging.INFO, **values: Value) -> None:
    """
    Writes one event of ours.  `name` says what happened; values that are None or empty are left out.
    """
    if LOGGER.isEnabledFor(level):
        exchange = CURRENT.get()
        told = {key: value for key, value in values.items() if value is not None and value != ""}
        if exchange is not None:
            told["trace_id"] = exchange.trace_id
        LOGGER.log(level, name, extra={"told": told})


def announce(name: str, **values: Value) -> None:
    """Writes one event of ours whatever level is set: another program waits for it, so it is no matter of taste."""
    LOGGER.handle(LOGGER.makeRecord(LOGGER.name, logging.INFO, "", 0, name, (), None, extra={"told": dict(values)}))


def as_json(record: logging.LogRecord) -> str:
    """One line of JSON: `time` (UTC), `level`, `event`, and what is told of it."""
    line: dict[str, Value | list[str]] = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": record.levelname.lower(),
        "event": _name(record),
    }
    if record.name != LOGGER.name:
        line["logger"] = record.name
    line.update(_told(record))
    if record.exc_info and record.exc_info[0] is not None:
        line["error"] = record.exc_info[0].__name__
        line["at"] = _places(record)
    return json.dumps(line, ensure_ascii=False)


def as_text(record: logging.LogRecord) -> str:
    """The same for people: time of day, level, event, values."""
    moment = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S")
    told = " ".join(f"{key}={value}" for key, value in _told(record).items())
    failure = ""
    if record.exc_info and record.exc_info[0] is not None:
        failure = "\n  ".join((f" {record.exc_info[0].__name__}", *_places(record)))
    return f"{moment} {record.levelname.lower():7} {_name(record)} {told}".rstrip() + failure


class LineHandler(logging.Handler):
    """
    Writes lines from a thread of its own, a few times a second: a caller never waits for the file.

    When too many wait, the oldest are dropped and counted.  What a killed process had not written is lost; the record
    of what was asked and answered is the audit log, not this.
    """

    def __init__(self, write: Callable[[bytes], None], form: Format) -> None:
        super().__init__()
        self.dropped = 0
        self.form = form
        self._written_by = write
        self._line = as_json if form == "json" else as_text
        self._waiting: deque[logging.LogRecord] = deque()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._write_forever, name="log lines", daemon=True)
        self._thread.start()

    def createLock(self) -> None:  # noqa: N802 - logging's own name
        """A deque is safe by itself; without this every line would take a lock."""
        self.lock = None

    def emit(self, record: logging.LogRecord) -> None:
        """Takes a line."""
        if len(self._waiting) >= MOST_WAITING:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append(record)

    def close(self) -> None:
        """Writes what waits; a reader that does not read is given up after two seconds."""
        self._ending.set()
        self._thread.join(LAST_SECONDS)
        super().close()

    def _write_forever(self) -> None:
        while not self._ending.wait(EVERY_SECONDS):
            self._write()
        self._write()

    def _write(self) -> None:
        lines = []
        while self._waiting:
            lines.append(self._line(self._waiting.popleft()))
        if lines:
            try:
                self._written_by(("\n".join(lines) + "\n").encode())
            except OSError:
                self.dropped += len(lines)


def set_up(form: Format | None, level: str) -> LineHandler:
    """
    Makes this process log to stderr: ours from `level` on, libraries from warnings on.  `form` None: text for a
    terminal, JSON otherwise.  Whoever sets it up closes the handler.
    """
    handler = LineHandler(_to_stderr, form or ("text" if sys.stderr.isatty() else "json"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    LOGGER.setLevel(level.upper())
    return handler


def _to_stderr(lines: bytes) -> None:
    # Past Python's own buffer: a writer that hangs here must not hold what the interpreter needs in order to end.
    while lines:
        lines = lines[os.write(2, lines) :]


def dropped_lines() -> int:
    """Lines of this process that were not written."""
    return sum(one.dropped for one in logging.getLogger().handlers if isinstance(one, LineHandler))


def _name(record: logging.LogRecord) -> str:
    # A library's first line at most, and unfilled: asyncio, for one, appends the text of an exception.
    return str(record.msg).partition("\n")[0]


def _told(record: logging.LogRecord) -> dict[str, Value]:
    told: dict[str, Value] = getattr(record, "told", {})
    return told


def _places(record: logging.LogRecord) -> list[str]:
    frames = record.exc_info[2] if record.exc_info else None
    return [f"{one.filename.rpartition('/')[2]}:{one.lineno} {one.name}" for one in traceback.extract_tb(frames)]
