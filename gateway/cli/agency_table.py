"""
How things stand with the agencies, as a table for people.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.table import Table
from rich.text import Text

Matrix = Sequence[Mapping[str, Any]]

COLUMNS = (
    "lookup",
    "state",
    "ask again",
    "last good",
    "last answer",
    "in flight",
    "waiting",
    "minute",
    "day",
    "drift",
)
STATES = {"closed": ("asked", "green"), "half_open": ("on trial", "yellow"), "open": ("resting", "red")}
NOTHING = "–"


def table(matrix: Matrix, now: datetime) -> Table:
    """One row for each lookup of each agency; `now` is aware."""
    shown = Table(box=None, header_style="dim")
    for column in COLUMNS:
        shown.add_column(column, overflow="fold")
    for name, standing in _each(matrix):
        shown.add_row(name, *([Text("not connected", "dim")] if standing is None else _cells(standing, now)))
    return shown


def any_kept_back(matrix: Matrix) -> bool:
    """Whether an agency that this court is connected to is not asked just now."""
    return any(standing is not None and _kept_back(standing) for _, standing in _each(matrix))


def _each(matrix: Matrix) -> Iterator[tuple[str, Mapping[str, Any] | None]]:
    for agency in matrix:
        for capability in agency["capabilities"]:
            yield f"{agency['id']}.{capability['name']}", capability["standing"]


def _kept_back(standing: Mapping[str, Any]) -> bool:
    return standing["ask_again_at"] is not None


def _cells(standing: Mapping[str, Any], now: datetime) -> Iterator[Text | str]:
    word, colour = STATES[standing["breaker"]]
    if _kept_back(standing) and standing["closed_because"]:
        word, colour = standing["closed_because"], "yellow"
    yield Text(word, colour)
    yield _when(standing["ask_again_at"], now)
    yield _when(standing["last_good_at"], now)
    yield " ".join(filter(None, (standing["last_state"], standing["last_reason"]))) or NOTHING
    yield f"{standing['in_flight']}/{standing['in_flight_limit']}"
    yield f"{standing['waiting']}/{standing['waiting_limit']}"
    for quota in ("minute_left", "day_left"):
        yield NOTHING if standing[quota] is None else str(standing[quota])
    yield str(standing["drift"])


def _when(text: str | None, now: datetime) -> str:
    """A moment as the distance to it, for everything nearer than a day."""
    if text is None:
        return NOTHING
    moment = datetime.fromisoformat(text)
    seconds = round((moment - now).total_seconds())
    if abs(seconds) >= 86_400:
        return moment.astimezone().strftime("%Y-%m-%d %H:%M")
    size = abs(seconds)
    distance = f"{size} s" if size < 120 else f"{size // 60} min" if size < 7200 else f"{size // 3600} h"
    return f"in {distance}" if seconds > 0 else f"{distance} ago"
