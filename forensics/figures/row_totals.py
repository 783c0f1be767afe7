"""All rows of the backup in one bar."""

from __future__ import annotations

from collections.abc import Mapping

from forensics.figures.language import CHANGED, KEPT, MISSING, WIDE
from forensics.figures.picture import Picture
from forensics.figures.strip import Part, listed, strip
from forensics.text import count


def totals(found: Mapping[str, int], *, width: int = WIDE) -> Picture:
    """All rows of the backup in one bar: missing, changed, unchanged.

    Args:
        found: the totals of a comparison, by name.
        width: of the figure, in pixels.
    """
    parts = (
        Part("missing", found["missing"], MISSING),
        Part("changed", found["changed"], CHANGED),
        Part("unchanged", found["unchanged"], KEPT),
    )
    alt = f"Of {count(found['backup_rows'])} backup rows, {listed(parts)}."
    return strip("totals", alt, parts, width)
