"""A sheet to draw on, measured in pixels from its top left corner."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any, cast

from forensics.figures.language import BACK, DOTS_PER_INCH, INK, KEPT, SMALL, Side
from forensics.text import visible

_SHORTEST = 6  # letters of a name that is shortened

# A colour, and what it stands for.
Entry = tuple[str, str]


class Canvas:
    """A sheet measured in pixels from its top left corner.

    Args:
        width, height: in pixels.

    Attributes:
        figure: matplotlib's own.
    """

    def __init__(self, width: float, height: float) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self.figure = Figure(
            figsize=(width / DOTS_PER_INCH, height / DOTS_PER_INCH),
            dpi=DOTS_PER_INCH,
            facecolor="none",
        )
        self._axes = self.figure.add_axes((0, 0, 1, 1))
        self._axes.set_axis_off()
        self._axes.set_xlim(0, width)
        self._axes.set_ylim(height, 0)
        agg = cast(Any, FigureCanvasAgg(self.figure))
        self._renderer: Any = agg.get_renderer()

    def bar(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        """Draw a bar whose top left corner is at `x` and `y`; nothing where it has no width."""
        from matplotlib.patches import Rectangle

        if width > 0:
            patch = Rectangle((x, y), width, height, facecolor=colour, linewidth=0)
            self._axes.add_patch(patch)

    def dot(self, x: float, y: float, radius: float, colour: str) -> None:
        """Draw a dot, over all lines."""
        from matplotlib.patches import Circle

        self._axes.add_patch(
            Circle(
                (x, y),
                radius,
                facecolor=colour,
                edgecolor=BACK,
                linewidth=2,
                zorder=4,
            )
        )

    def line(
        self,
        x: Sequence[float],
        y: Sequence[float],
        colour: str = KEPT,
        **how: Any,
    ) -> None:
        """Draw a line through points."""
        style = {"linewidth": 1, **how}
        self._axes.plot(x, y, color=colour, **style)

    def words(
        self,
        x: float,
        y: float,
        said: str,
        side: Side = "left",
        **how: Any,
    ) -> None:
        """Write on the line whose middle is `y`."""
        style = {"color": INK, "ha": side, "va": "center_baseline", **how}
        self._axes.text(x, y, visible(said), **style)

    def measured(self, said: str, **how: Any) -> float:
        """How many pixels wide a text is at most.

        Wide letters that the font has not are a square each.
        """
        text = self._axes.text(0, 0, said, **how)
        wide = sum(unicodedata.east_asian_width(c) in "WF" for c in said)
        extent = text.get_window_extent(self._renderer).width
        width = float(extent + 0.4 * wide * float(text.get_fontsize()))
        text.remove()
        return width

    def fitting(self, said: str, width: float, **how: Any) -> str:
        """Shorten in the middle, where names differ least, until it fits."""
        whole = found = visible(said)
        keep = len(whole)
        while keep > _SHORTEST and self.measured(found, **how) > width:
            keep -= 1
            found = f"{whole[: (keep + 1) // 2]}…{whole[-(keep // 2) :]}"
        return found

    def legend(self, x: float, y: float, entries: Sequence[Entry], width: float) -> float:
        """Name the colours on as many lines as it takes; return the middle of the last."""
        at = x
        for colour, said in entries:
            long = 17 + self.measured(said, fontsize=SMALL)
            if at > x and at + long > width:
                at, y = x, y + 21
            self.bar(at, y - 5.5, 11, 11, colour)
            self.words(at + 17, y, said, fontsize=SMALL)
            at += long + 18
        return y
