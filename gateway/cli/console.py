"""
How the command line speaks: data on stdout, sentences on stderr, documented exit codes.
"""

import json
import sys
from enum import IntEnum
from typing import Any, NoReturn

import typer
from rich.console import Console

from gateway.telemetry import logs

say = Console(stderr=True, highlight=False, soft_wrap=True)
show = Console(highlight=False)


class Exit(IntEnum):
    """The exit codes of every command."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    AGENCY_UNAVAILABLE = 4
    NOT_PERMITTED = 5
    FINDINGS = 6


def as_document(value: Any) -> None:
    """Prints exactly one JSON document on stdout."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def announce(name: str, text: str, lines: logs.LineHandler) -> None:
    """Says what a process of long life does now: as an event of its log, or to whoever sits before it."""
    if lines.form == "json":
        logs.announce(name, text=text)
    else:
        say.print(text, markup=False)


def fail(sentence: str, code: Exit = Exit.FAILED) -> NoReturn:
    """Ends the command with a sentence that says what to do."""
    say.print(sentence, style="bold red", markup=False)
    raise typer.Exit(code)
