"""What part of each table is missing, changed and kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from forensics.figures.canvas import Canvas
from forensics.figures.language import (
    CHANGED,
    INK,
    KEPT,
    MISSING,
    QUIET,
    SMALL,
    WIDE,
    drawing,
    is_narrow,
    visible_length,
)
from forensics.figures.picture import Picture
from forensics.model import TableName, TableResult, that_count
from forensics.text import count, percent, plural

_LEGEND = (
    (MISSING, "missing"),
    (CHANGED, "changed"),
    (KEPT, "kept"),
)
_NAMED = 5  # tables that the sentence names


@dataclass(frozen=True)
class _Layout:
    """Where things stand.

    Attributes:
        width: of the figure.
        narrow: whether words stand above their bars.
        step: from one table to the next.
        thick: of a bar.
        left, long: where bars begin, and how long the longest is.
        said: the room for the words about a table.
    """

    width: int
    narrow: bool
    step: int
    thick: int
    left: float
    long: float
    said: int


def loss(results: Sequence[TableResult], *, width: int = WIDE, limit: int = 24) -> Picture:
    """What part of each table is missing, changed and kept; the largest losses first.

    Args:
        results: what was found of each table; those that lost and changed nothing are left out.
        width: of the figure, in pixels.
        limit: at most so many tables; a last line sums up the others.
    """
    hit = [r for r in that_count(results) if r.missing or r.changed]
    hit.sort(key=_largest_first)
    shown, rest = hit[:limit], hit[limit:]
    layout = _layout(width)
    height = 44 + layout.step * len(shown)
    if rest:
        height += 24
    with drawing():
        canvas = Canvas(width, height)
        canvas.legend(layout.left, 12, _LEGEND, width)
        for number, result in enumerate(shown):
            _table(canvas, layout, result, 34 + number * layout.step)
        if rest:
            said = _summed_up(rest)
            canvas.words(layout.left, height - 14, said, fontsize=SMALL, color=QUIET)
        return Picture("loss", _sentence(hit), canvas.figure)


def _largest_first(result: TableResult) -> tuple[int, int, TableName]:
    return -(result.missing or 0), -(result.changed or 0), result.name


def _layout(width: int) -> _Layout:
    if is_narrow(width):
        return _Layout(width, True, 46, 14, 0.0, float(width), 150)
    left, said = min(250.0, 0.29 * width), 196
    return _Layout(width, False, 26, 16, left, width - left - (said + 14), said)


def _table(canvas: Canvas, layout: _Layout, result: TableResult, top: int) -> None:
    """Draw one table's name, what it lost in words, and its bar."""
    name, said = str(result.name), _share(result)
    if layout.narrow:
        middle, bar_top = top + 7, top + 18
        name = canvas.fitting(name, layout.width - layout.said)
        canvas.words(0, middle, name, fontsize=SMALL)
        canvas.words(layout.width, middle, said, "right", fontsize=SMALL, color=QUIET)
    else:
        beside, bar_top = top + layout.thick / 2, top
        name = canvas.fitting(name, layout.left - 14)
        canvas.words(layout.left - 12, beside, name, "right")
        colour = INK if result.missing else QUIET
        end = layout.left + layout.long + 12
        canvas.words(end, beside, said, fontsize=SMALL, color=colour)
    _bar(canvas, layout, result, bar_top)


def _bar(canvas: Canvas, layout: _Layout, result: TableResult, top: int) -> None:
    x, end = layout.left, layout.left + layout.long
    whole = result.backup_rows or 1
    parts = (
        (result.missing, MISSING),
        (result.changed, CHANGED),
        (result.unchanged, KEPT),
    )
    for part, colour in parts:
        length = layout.long * (part or 0) / whole
        if colour != KEPT:
            length = visible_length(length, part)
        length = min(length, end - x)
        canvas.bar(x, top, length, layout.thick, colour)
        x += length


def _share(result: TableResult) -> str:
    if not result.missing:
        return f"{count(result.changed)} changed"
    if result.missing == result.backup_rows:
        return f"all {count(result.missing)} missing"
    share = percent(result.missing, result.backup_rows)
    return f"{count(result.missing)} missing ({share})"


def _summed_up(rest: Sequence[TableResult]) -> str:
    """The tables that are not drawn, in a line."""
    missing = sum(r.missing or 0 for r in rest)
    what = "rows changed, none missing"
    if missing:
        what = f"{count(missing)} rows missing"
    return f"and {count(len(rest))} more {plural(len(rest), 'table')}: {what}"


def _sentence(hit: Sequence[TableResult]) -> str:
    worst = []
    for result in hit[:_NAMED]:
        if result.missing:
            of = f"{count(result.missing)} of {count(result.backup_rows)}"
            worst.append(f"{result.name} {of}")
    return (
        f"Missing, changed and kept rows of the {count(len(hit))} tables that differ. "
        f"Most missing: {', '.join(worst) or 'none'}."
    )
