"""
A table that fits its width without breaking a word: columns that do not fit side by side are stacked.
"""

import re
from collections.abc import Iterator
from typing import Final

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

GAP: Final = 2
# Text of East Asian scripts has no spaces and may break between any two characters.
_WORD: Final = re.compile(
    r"[^\s\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]+|[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]{1,4}"
)


class FoldingTable:
    """Rows of cells under a header; adjacent columns are stacked until the table fits the width that it is given."""

    def __init__(self, *columns: str) -> None:
        self._rows: list[list[Text]] = [[Text(name, "dim") for name in columns]]

    def add_row(self, *cells: Text | str) -> None:
        """One more row, a cell for each column."""
        self._rows.append([cell if isinstance(cell, Text) else Text(cell) for cell in cells])

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        rows = self._rows
        while len(rows[0]) > 1 and sum(_min_widths(rows)) + GAP * (len(rows[0]) - 1) > options.max_width:
            rows = list(_stack(rows))
        folded = len(rows[0]) < len(self._rows[0])
        table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), show_header=False)
        for width in _widths(rows, options.max_width):
            table.add_column(width=width, overflow="fold")
        for number, row in enumerate(rows):
            if folded and number > 0:
                table.add_row()
            table.add_row(*row)
        yield table


def _min_widths(rows: list[list[Text]]) -> list[int]:
    """For each column the width of its longest word."""
    return [max(_longest_word(cell) for cell in column) for column in zip(*rows, strict=True)]


def _longest_word(cell: Text) -> int:
    return max((Text(word).cell_len for word in _WORD.findall(cell.plain)), default=1)


def _stack(rows: list[list[Text]]) -> Iterator[list[Text]]:
    """Stacks the two adjacent columns that this narrows most."""
    widths = _min_widths(rows)
    _, left = max((min(widths[place : place + 2]), place) for place in range(len(widths) - 1))
    for number, row in enumerate(rows):
        pair = row[left : left + 2]
        # A column without a name takes no line of the header.
        stacked = Text("\n").join(filter(None, pair) if number == 0 else pair)
        yield [*row[:left], stacked, *row[left + 2 :]]


def _widths(rows: list[list[Text]], available: int) -> list[int]:
    """The widths of the columns: as their content has them, the widest narrowed down to their longest words."""
    least = _min_widths(rows)
    widths = [
        max(max((line.cell_len for line in cell.split("\n")), default=1) for cell in column)
        for column in zip(*rows, strict=True)
    ]
    while sum(widths) + GAP * (len(widths) - 1) > available:
        shrinkable = [place for place, width in enumerate(widths) if width > least[place]]
        if not shrinkable:
            break
        widths[max(shrinkable, key=lambda place: widths[place])] -= 1
    return [max(1, width) for width in widths]
