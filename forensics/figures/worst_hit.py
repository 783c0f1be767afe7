"""The parent rows that lost the most links."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from forensics.figures.canvas import Canvas
from forensics.figures.language import (
    KEPT,
    MISSING,
    QUIET,
    SMALL,
    WIDE,
    drawing,
    is_narrow,
)
from forensics.figures.picture import Picture
from forensics.text import count

_LEGEND = ((MISSING, "missing"), (KEPT, "kept"))
_THICK = 16
_NAMED = 3  # rows that the sentence names


class Hit(NamedTuple):
    """A parent row: how it is called, its links in the backup, and how many are missing."""

    label: str
    links: int
    missing: int

    @property
    def most(self) -> int:
        """What its bar is as long as."""
        return max(self.links, self.missing)

    @property
    def said(self) -> str:
        """What it lost, in words."""
        return f"{count(self.missing)} of {count(self.links)}"


def parents(
    hits: Sequence[Hit],
    *,
    parent: str,
    width: int = WIDE,
    limit: int = 12,
) -> Picture:
    """The parent rows that lost the most links, each with what it had and what is missing.

    Args:
        hits: the rows, in any order.
        parent: their table, for the words.
        width: of the figure, in pixels.
        limit: at most so many rows.
    """
    shown = sorted(hits, key=lambda h: (-h.missing, -h.links, h.label))[:limit]
    most = max((h.most for h in shown), default=0) or 1
    narrow = is_narrow(width)
    step, left, room, down = 26, min(280.0, 0.33 * width), 150.0, 0
    if narrow:
        step, left, room, down = 44, 0.0, 4.0, 18
    long = width - left - room
    with drawing():
        canvas = Canvas(width, 40 + step * max(len(shown), 1))
        canvas.legend(left, 12, _LEGEND, width)
        for number, hit in enumerate(shown):
            top = 34 + step * number
            whole = long * hit.most / most
            gone = long * hit.missing / most
            canvas.bar(left, top + down, gone, _THICK, MISSING)
            canvas.bar(left + gone, top + down, whole - gone, _THICK, KEPT)
            if narrow:
                _words_above(canvas, hit, top + 7, width)
            else:
                _words_beside(canvas, hit, top + 8, left, left + whole)
    worst = ", ".join(f"{h.label}: {h.said}" for h in shown[:_NAMED])
    alt = f"The rows of {parent} that lost the most links. {worst}."
    return Picture("parents", alt, canvas.figure)


def _words_above(canvas: Canvas, hit: Hit, middle: int, width: int) -> None:
    label = canvas.fitting(hit.label, width - 110)
    canvas.words(0, middle, label, fontsize=SMALL)
    canvas.words(width, middle, hit.said, "right", fontsize=SMALL, color=QUIET)


def _words_beside(canvas: Canvas, hit: Hit, middle: int, left: float, end: float) -> None:
    label = canvas.fitting(hit.label, left - 14)
    canvas.words(left - 12, middle, label, "right")
    canvas.words(end + 10, middle, hit.said, fontsize=SMALL)
