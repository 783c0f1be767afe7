"""How many parent rows had how many links in the backup, and hold how many now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from forensics.figures.canvas import Canvas
from forensics.figures.language import INK, KEPT, MISSING, QUIET, SMALL, WIDE, drawing
from forensics.figures.picture import Picture
from forensics.text import count

# Numbers of links that stand together, from and to.
_BINS = (
    (0, 0),
    (1, 1),
    (2, 4),
    (5, 9),
    (10, 19),
    (20, 49),
    (50, 99),
    (100, None),
)
_STEP = 44
_LEFT, _ROOM = 74.0, 64.0  # for the words on either side of the bars
_LEGEND = ((KEPT, "in the backup"), (MISSING, "now"))


class _Bin(NamedTuple):
    """Rows with so many links: how many there were in the backup, and are now."""

    name: str
    before: int
    after: int


def distribution(
    before: Mapping[int, int],
    after: Mapping[int, int],
    *,
    parent: str,
    width: int = WIDE,
) -> Picture:
    """How many parent rows had how many links in the backup, and hold how many now.

    Args:
        before, after: by number of links, how many parent rows had so many in the backup, and
            hold so many now.
        parent: the parents' table, for the words.
        width: of the figure, in pixels.
    """
    bins = _bins(before, after)
    most = max(max(one.before, one.after) for one in bins) or 1
    bottom = 46 + _STEP * len(bins)
    long = width - _LEFT - _ROOM
    with drawing():
        canvas = Canvas(width, bottom + 26)
        canvas.legend(_LEFT, 12, _LEGEND, width)
        for number, one in enumerate(bins):
            top = 36 + _STEP * number
            canvas.words(_LEFT - 12, top + 16, one.name, "right")
            _bar(canvas, top, one.before, long * one.before / most, KEPT)
            _bar(canvas, top + 17, one.after, long * one.after / most, MISSING)
        said = f"rows of {parent}, by their number of links"
        said = canvas.fitting(said, width - _LEFT, fontsize=SMALL)
        canvas.words(_LEFT, bottom + 8, said, fontsize=SMALL, color=QUIET)
    none = bins[0]
    alt = (
        f"{count(none.before)} rows of {parent} had no link in the backup, "
        f"{count(none.after)} hold none now."
    )
    return Picture("distribution", alt, canvas.figure)


def _bins(before: Mapping[int, int], after: Mapping[int, int]) -> list[_Bin]:
    """The bins that hold rows; that of none is always there, the first."""
    found = []
    for low, high in _BINS:
        one = _Bin(
            _named(low, high),
            _within(before, low, high),
            _within(after, low, high),
        )
        if low == 0 or one.before or one.after:
            found.append(one)
    return found


def _named(low: int, high: int | None) -> str:
    if high is None:
        return f"{low}+"
    if high == low:
        return f"{low}"
    return f"{low}–{high}"


def _within(rows: Mapping[int, int], low: int, high: int | None) -> int:
    number = 0
    for links, some in rows.items():
        if low <= links and (high is None or links <= high):
            number += some
    return number


def _bar(canvas: Canvas, top: float, value: int, length: float, colour: str) -> None:
    """A bar with its number at its end."""
    canvas.bar(_LEFT, top, length, 15, colour)
    ink = INK if value else QUIET
    canvas.words(_LEFT + length + 7, top + 7.5, count(value), fontsize=SMALL, color=ink)
