"""
Processes that the tests start: none outlives the test session.
"""

import os
from pathlib import Path
from typing import Final

import psutil

# Every process inherits it.  PostgreSQL overwrites its environment and is known by its data folder.
VARIABLE: Final = "SHUNIU_TEST_SESSION"
GRACE_SECONDS: Final = 15.0


def surviving(session: str, folder: Path, *, grace: float = GRACE_SECONDS) -> list[psutil.Process]:
    """The session's processes that still run after `grace` seconds, but this one."""
    _, alive = psutil.wait_procs(
        [process for process in psutil.process_iter() if _is_of(process, session, folder)], grace
    )
    return [process for process in alive if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


def end(processes: list[psutil.Process]) -> None:
    """Ends processes and what they have started."""
    family = [member for process in processes for member in (process, *process.children(recursive=True))]
    for process in family:
        process.terminate()
    for process in psutil.wait_procs(family, timeout=5)[1]:
        process.kill()
    psutil.wait_procs(family, timeout=5)


def _is_of(process: psutil.Process, session: str, folder: Path) -> bool:
    try:
        if process.pid == os.getpid():
            return False
        if process.environ().get(VARIABLE) == session:
            return True
        return process.name() == "postgres" and any(argument.startswith(str(folder)) for argument in process.cmdline())
    except psutil.Error:
        # It has ended meanwhile, or belongs to another user.
        return False
