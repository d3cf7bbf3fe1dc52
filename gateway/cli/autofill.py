"""
`shuniu autofill`: how many forms wait and move, and the digest of a day.
"""

import asyncio
import time
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from gateway.autofill.daily_report import DailyReport, digest
from gateway.cli import client
from gateway.cli.console import Exit, as_document, fail, show
from gateway.cli.options import DEFAULT_HUB, HubAddress, Json
from gateway.database import Database
from gateway.settings import Settings
from schemas.china_time import day_end, day_in_china, day_start

autofill_app = typer.Typer(no_args_is_help=True, help="The forms that are being filled.")

PATH = "/v1/autofill"


@autofill_app.command("watch")
def autofill_watch(
    request: Annotated[str, typer.Argument(help="id of a request; without it, everything that waits")] = "",
    every: Annotated[float, typer.Option(help="seconds between two looks", min=0.1)] = 1.0,
    *,
    hub: HubAddress = DEFAULT_HUB,
) -> None:
    """
    Watch one form being filled, or the whole backlog, until nothing waits any more.

    Example: SHUNIU_TOKEN=$(shuniu token --client ticket-system) shuniu autofill watch
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=show) as progress:
        if request:
            _watch_one(progress, hub, request, every)
        else:
            _watch_all(progress, hub, every)


def _watch_one(progress: Progress, hub: str, request: str, every: float) -> None:
    bar = progress.add_task("answers")
    while True:
        now = client.call(hub, "GET", f"{PATH}/{request}")
        done = now["progress"]
        progress.update(bar, description=now["state"], completed=done["answered"], total=max(1, done["questions"]))
        if now["ended_at"] is not None:
            return
        time.sleep(every)


def _watch_all(progress: Progress, hub: str, every: float) -> None:
    bar = progress.add_task("forms done")
    most = done = 0
    while True:
        now = client.call(hub, "GET", PATH)
        left = now["ready"] + now["under_way"] + now["delayed"]
        most = max(most, left + done)
        done = most - left
        words = f"{now['ready']} ready, {now['under_way']} under way, {now['delayed']} wait for an agency"
        progress.update(bar, description=words, completed=done, total=max(1, most))
        if left == 0:
            return
        time.sleep(every)


@autofill_app.command("digest")
def autofill_digest(
    day: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="a day in China (default: today)")] = None,
    *,
    json_output: Json = False,
) -> None:
    """
    Print how many forms came in on a day, how they ended, and what waits now.  Counts only, nothing of a person.

    Example: SHUNIU_DATABASE_URL=postgresql+psycopg://shuniu_app@db/shuniu shuniu autofill digest
    """
    settings = Settings()
    if settings.database_url is None:
        fail("Name the hub's database: set SHUNIU_DATABASE_URL.", Exit.USAGE)
    now = datetime.now(UTC)
    chosen = day_in_china(now) if day is None else day.date()
    told = asyncio.run(_digest(settings.database_url, day_start(chosen), min(day_end(chosen), now)))
    if json_output:
        as_document(told.document())
    else:
        show.print(told.text(), markup=False, highlight=False)


async def _digest(url: str, since: datetime, until: datetime) -> DailyReport:
    database = Database(url, timeout=30, connections=1)
    try:
        return await database.run(digest, since, until)
    finally:
        database.close()
