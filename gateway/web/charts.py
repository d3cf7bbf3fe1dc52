"""
Charts as SVG, drawn on the server: bars beside their numbers, and the timeline of one lookup.

No script and no inline style: classes of our style sheet colour them, in both themes and in print.  Each has a title
and a description, and a table with the same numbers beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final

from markupsafe import Markup, escape

WIDTH: Final = 800
ROW: Final = 26
LABEL: Final = 340
VALUE: Final = 90

_ids = count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One row: label, parts (class of the style sheet and size), and the text behind the bar."""

    label: str
    parts: Sequence[tuple[str, float]]
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """One stretch of time, in milliseconds from the beginning, with its class of the style sheet."""

    label: str
    start: float
    end: float
    kind: str


def bars(title: str, description: str, rows: Sequence[Bar], *, most: float | None = None) -> Markup:
    """
    Horizontal bars, the longest as long as there is room (or `most` is).
    """
    longest = most or max((sum(size for _, size in row.parts) for row in rows), default=0) or 1
    room = WIDTH - LABEL - VALUE
    drawn = []
    for place, row in enumerate(rows):
        top, at = place * ROW, float(LABEL)
        drawn.append(_text(LABEL - 8, top + 17, row.label, "chart-label"))
        for kind, size in row.parts:
            width = room * min(size / longest, 1.0)
            drawn.append(_rect(at, top + 5, width, 16, kind))
            at += width
        drawn.append(_text(at + 6, top + 17, row.value, "chart-value"))
    return _chart(title, description, len(rows) * ROW, drawn)


def stretches(title: str, description: str, rows: Sequence[Stretch]) -> Markup:
    """
    Stretches of time under each other, on one scale.
    """
    first, last = min((row.start for row in rows), default=0), max((row.end for row in rows), default=0)
    room, span = WIDTH - LABEL - VALUE, (last - first) or 1
    drawn = []
    for place, row in enumerate(rows):
        top, at = place * ROW, LABEL + room * (row.start - first) / span
        width = max(room * (row.end - row.start) / span, 2)
        drawn.append(_text(LABEL - 8, top + 17, row.label, "chart-label"))
        drawn.append(_rect(at, top + 5, width, 16, row.kind))
        drawn.append(_text(at + width + 6, top + 17, f"{row.end - row.start:.0f} ms", "chart-value"))
    return _chart(title, description, len(rows) * ROW, drawn)


def _chart(title: str, description: str, height: int, drawn: Sequence[Markup]) -> Markup:
    name = f"chart-{next(_ids)}"
    # Only escaped parts are put together here.
    return Markup(
        '<svg class="chart" role="img" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'aria-labelledby="{name}-title {name}-desc"><title id="{name}-title">{title}</title>'
        '<desc id="{name}-desc">{description}</desc>{drawn}</svg>'
    ).format(
        width=WIDTH,
        height=max(height, ROW),
        name=name,
        title=title,
        description=description,
        drawn=Markup("").join(drawn),
    )


def _rect(x: float, y: float, width: float, height: float, kind: str) -> Markup:
    return Markup('<rect class="{}" x="{:.1f}" y="{}" width="{:.1f}" height="{}"/>').format(kind, x, y, width, height)


def _text(x: float, y: float, text: str, kind: str) -> Markup:
    return Markup('<text class="{}" x="{:.1f}" y="{}">{}</text>').format(kind, x, y, escape(text))
