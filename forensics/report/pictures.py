"""Figures as a page shows them: in two widths, their greys left to the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from markupsafe import Markup

from forensics import figures
from forensics.figures import Picture

# Greys that the page has two sets of.
_THEMED = {
    figures.INK: "ink",
    figures.QUIET: "quiet",
    figures.KEPT: "kept",
    figures.BACK: "paper",
}


def in_both_widths(draw: Callable[..., Picture], *shown: Any, **how: Any) -> Markup:
    """A figure in the two widths between which the page chooses.

    Args:
        draw: one of `forensics.figures`.
        shown, how: what it is called with, beside the width.
    """
    wide = draw(*shown, width=figures.WIDE, **how)
    narrow = draw(*shown, width=figures.NARROW, **how)
    both = Markup('<div class="wide">{}</div><div class="narrow">{}</div>')
    return both.format(_themed(wide), _themed(narrow))


def _themed(picture: Picture) -> Markup:
    svg = picture.svg
    for colour, name in _THEMED.items():
        svg = svg.replace(colour, f"var(--{name})")
    return Markup(svg)  # noqa: S704  (drawn by us; names in it are escaped by matplotlib)
