"""Figures: one visual language, drawn in pixels, the same bytes for the same numbers.

One figure a file; what they share is in `language` (colours, widths, letters), `canvas` (bars
and words, measured in pixels) and `picture` (a figure as people get it).
"""

from forensics.figures.language import (
    BACK,
    CHANGED,
    CLASSES,
    INK,
    KEPT,
    MISSING,
    NARROW,
    QUIET,
    WIDE,
)
from forensics.figures.link_classes import classes
from forensics.figures.links_per_row import distribution
from forensics.figures.loss_by_table import loss
from forensics.figures.picture import Picture
from forensics.figures.row_totals import totals
from forensics.figures.time_line import Moment, timeline
from forensics.figures.worst_hit import Hit, parents

__all__ = [
    "BACK",
    "CHANGED",
    "CLASSES",
    "INK",
    "KEPT",
    "MISSING",
    "NARROW",
    "QUIET",
    "WIDE",
    "Hit",
    "Moment",
    "Picture",
    "classes",
    "distribution",
    "loss",
    "parents",
    "timeline",
    "totals",
]
