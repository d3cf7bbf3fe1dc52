"""
Output of the command line: data on stdout, sentences on stderr, documented exit codes.
"""

import json
import sys
from enum import IntEnum
from typing import Any, NoReturn, Self

import typer
from rich.console import Console

from gateway.telemetry import logs

say = Console(stderr=True, highlight=False, soft_wrap=True)
show = Console(highlight=False)


class Exit(IntEnum):
    """The exit codes of every command."""

    label: str

    def __new__(cls, code: int, label: str) -> Self:
        member = int.__new__(cls, code)
        member._value_ = code
        member.label = label
        return member

    OK = 0, "done"
    FAILED = 1, "failed"
    USAGE = 2, "wrong usage"
    NOT_FOUND = 3, "not found"
    AGENCY_UNAVAILABLE = 4, "an agency gave no answer"
    NOT_PERMITTED = 5, "not permitted"
    FINDINGS = 6, "verified, with findings"


def as_document(value: Any) -> None:
    """Prints exactly one JSON document on stdout."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def announce(name: str, text: str, lines: logs.LineHandler) -> None:
    """Reports a state of a long-running process: as an event of its JSON log, or as a sentence on a terminal."""
    if lines.form == "json":
        logs.announce(name, text=text)
    else:
        say.print(text, markup=False)


def fail(sentence: str, code: Exit = Exit.FAILED) -> NoReturn:
    """Ends the command with a sentence: what happened and the next step."""
    say.print(sentence, style="bold red", markup=False)
    raise typer.Exit(code)
