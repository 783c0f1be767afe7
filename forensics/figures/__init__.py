"""Figures: one visual language, drawn in pixels, the same bytes for the same numbers.

Colours are Okabe and Ito's (https://jfly.uni-koeln.de/color/), which people with any colour vision tell apart; every
bar is labelled where it stands, so that no figure needs them. Words stay words in the SVG: they can be searched and
read aloud, and scale with the page. matplotlib measures them in DejaVu Sans, which is wider than what browsers
put in its place, so that nothing runs into its neighbour.
"""

from __future__ import annotations

import io
import re
import unicodedata
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast

import matplotlib as mpl
from markupsafe import escape
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle

from forensics.errors import ReportError
from forensics.model import TableResult
from forensics.text import count, duration, moment, percent, plural, visible

INK, QUIET, KEPT, BACK = "#1d2733", "#5b6876", "#d3dae2", "#ffffff"
MISSING, CHANGED = "#d55e00", "#0072b2"
CLASSES = {
    "restorable": "#009e73",
    "moved": "#56b4e9",
    "superseded": "#0072b2",
    "blocked": "#cc79a7",
    "conflicting": "#e69f00",
}
WIDE, NARROW = 880, 340

_DOTS_PER_INCH = 72  # one unit of the SVG is then one pixel of the page
_FONTS = "system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif"
_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "forensics",
    "text.parse_math": False,
    "font.family": ["DejaVu Sans"],
    "font.size": 13,
}
_Side = Literal["left", "center", "right"]


@contextmanager
def _drawing() -> Iterator[None]:
    """Our style; and no word about letters that DejaVu Sans has not: a browser takes them from another font."""
    with mpl.rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph \d+")
        yield


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
        with _drawing():
            self.figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
        return _tidy(out.getvalue(), self.name, self.alt)

    def save(self, path: str | Path) -> Path:
        """Write the figure to a file; the suffix decides: .svg, .png or .pdf. Return its path.

        Raises:
            ReportError: it cannot be written, or matplotlib does not write files of that kind.
        """
        path = Path(path)
        try:
            if path.suffix == ".svg":
                path.write_text(self.svg, encoding="utf-8")
            else:
                with _drawing():
                    self.figure.savefig(path, dpi=2 * _DOTS_PER_INCH)
        except (OSError, ValueError) as error:
            raise ReportError(
                f"Figure {self.name} could not be written to {path}: {error}.",
                "Choose another file: .svg, .png or .pdf.",
            ) from error
        return path

    def _repr_html_(self) -> str:
        return f'<div style="background:{BACK};max-width:{self.figure.get_figwidth() * _DOTS_PER_INCH:.0f}px">{self.svg}</div>'


class _Canvas:
    """A sheet measured in pixels from its top left corner."""

    def __init__(self, width: float, height: float) -> None:
        self.figure = Figure(
            figsize=(width / _DOTS_PER_INCH, height / _DOTS_PER_INCH),
            dpi=_DOTS_PER_INCH,
            facecolor="none",
        )
        self.axes = self.figure.add_axes((0, 0, 1, 1))
        self.axes.set_axis_off()
        self.axes.set_xlim(0, width)
        self.axes.set_ylim(height, 0)
        self._renderer: Any = cast(Any, FigureCanvasAgg(self.figure)).get_renderer()

    def bar(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        if width > 0:
            self.axes.add_patch(Rectangle((x, y), width, height, facecolor=colour, linewidth=0))

    def dot(self, x: float, y: float, radius: float, colour: str) -> None:
        self.axes.add_patch(
            Circle((x, y), radius, facecolor=colour, edgecolor=BACK, linewidth=2, zorder=4)
        )

    def line(self, x: Sequence[float], y: Sequence[float], colour: str = KEPT, **how: Any) -> None:
        self.axes.plot(x, y, color=colour, **{"linewidth": 1, **how})

    def words(self, x: float, y: float, said: str, side: _Side = "left", **how: Any) -> None:
        """Write on the line whose middle is `y`."""
        self.axes.text(
            x, y, visible(said), **{"color": INK, "ha": side, "va": "center_baseline", **how}
        )

    def measured(self, said: str, **how: Any) -> float:
        """How many pixels wide a text is at most; wide letters that the font has not are a square each."""
        text = self.axes.text(0, 0, said, **how)
        wide = sum(unicodedata.east_asian_width(c) in "WF" for c in said)
        width = float(
            text.get_window_extent(self._renderer).width + 0.4 * wide * float(text.get_fontsize())
        )
        text.remove()
        return width

    def fitting(self, said: str, width: float, **how: Any) -> str:
        """Shorten in the middle, where names differ least, until it fits."""
        whole = found = visible(said)
        keep = len(whole)
        while keep > 6 and self.measured(found, **how) > width:
            keep -= 1
            found = f"{whole[: (keep + 1) // 2]}…{whole[-(keep // 2) :]}"
        return found

    def legend(self, x: float, y: float, entries: Sequence[tuple[str, str]], width: float) -> float:
        """Name the colours on as many lines as it takes; return the middle of the last."""
        at = x
        for colour, said in entries:
            long = 17 + self.measured(said, fontsize=12)
            if at > x and at + long > width:
                at, y = x, y + 21
            self.bar(at, y - 5.5, 11, 11, colour)
            self.words(at + 17, y, said, fontsize=12)
            at += long + 18
        return y


def loss(results: Sequence[TableResult], *, width: int = WIDE, limit: int = 24) -> Picture:
    """What part of each table is missing, changed and kept; the largest losses first.

    Args:
        results: what was found of each table; those that lost and changed nothing are left out.
        width: of the figure, in pixels.
        limit: at most so many tables; a last line sums up the others.
    """
    with _drawing():
        hit = sorted(
            (r for r in results if r.missing or r.changed),
            key=lambda r: (-(r.missing or 0), -(r.changed or 0), r.name),
        )
        shown, rest = hit[:limit], hit[limit:]
        narrow = width < 560
        step, thick = (46, 14) if narrow else (26, 16)
        height = 40 + step * len(shown) + (24 if rest else 0) + 4
        canvas = _Canvas(width, height)
        left = 0.0 if narrow else min(250.0, 0.29 * width)
        said_width = 150 if narrow else 196
        long = width - left - (0 if narrow else said_width + 14)
        canvas.legend(left, 12, ((MISSING, "missing"), (CHANGED, "changed"), (KEPT, "kept")), width)
        for i, r in enumerate(shown):
            top = 34 + i * step
            middle = top + (7 if narrow else thick / 2)
            bar_top = top + 18 if narrow else top
            whole = r.backup_rows or 1
            if narrow:
                canvas.words(
                    0, middle, canvas.fitting(str(r.name), width - said_width), fontsize=12
                )
                canvas.words(width, middle, _share(r), "right", fontsize=12, color=QUIET)
            else:
                canvas.words(left - 12, middle, canvas.fitting(str(r.name), left - 14), "right")
                canvas.words(
                    left + long + 12,
                    middle,
                    _share(r),
                    fontsize=12,
                    color=INK if r.missing else QUIET,
                )
            x = left
            for part, colour in ((r.missing, MISSING), (r.changed, CHANGED), (r.unchanged, KEPT)):
                # A loss of one row in a million is a loss: it stays visible.
                part_width = max(long * (part or 0) / whole, 2.0 if part and colour != KEPT else 0)
                part_width = min(part_width, left + long - x)
                canvas.bar(x, bar_top, part_width, thick, colour)
                x += part_width
        if rest:
            left_out = sum(r.missing or 0 for r in rest)
            what = f"{count(left_out)} rows missing" if left_out else "rows changed, none missing"
            more = f"and {count(len(rest))} more {plural(len(rest), 'table')}: {what}"
            canvas.words(left, height - 14, more, fontsize=12, color=QUIET)
        worst = ", ".join(
            f"{r.name} {count(r.missing)} of {count(r.backup_rows)}" for r in hit[:5] if r.missing
        )
        alt = f"Missing, changed and kept rows of the {count(len(hit))} tables that differ. Most missing: {worst or 'none'}."
        return Picture("loss", alt, canvas.figure)


def _share(r: TableResult) -> str:
    if not r.missing:
        return f"{count(r.changed)} changed"
    if r.missing == r.backup_rows:
        return f"all {count(r.missing)} missing"
    return f"{count(r.missing)} missing ({percent(r.missing, r.backup_rows)})"


def totals(found: Mapping[str, int], *, width: int = WIDE) -> Picture:
    """All rows of the backup in one bar: missing, changed, unchanged."""
    parts = [
        (n, found[n], c)
        for n, c in (("missing", MISSING), ("changed", CHANGED), ("unchanged", KEPT))
    ]
    alt = (
        f"Of {count(found['backup_rows'])} backup rows, "
        + ", ".join(f"{count(v)} are {n}" for n, v, _ in parts)
        + "."
    )
    return _strip("totals", alt, parts, width)


def classes(found: Mapping[str, int], *, width: int = WIDE) -> Picture:
    """What became of the missing links, in one bar: restorable, moved, superseded, blocked, conflicting."""
    parts = [(n, found.get(n, 0), c) for n, c in CLASSES.items() if found.get(n)]
    alt = (
        f"Of {count(found['missing'])} missing links, "
        + ", ".join(f"{count(v)} are {n}" for n, v, _ in parts)
        + "."
    )
    return _strip("classes", alt, parts, width)


def _strip(name: str, alt: str, parts: Sequence[tuple[str, int, str]], width: int) -> Picture:
    with _drawing():
        whole = sum(v for _, v, _ in parts) or 1
        entries = [(c, f"{count(v)} {n} ({percent(v, whole)})") for n, v, c in parts]
        canvas = _Canvas(width, 44 + 21 * (len(entries) if width < 560 else 1 + (len(entries) > 4)))
        x = 0.0
        for _, value, colour in parts:
            part = min(max(width * value / whole, 2.0 if value else 0), width - x)
            canvas.bar(x, 2, part, 26, colour)
            x += part
        canvas.legend(0, 46, entries, 1 if width < 560 else width)
        return Picture(name, alt, canvas.figure)


class Moment(NamedTuple):
    """A point of the time line: what happened, when, and what holds from there to the next."""

    said: str
    at: datetime
    then: str = ""


def timeline(moments: Sequence[Moment], *, width: int = WIDE) -> Picture:
    """Backup, incident and comparison in their order; the distances are written, not drawn to scale.

    A single moment stands alone: the evidence does not say the others.
    """
    moments = sorted(moments, key=lambda m: m.at)
    said = [f"{m.said} on {moment(m.at)}" for m in moments]
    alt = "Time line, not to scale: " + "; ".join(said) + "."
    gaps = [b.at - a.at for a, b in pairwise(moments)]
    with _drawing():
        figure = (_timeline_down if width < 560 else _timeline_across)(moments, gaps, width)
    return Picture("timeline", alt, figure)


def _timeline_across(moments: Sequence[Moment], gaps: Sequence[timedelta], width: int) -> Figure:
    canvas = _Canvas(width, 118)
    step = (width - 20) / max(len(moments) - 1, 1)
    for i, m in enumerate(moments):
        x = 10 + i * step
        side: _Side = "left" if i == 0 else "right" if i == len(moments) - 1 else "center"
        at = {"left": x - 8, "right": x + 8, "center": x}[side]
        canvas.words(at, 12, m.said, side, fontweight="bold")
        canvas.words(at, 31, moment(m.at), side, fontsize=12, color=QUIET)
        if i < len(gaps):
            canvas.line((x, x + step), (58, 58), _danger(m), linewidth=5, solid_capstyle="butt")
            canvas.words(x + step / 2, 80, duration(gaps[i]), "center", fontsize=12)
            canvas.words(
                x + step / 2,
                98,
                canvas.fitting(m.then, step - 24, fontsize=12),
                "center",
                fontsize=12,
                color=QUIET,
            )
        canvas.dot(x, 58, 9, INK)
    return canvas.figure


def _timeline_down(moments: Sequence[Moment], gaps: Sequence[timedelta], width: int) -> Figure:
    step = 100
    canvas = _Canvas(width, step * (len(moments) - 1) + 56)
    for i, m in enumerate(moments):
        y = 20 + i * step
        canvas.words(30, y - 8, m.said, fontweight="bold")
        canvas.words(30, y + 11, moment(m.at), fontsize=12, color=QUIET)
        if i < len(gaps):
            canvas.line((10, 10), (y, y + step), _danger(m), linewidth=5, solid_capstyle="butt")
            canvas.words(30, y + 39, duration(gaps[i]), fontsize=12)
            canvas.words(
                30,
                y + 56,
                canvas.fitting(m.then, width - 34, fontsize=12),
                fontsize=12,
                color=QUIET,
            )
        canvas.dot(10, y, 9, INK)
    return canvas.figure


def _danger(m: Moment) -> str:
    return MISSING if m.said == "backup" else KEPT


_BINS = ((0, 0), (1, 1), (2, 4), (5, 9), (10, 19), (20, 49), (50, 99), (100, None))


def distribution(
    before: Mapping[int, int], after: Mapping[int, int], *, parent: str, width: int = WIDE
) -> Picture:
    """How many parent rows had how many links in the backup, and hold how many now.

    Args:
        before, after: by number of links, how many parent rows had so many in the backup, and hold so many now.
        parent: the parents' table, for the words.
        width: of the figure, in pixels.
    """
    bins = [b for b in _BINS if _within(before, b) or _within(after, b) or b == (0, 0)]
    names = [f"{a}" if a == b else f"{a}+" if b is None else f"{a}–{b}" for a, b in bins]
    pairs = [(_within(before, b), _within(after, b)) for b in bins]
    most = max((v for p in pairs for v in p), default=0) or 1
    with _drawing():
        canvas = _Canvas(width, 46 + 44 * len(bins) + 26)
        left, room = 74.0, 64.0
        long = width - left - room
        canvas.legend(left, 12, ((KEPT, "in the backup"), (MISSING, "now")), width)
        for i, (name, (was, now)) in enumerate(zip(names, pairs, strict=True)):
            top = 36 + 44 * i
            canvas.words(left - 12, top + 16, name, "right")
            for value, y, colour in ((was, top, KEPT), (now, top + 17, MISSING)):
                canvas.bar(left, y, long * value / most, 15, colour)
                canvas.words(
                    left + long * value / most + 7,
                    y + 7.5,
                    count(value),
                    fontsize=12,
                    color=INK if value else QUIET,
                )
        canvas.words(
            left,
            46 + 44 * len(bins) + 8,
            canvas.fitting(
                f"rows of {parent}, by their number of links", width - left, fontsize=12
            ),
            fontsize=12,
            color=QUIET,
        )
        empty = f"{count(pairs[0][0])} rows of {parent} had no link in the backup, {count(pairs[0][1])} hold none now."
        return Picture("distribution", empty, canvas.figure)


def _within(rows: Mapping[int, int], limits: tuple[int, int | None]) -> int:
    low, high = limits
    return sum(n for links, n in rows.items() if low <= links and (high is None or links <= high))


class Hit(NamedTuple):
    """A parent row: how it is called, its links in the backup, and how many of them are missing."""

    label: str
    links: int
    missing: int


def parents(hits: Sequence[Hit], *, parent: str, width: int = WIDE, limit: int = 12) -> Picture:
    """The parent rows that lost the most links, each with what it had and what is missing of that."""
    shown = sorted(hits, key=lambda h: (-h.missing, -h.links, h.label))[:limit]
    most = max((max(h.links, h.missing) for h in shown), default=0) or 1
    with _drawing():
        narrow = width < 560
        step = 44 if narrow else 26
        canvas = _Canvas(width, 40 + step * max(len(shown), 1))
        left, room = (0.0, 4.0) if narrow else (min(280.0, 0.33 * width), 150.0)
        long = width - left - room
        canvas.legend(left, 12, ((MISSING, "missing"), (KEPT, "kept")), width)
        for i, h in enumerate(shown):
            top = 34 + step * i
            said = f"{count(h.missing)} of {count(h.links)}"
            bar_top = top + 18 if narrow else top
            whole = long * max(h.links, h.missing) / most
            gone = long * h.missing / most
            canvas.bar(left, bar_top, gone, 16, MISSING)
            canvas.bar(left + gone, bar_top, whole - gone, 16, KEPT)
            if narrow:
                canvas.words(0, top + 7, canvas.fitting(h.label, width - 110), fontsize=12)
                canvas.words(width, top + 7, said, "right", fontsize=12, color=QUIET)
            else:
                canvas.words(left - 12, top + 8, canvas.fitting(h.label, left - 14), "right")
                canvas.words(left + whole + 10, top + 8, said, fontsize=12)
        worst = ", ".join(f"{h.label}: {count(h.missing)} of {count(h.links)}" for h in shown[:3])
        return Picture(
            "parents", f"The rows of {parent} that lost the most links. {worst}.", canvas.figure
        )


_SVG_HEAD = re.compile(r"^.*?<svg[^>]*?viewBox=\"(?P<box>[^\"]*)\"[^>]*>", re.S)
_CLUTTER = re.compile(r"<metadata>.*?</metadata>|<!--.*?-->", re.S)
_FONT = re.compile(r"(?P<how>font(?:-family)?: [^;\"]*?)'?DejaVu Sans'?[^;\"]*")
_IDS = re.compile(r"(?P<where>\bid=\"|href=\"#|url\(#)(?P<id>[^\")]+)")


def _tidy(svg: str, name: str, alt: str) -> str:
    """Make matplotlib's SVG fit to stand in a page: named, its ids its own, its fonts the page's."""
    head = _SVG_HEAD.match(svg)
    if head is None:  # matplotlib always writes one
        raise ReportError(
            f"Figure {name} could not be drawn.", "Is matplotlib's SVG back end whole?"
        )
    body = _CLUTTER.sub("", svg[head.end() :])
    width = head["box"].split()[2]
    body = _FONT.sub(lambda m: m["how"] + _FONTS, body)
    prefix = f"{name}-{round(float(width))}-"
    body = _IDS.sub(lambda m: f"{m['where']}{prefix}{m['id']}", body)
    body = re.sub(r"\n\s*", "\n", body)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="{head["box"]}" '
        f'style="width:100%;height:auto;display:block" role="img" aria-label="{escape(visible(alt))}">\n<title>{escape(visible(alt))}</title>{body}'
    )
