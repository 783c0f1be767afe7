"""What became of the missing links, in one bar."""

from __future__ import annotations

from collections.abc import Mapping

from forensics.figures.language import CLASSES, WIDE
from forensics.figures.picture import Picture
from forensics.figures.strip import Part, listed, strip
from forensics.text import count


def classes(found: Mapping[str, int], *, width: int = WIDE) -> Picture:
    """What became of the missing links, in one bar.

    Args:
        found: the totals of a loss, by class: restorable, moved, superseded, blocked,
            conflicting, and how many are missing.
        width: of the figure, in pixels.
    """
    parts = []
    for name, colour in CLASSES.items():
        if found.get(name):
            parts.append(Part(name, found[name], colour))
    alt = f"Of {count(found['missing'])} missing links, {listed(parts)}."
    return strip("classes", alt, parts, width)
