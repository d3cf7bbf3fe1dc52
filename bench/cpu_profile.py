"""
A CPU profile of the hub by room: serves a hub and samples itself under load.

A timer on the event loop's own processor time interrupts it after every few milliseconds.  (A timer on the whole
process would mostly find the loop where it waits for the interpreter's lock.)  The loop's time since the last interrupt
is booked on the room in whose code it stands: the innermost frame of ours.  Other threads are booked by their names,
for each has one task; threads that are not Python's are the transport engine's.  SIGUSR1 starts the sampling; the sums
are printed as JSON when the server ends.  Linux only.
"""

import ctypes
import json
import signal
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path
from types import FrameType
from typing import Final

from gateway.application import HubServer
from gateway.provisioning import bundled_database
from gateway.server import bind
from gateway.settings import Settings

EVERY: Final = 0.002
ROOT: Final = Path(__file__).parent.parent

# The first prefix that fits a file decides; the innermost frame that fits any decides for a stack.
ROOMS: Final = (
    ("adapters/wire/", "wire"),
    ("adapters/", "mapping"),
    ("gateway/lookup/service.py", "lookup"),
    ("gateway/lookup/fan_out.py", "lookup"),
    ("gateway/lookup/audit_events.py", "audit"),
    ("gateway/lookup/", "merge"),
    ("gateway/access/", "access"),
    ("gateway/sign_on/", "access"),
    ("gateway/field_encryption.py", "access"),
    ("gateway/resilience/", "resilience"),
    ("audit/", "audit"),
    ("gateway/database/", "database"),
    ("gateway/", "http and json"),
    ("schemas/identifiers/", "identifiers"),
    ("schemas/", "http and json"),
)
# Libraries that do a room's work in frames of their own, with none of ours beneath them.
LIBRARIES: Final = (
    ("fastapi", "http and json"),
    ("starlette", "http and json"),
    ("uvicorn", "http and json"),
    ("pydantic", "http and json"),
    ("psycopg", "database"),
    ("sqlalchemy", "database"),
)
THREADS: Final = (
    ("database", "access: database threads"),
    ("audit", "audit: sequencer's thread"),
)
ELSEWHERE: Final = "event loop and other"
ENGINE: Final = "transport engine's own threads"


class Sampler:
    """Attributes processor time (seconds) to rooms from `start` until `stop`; belongs to the event loop's thread."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._clocks: dict[threading.Thread, float] = {}
        self._known: dict[str, str | None] = {}
        self._process = 0.0

    def start(self, *_signal: object) -> None:
        """Starts from nothing."""
        self.seconds.clear()
        self._clocks = _thread_clocks()
        self._process = time.process_time()
        signal.signal(signal.SIGPROF, self._sample)
        _interrupt_this_thread(EVERY)

    def stop(self) -> dict[str, float]:
        """The sums by room; what no Python thread used is the engine's."""
        signal.signal(signal.SIGPROF, signal.SIG_IGN)
        total = time.process_time() - self._process
        if self.seconds:
            self.seconds[ENGINE] = max(0.0, total - sum(self.seconds.values()))
        return dict(self.seconds)

    def _sample(self, _signal: int, interrupted: FrameType | None) -> None:
        clocks = _thread_clocks()
        for thread, clock in clocks.items():
            room = self._room(interrupted) if thread is threading.main_thread() else _room_of_thread(thread)
            self.seconds[room] += clock - self._clocks.get(thread, clock)
        self._clocks = clocks

    def _room(self, frame: FrameType | None) -> str:
        library = None
        while frame is not None:
            file = frame.f_code.co_filename
            if file not in self._known:
                self._known[file] = _room_of(file)
            room = self._known[file]
            if room is not None and not room.startswith("library: "):
                return room
            library = library or room
            frame = frame.f_back
        return library.removeprefix("library: ") if library else ELSEWHERE


def _room_of(file: str) -> str | None:
    path = Path(file)
    if path.is_relative_to(ROOT) and "site-packages" not in path.parts:
        name = path.relative_to(ROOT).as_posix()
        return next((room for prefix, room in ROOMS if name.startswith(prefix)), None)
    return next((f"library: {room}" for library, room in LIBRARIES if f"/site-packages/{library}" in file), None)


def _room_of_thread(thread: threading.Thread) -> str:
    return next((room for name, room in THREADS if thread.name.startswith(name)), ELSEWHERE)


def _thread_clocks() -> dict[threading.Thread, float]:
    # A thread that has ended has no clock to ask for; those that have a frame are alive while we hold the GIL.
    alive = sys._current_frames()  # noqa: SLF001 - the interpreter's documented way to see its threads
    return {
        thread: time.clock_gettime(time.pthread_getcpuclockid(thread.ident))
        for thread in threading.enumerate()
        if thread.ident is not None and thread.ident in alive
    }


class _Event(ctypes.Structure):
    """struct sigevent of Linux: which signal a timer sends."""

    _fields_ = (
        ("value", ctypes.c_void_p),
        ("signal", ctypes.c_int),
        ("notify", ctypes.c_int),
        ("_", ctypes.c_byte * 48),
    )


class _Interval(ctypes.Structure):
    """struct itimerspec: period and first expiry, each in seconds and nanoseconds."""

    _fields_ = tuple((name, ctypes.c_long) for name in ("every_s", "every_ns", "first_s", "first_ns"))


def _interrupt_this_thread(every: float) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    timer = ctypes.c_void_p()
    event = _Event(signal=signal.SIGPROF, notify=0)
    nanoseconds = round(every * 1e9)
    interval = _Interval(every_ns=nanoseconds, first_ns=nanoseconds)
    if libc.timer_create(time.CLOCK_THREAD_CPUTIME_ID, ctypes.byref(event), ctypes.byref(timer)) or libc.timer_settime(
        timer, 0, ctypes.byref(interval), None
    ):
        raise OSError(ctypes.get_errno(), "could not make a timer of this thread")


def main() -> None:
    """Serves the hub of the environment's settings on a free port; its address is the first line on stdout."""
    sampler = Sampler()
    signal.signal(signal.SIGUSR1, sampler.start)
    with bundled_database(Settings()) as settings, bind(settings.host, 0) as listener:
        print(json.dumps({"address": f"http://{settings.host}:{listener.getsockname()[1]}"}), flush=True)
        HubServer(settings).serve_at(listener)
        print(json.dumps(sampler.stop()), flush=True)


if __name__ == "__main__":
    main()
