"""
`shuniu worker`: a hub without a door, which fills forms and sends callbacks for those that have one.
"""

import asyncio
import signal
from contextlib import closing
from typing import Annotated

import typer

from gateway.cli.console import Exit, announce, fail
from gateway.cli.systemd import tell_ready
from gateway.hub import Hub
from gateway.settings import Settings
from gateway.telemetry import logs


def worker(
    at_once: Annotated[int | None, typer.Option(help="forms filled at once (default: SHUNIU_WORKERS)")] = None,
) -> None:
    """
    Fill forms until Ctrl-C, beside any number of hubs and other workers on the same database.

    Example: SHUNIU_DATABASE_URL=postgresql+psycopg://shuniu_app@db/shuniu shuniu worker
    """
    settings = Settings()
    if settings.database_url is None:
        fail(
            "A worker shares its database with a hub: set SHUNIU_DATABASE_URL. "
            "A hub with the bundled database has its own workers already (SHUNIU_WORKERS).",
            Exit.USAGE,
        )
    if at_once is not None:
        settings = settings.model_copy(update={"workers": at_once})
    if settings.workers == 0:
        fail("Nothing to do: set SHUNIU_WORKERS, or say --at-once, to at least 1.", Exit.USAGE)
    with closing(logs.set_up(settings.log_format, settings.log_level)) as lines:
        asyncio.run(_work(settings, lines))


async def _work(settings: Settings, lines: logs.LineHandler) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for one in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(one, stop.set)
    async with await Hub.start(settings):
        announce("working", f"A worker fills up to {settings.workers} forms at once. Stop it with Ctrl-C.", lines)
        tell_ready()
        await stop.wait()
        announce("stopping", "Stopping: what is being filled comes to its end.", lines)
