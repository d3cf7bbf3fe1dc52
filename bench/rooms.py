"""
Where the hub's processor time goes: serves a hub and samples itself while it is under load.

A profiling timer interrupts the process after every few milliseconds of processor time.  Each thread's time since the
last interrupt (its own clock) is booked on the room in whose code the thread stands: the innermost frame of ours.
Threads that are not Python's are the transport engine's.  SIGUSR1 starts the sampling; the sums are printed as JSON
when the server ends.
"""

import json
import signal
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path
from types import CodeType, FrameType
from typing import Final

from gateway.installation import bundled_database
from gateway.serving import application, bind, make_server
from gateway.settings import Settings

EVERY: Final = 0.002
ROOT: Final = Path(__file__).parent.parent

# The first prefix that fits a file decides; the innermost frame that fits any decides for a stack.
ROOMS: Final = (
    ("adapters/wire/", "wire"),
    ("adapters/", "mapping"),
    ("gateway/lookup/pipeline.py", "pipeline"),
    ("gateway/lookup/asking.py", "pipeline"),
    ("gateway/lookup/records.py", "audit"),
    ("gateway/lookup/", "merge"),
    ("gateway/access/", "access"),
    ("gateway/sign_on/", "access"),
    ("gateway/vault.py", "access"),
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
ELSEWHERE: Final = "event loop and other"
ENGINE: Final = "transport engine's own threads"


class Sampler:
    """Books processor time (seconds) on rooms from `start` until `stop`."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._clocks: dict[int, float] = {}
        self._known: dict[CodeType, str | None] = {}
        self._process = 0.0

    def start(self, *_signal: object) -> None:
        """Starts from nothing."""
        self.seconds.clear()
        self._clocks = _thread_clocks()
        self._process = time.process_time()
        signal.signal(signal.SIGPROF, self._sample)
        signal.setitimer(signal.ITIMER_PROF, EVERY, EVERY)

    def stop(self) -> dict[str, float]:
        """The sums by room; what no Python thread used is the engine's."""
        signal.setitimer(signal.ITIMER_PROF, 0)
        total = time.process_time() - self._process
        if self.seconds:
            self.seconds[ENGINE] = max(0.0, total - sum(self.seconds.values()))
        return dict(self.seconds)

    def _sample(self, _signal: int, interrupted: FrameType | None) -> None:
        frames = sys._current_frames()  # noqa: SLF001 - the interpreter's documented way to see other threads
        clocks = _thread_clocks()
        for thread, clock in clocks.items():
            frame = interrupted if thread == threading.get_ident() else frames[thread]
            self.seconds[self._room(frame)] += clock - self._clocks.get(thread, clock)
        self._clocks = clocks

    def _room(self, frame: FrameType | None) -> str:
        library = None
        while frame is not None:
            code = frame.f_code
            if code not in self._known:
                self._known[code] = _room_of(code.co_filename)
            room = self._known[code]
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


def _thread_clocks() -> dict[int, float]:
    # A thread that has ended has no clock to ask for; those that have a frame are alive while we hold the GIL.
    alive = sys._current_frames()  # noqa: SLF001 - as above
    return {
        thread.ident: time.clock_gettime(time.pthread_getcpuclockid(thread.ident))
        for thread in threading.enumerate()
        if thread.ident in alive
    }


def main() -> None:
    """Serves the hub of the environment's settings on a free port; its address is the first line on stdout."""
    sampler = Sampler()
    signal.signal(signal.SIGUSR1, sampler.start)
    with bundled_database(Settings()) as settings, bind(settings.host, 0) as listener:
        print(json.dumps({"address": f"http://{settings.host}:{listener.getsockname()[1]}"}), flush=True)
        make_server(application(settings)).run(sockets=[listener])
        print(json.dumps(sampler.stop()), flush=True)


if __name__ == "__main__":
    main()
