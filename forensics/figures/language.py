"""The visual language of all figures.

Colours are Okabe and Ito's (https://jfly.uni-koeln.de/color/), which people with any colour
vision tell apart; every bar is labelled where it stands, so that no figure needs them.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

INK, QUIET, KEPT, BACK = "#1d2733", "#5b6876", "#d3dae2", "#ffffff"
MISSING, CHANGED = "#d55e00", "#0072b2"
CLASSES = {
    "restorable": "#009e73",
    "moved": "#56b4e9",
    "superseded": "#0072b2",
    "blocked": "#cc79a7",
    "conflicting": "#e69f00",
}

# In pixels: on a page, on a telephone, and where the one layout ends and the other begins.
WIDE, NARROW = 880, 340
_TURN = 560

SMALL = 12  # letters beside the ones of the usual size
DOTS_PER_INCH = 72  # one unit of the SVG is then one pixel of the page

Side = Literal["left", "center", "right"]

_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "forensics",
    "text.parse_math": False,
    "font.family": ["DejaVu Sans"],
    "font.size": 13,
}


def is_narrow(width: float) -> bool:
    """Whether words stand above their bars, not beside them."""
    return width < _TURN


def visible_length(length: float, value: int | None) -> float:
    """The length of a bar: a loss of one row in a million is a loss and stays visible."""
    return max(length, 2.0) if value else length


@contextmanager
def drawing() -> Iterator[None]:
    """Draw in our style.

    No word is said about letters that DejaVu Sans has not: a browser takes them from another
    font.
    """
    import matplotlib as mpl

    with mpl.rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph \d+")
        yield
