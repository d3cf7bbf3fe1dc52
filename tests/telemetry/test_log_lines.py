"""
Log lines: one JSON object each, never a word of a person, and nobody waits for whoever reads them.
"""

import json
import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.telemetry.logs import LOGGER, MOST_WAITING, LineHandler, announce, as_json, as_text, event
from gateway.telemetry.request_context import CURRENT, RequestContext

CANARY = "甲某某 33080219900307123X"
CALL = RequestContext("0af7651916cd43dd8448eb211c80319c")
AT = datetime(2026, 11, 24, 9, 30, 15, 250_000, tzinfo=UTC)


def record(name: str = "shuniu", message: str = "request", **changes: Any) -> logging.LogRecord:
    """A record of a fixed moment."""
    whole = logging.makeLogRecord({"name": name, "levelno": 20, "levelname": "INFO", "msg": message} | changes)
    whole.created = AT.timestamp()
    return whole


@pytest.fixture
def lines() -> Iterator[list[logging.LogRecord]]:
    """The records that `event` makes."""
    records: list[logging.LogRecord] = []

    class Keeper(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record)

    handler, level = Keeper(), LOGGER.level
    LOGGER.addHandler(handler)
    LOGGER.setLevel(logging.INFO)
    yield records
    LOGGER.removeHandler(handler)
    LOGGER.setLevel(level)


def test_a_line_is_one_json_object_with_time_level_event_and_values() -> None:
    """UTC to the millisecond; the same line for people is shorter."""
    values = {"method": "POST", "route": "/v1/lookups", "status": 200, "seconds": 0.0412}

    assert json.loads(as_json(record(told=values))) == {
        "time": "2026-11-24T09:30:15.250Z",
        "level": "info",
        "event": "request",
        **values,
    }
    assert as_text(record(told=values)) == (
        "09:30:15 info    request method=POST route=/v1/lookups status=200 seconds=0.0412"
    )


def test_an_event_knows_the_call_that_it_belongs_to(lines: list[logging.LogRecord]) -> None:
    """The trace id leads from a refusal to its lines; what is not known is left out."""
    token = CURRENT.set(CALL)
    event("attempt_failed", agency="public_security", reason="timeout", problem="", rule=None)
    CURRENT.reset(token)
    event("serving")

    assert [line.__dict__["told"] for line in lines] == [
        {"agency": "public_security", "reason": "timeout", "trace_id": CALL.trace_id},
        {},
    ]


def test_what_another_program_waits_for_is_written_at_any_level(lines: list[logging.LogRecord]) -> None:
    """Whoever wants warnings only is still told that the hub serves, and where."""
    LOGGER.setLevel(logging.WARNING)
    event("request")
    announce("serving", text="Shuniu serves at http://127.0.0.1:8080")

    assert [(line.getMessage(), line.levelname, line.__dict__["told"]) for line in lines] == [
        ("serving", "INFO", {"text": "Shuniu serves at http://127.0.0.1:8080"})
    ]


def test_of_an_exception_its_class_and_the_places_in_the_code_are_written() -> None:
    """The text of an exception quotes values."""
    try:
        int(CANARY)
    except ValueError as error:
        failed = record(message="could not", exc_info=(type(error), error, error.__traceback__))

    line = json.loads(as_json(failed))

    assert (line["error"], line["at"][0].partition(":")[0]) == ("ValueError", "test_log_lines.py")
    assert CANARY not in as_json(failed) + as_text(failed)


@pytest.mark.parametrize(
    ("message", "args", "written"),
    [
        ("Failed to say %s", (CANARY,), "Failed to say %s"),
        (f"Task exception was never retrieved\nfuture: <{CANARY}>", (), "Task exception was never retrieved"),
    ],
)
def test_of_a_librarys_message_the_first_line_is_written_unfilled(
    message: str, args: tuple[str, ...], written: str
) -> None:
    """What a library puts into its texts may have come from a person."""
    line = json.loads(as_json(record("asyncio", message, args=args)))

    assert (line["logger"], line["event"]) == ("asyncio", written)


def test_lines_are_written_in_order_and_the_last_ones_at_the_end() -> None:
    """Closing writes what waits."""
    written: list[bytes] = []
    handler = LineHandler(written.append, "json")
    for number in range(300):
        handler.emit(record(told={"number": number}))
    handler.close()

    numbers = [json.loads(line)["number"] for line in b"".join(written).splitlines()]
    assert numbers == list(range(300))


def test_a_reader_that_does_not_read_holds_nobody_up() -> None:
    """The oldest lines go, and are counted; closing gives up after a bound."""
    hangs, released = threading.Event(), threading.Event()

    def hang(_lines: bytes) -> None:
        hangs.set()
        released.wait()

    handler = LineHandler(hang, "json")
    handler.emit(record())
    hangs.wait()
    for _ in range(MOST_WAITING + 5):
        handler.emit(record())

    assert handler.dropped == 5
    released.set()
    handler.close()


def test_a_stream_that_is_gone_is_counted_and_raises_nothing() -> None:
    """A log that cannot be written never ends a hub."""

    def gone(_lines: bytes) -> None:
        raise BrokenPipeError

    handler = LineHandler(gone, "json")
    handler.emit(record())
    handler.close()

    assert handler.dropped == 1
