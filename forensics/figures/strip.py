"""One bar of several parts over the whole width: what two figures are drawn as."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from forensics.figures.canvas import Canvas
from forensics.figures.language import drawing, is_narrow, visible_length
from forensics.figures.picture import Picture
from forensics.text import count, percent

_LINE = 21
_ON_A_LINE = 4  # entries of the legend


class Part(NamedTuple):
    """A part of the bar: what it is, how many, and its colour."""

    name: str
    value: int
    colour: str


def strip(name: str, alt: str, parts: Sequence[Part], width: int) -> Picture:
    """Draw parts of a whole in one bar.

    Args:
        name: what the figure is called.
        alt: what it says.
        parts: in their order.
        width: of the figure, in pixels.
    """
    whole = sum(part.value for part in parts) or 1
    entries = []
    for part in parts:
        share = percent(part.value, whole)
        entries.append((part.colour, f"{count(part.value)} {part.name} ({share})"))
    lines, for_legend = 1, width
    if is_narrow(width):
        # A width of one pixel puts each entry on a line of its own.
        lines, for_legend = len(entries), 1
    elif len(entries) > _ON_A_LINE:
        lines = 2
    with drawing():
        canvas = Canvas(width, 44 + _LINE * lines)
        x = 0.0
        for part in parts:
            length = visible_length(width * part.value / whole, part.value)
            length = min(length, width - x)
            canvas.bar(x, 2, length, 26, part.colour)
            x += length
        canvas.legend(0, 46, entries, for_legend)
        return Picture(name, alt, canvas.figure)


def listed(parts: Sequence[Part]) -> str:
    """The parts in words: 5 are missing, 1 are changed."""
    return ", ".join(f"{count(part.value)} are {part.name}" for part in parts)
