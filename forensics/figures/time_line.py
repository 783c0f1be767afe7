"""Backup, incident and comparison in their order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from forensics.figures.canvas import Canvas
from forensics.figures.language import (
    INK,
    KEPT,
    MISSING,
    QUIET,
    SMALL,
    WIDE,
    Side,
    drawing,
    is_narrow,
)
from forensics.figures.picture import Picture
from forensics.text import duration, moment

_DOT = 9
_STEP_DOWN = 100


class Moment(NamedTuple):
    """A point of the time line: what happened, when, and what holds from there to the next."""

    said: str
    at: datetime
    then: str = ""


def timeline(moments: Sequence[Moment], *, width: int = WIDE) -> Picture:
    """Backup, incident and comparison in their order.

    The distances are written, not drawn to scale. A single moment stands alone: the evidence
    does not say the others.

    Args:
        moments: in any order.
        width: of the figure, in pixels.
    """
    moments = sorted(moments, key=lambda m: m.at)
    said = [f"{m.said} on {moment(m.at)}" for m in moments]
    alt = f"Time line, not to scale: {'; '.join(said)}."
    gaps = [later.at - earlier.at for earlier, later in pairwise(moments)]
    draw = _down if is_narrow(width) else _across
    with drawing():
        canvas = draw(moments, gaps, width)
    return Picture("timeline", alt, canvas.figure)


def _across(moments: Sequence[Moment], gaps: Sequence[timedelta], width: int) -> Canvas:
    """From left to right."""
    canvas = Canvas(width, 118)
    last = len(moments) - 1
    step = (width - 20) / max(last, 1)
    for number, one in enumerate(moments):
        x = 10 + number * step
        side: Side = "center"
        at = x
        if number == 0:
            side, at = "left", x - 8
        elif number == last:
            side, at = "right", x + 8
        canvas.words(at, 12, one.said, side, fontweight="bold")
        canvas.words(at, 31, moment(one.at), side, fontsize=SMALL, color=QUIET)
        if number < len(gaps):
            _line(canvas, (x, x + step), (58, 58), one)
            middle = x + step / 2
            canvas.words(middle, 80, duration(gaps[number]), "center", fontsize=SMALL)
            then = canvas.fitting(one.then, step - 24, fontsize=SMALL)
            canvas.words(middle, 98, then, "center", fontsize=SMALL, color=QUIET)
        canvas.dot(x, 58, _DOT, INK)
    return canvas


def _down(moments: Sequence[Moment], gaps: Sequence[timedelta], width: int) -> Canvas:
    """From top to bottom."""
    canvas = Canvas(width, _STEP_DOWN * (len(moments) - 1) + 56)
    for number, one in enumerate(moments):
        y = 20 + number * _STEP_DOWN
        canvas.words(30, y - 8, one.said, fontweight="bold")
        canvas.words(30, y + 11, moment(one.at), fontsize=SMALL, color=QUIET)
        if number < len(gaps):
            _line(canvas, (10, 10), (y, y + _STEP_DOWN), one)
            canvas.words(30, y + 39, duration(gaps[number]), fontsize=SMALL)
            then = canvas.fitting(one.then, width - 34, fontsize=SMALL)
            canvas.words(30, y + 56, then, fontsize=SMALL, color=QUIET)
        canvas.dot(10, y, _DOT, INK)
    return canvas


def _line(canvas: Canvas, x: Sequence[float], y: Sequence[float], since: Moment) -> None:
    """The time from a moment on; from the backup on it is the one in which rows can be lost."""
    colour = MISSING if since.said == "backup" else KEPT
    canvas.line(x, y, colour, linewidth=5, solid_capstyle="butt")
