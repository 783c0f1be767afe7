"""A figure as people get it: an SVG element, or a file, with the sentence that says it all.

Words stay words in the SVG: they can be searched and read aloud, and scale with the page.
matplotlib measures them in DejaVu Sans, which is wider than what browsers put in its place, so
that nothing runs into its neighbour.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import escape

from forensics.errors import ReportError
from forensics.figures.language import BACK, DOTS_PER_INCH, drawing
from forensics.text import visible

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_FONTS = "system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif"
_NAMESPACES = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
_LAYOUT = "width:100%;height:auto;display:block"

_HEAD = re.compile(r"^.*?<svg[^>]*?viewBox=\"(?P<box>[^\"]*)\"[^>]*>", re.S)
_CLUTTER = re.compile(r"<metadata>.*?</metadata>|<!--.*?-->", re.S)
_FONT = re.compile(r"(?P<how>font(?:-family)?: [^;\"]*?)'?DejaVu Sans'?[^;\"]*")
_IDS = re.compile(r"(?P<where>\bid=\"|href=\"#|url\(#)(?P<id>[^\")]+)")
_INDENT = re.compile(r"\n\s*")


@dataclass(frozen=True)
class Picture:
    """A figure with the sentence that says what it shows.

    Attributes:
        name: what it is called.
        alt: what it says, for those who do not see it.
        figure: matplotlib's own, for whoever wants to change it.
    """

    name: str
    alt: str
    figure: Figure = field(repr=False)

    @property
    def svg(self) -> str:
        """The figure as an SVG element that stands in a page or in a file of its own."""
        out = io.StringIO()
        nobody = {"Date": None, "Creator": None}
        with drawing():
            self.figure.savefig(out, format="svg", metadata=nobody)
        return _tidy(out.getvalue(), self.name, self.alt)

    def save(self, path: str | Path) -> Path:
        """Write the figure to a file and return its path.

        Args:
            path: where to; the suffix decides: .svg, .png or .pdf.

        Raises:
            ReportError: it cannot be written, or matplotlib does not write files of that kind.
        """
        path = Path(path)
        try:
            if path.suffix == ".svg":
                path.write_text(self.svg, encoding="utf-8")
            else:
                with drawing():
                    self.figure.savefig(path, dpi=2 * DOTS_PER_INCH)
        except (OSError, ValueError) as error:
            raise ReportError(
                f"Figure {self.name} could not be written to {path}: {error}.",
                "Choose another file: .svg, .png or .pdf.",
            ) from error
        return path

    def _repr_html_(self) -> str:
        width = self.figure.get_figwidth() * DOTS_PER_INCH
        style = f"background:{BACK};max-width:{width:.0f}px"
        return f'<div style="{style}">{self.svg}</div>'


def _tidy(svg: str, name: str, alt: str) -> str:
    """Make matplotlib's SVG fit to stand in a page.

    It is named, its ids are its own, its fonts the page's.
    """
    head = _HEAD.match(svg)
    if head is None:  # matplotlib always writes one
        raise ReportError(
            f"Figure {name} could not be drawn.",
            "Is matplotlib's SVG back end whole?",
        )
    box = head["box"]
    width = round(float(box.split()[2]))
    body = _CLUTTER.sub("", svg[head.end() :])
    body = _FONT.sub(rf"\g<how>{_FONTS}", body)
    body = _IDS.sub(rf"\g<where>{name}-{width}-\g<id>", body)
    body = _INDENT.sub("\n", body)
    said = escape(visible(alt))
    return (
        f'<svg {_NAMESPACES} viewBox="{box}" style="{_LAYOUT}" '
        f'role="img" aria-label="{said}">\n<title>{said}</title>{body}'
    )
