"""
The table of `shuniu agencies status`: one row for each lookup of each agency.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.text import Text

from gateway.cli.folding_table import FoldingTable

Matrix = Sequence[Mapping[str, Any]]

COLUMNS = (
    "agency",
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


def status_table(matrix: Matrix, now: datetime) -> FoldingTable:
    """One row for each lookup of each agency; `now` is aware."""
    table = FoldingTable(*COLUMNS)
    for agency, capability, status in _rows(matrix):
        cells = [Text("not connected", "dim")] if status is None else list(_cells(status, now))
        table.add_row(agency, capability, *cells, *[""] * (len(COLUMNS) - 2 - len(cells)))
    return table


def any_suspended(matrix: Matrix) -> bool:
    """Whether an agency that this court is connected to is not asked at present."""
    return any(status is not None and _is_suspended(status) for _, _, status in _rows(matrix))


def _rows(matrix: Matrix) -> Iterator[tuple[str, str, Mapping[str, Any] | None]]:
    for agency in matrix:
        for capability in agency["capabilities"]:
            yield agency["id"], capability["name"], capability["standing"]


def _is_suspended(status: Mapping[str, Any]) -> bool:
    return status["ask_again_at"] is not None


def _cells(status: Mapping[str, Any], now: datetime) -> Iterator[Text | str]:
    word, colour = STATES[status["breaker"]]
    if _is_suspended(status) and status["closed_because"]:
        word, colour = status["closed_because"], "yellow"
    yield Text(word, colour)
    yield _when(status["ask_again_at"], now)
    yield _when(status["last_good_at"], now)
    yield " ".join(filter(None, (status["last_state"], status["last_reason"]))) or NOTHING
    yield f"{status['in_flight']}/{status['in_flight_limit']}"
    yield f"{status['waiting']}/{status['waiting_limit']}"
    for quota in ("minute_left", "day_left"):
        yield NOTHING if status[quota] is None else str(status[quota])
    yield str(status["drift"])


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
