"""The report as one HTML file: styles and figures inside, no script, nothing loaded from anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from forensics import figures
from forensics.figures import NARROW, WIDE, Picture
from forensics.report.tables import CLASSES, Document, ParentLoss, method, of
from forensics.text import count, examples, fact, moment, one_line, percent, plural, spans, visible


def render(document: Document) -> str:
    """Return the report as an HTML document."""
    return (
        _environment()
        .get_template("report.html")
        .render(
            d=document,
            figure=_Figures(document),
            method=method(document),
            classes=_classes(document),
        )
    )


def _classes(document: Document) -> list[str]:
    """The classes worth a column: what is lost and can be put back, and of the others those that there are."""
    return [c for c in CLASSES if c in ("lost", "restorable") or (document.classes or {}).get(c)]


class _Figures:
    """The document's figures, each in the two widths between which the page chooses."""

    def __init__(self, document: Document) -> None:
        self._document = document

    @property
    def loss(self) -> Markup:
        return _both(*(figures.loss(self._document.results, width=w) for w in (WIDE, NARROW)))

    @property
    def totals(self) -> Markup:
        return _both(*(figures.totals(self._document.totals, width=w) for w in (WIDE, NARROW)))

    @property
    def classes(self) -> Markup:
        return _both(
            *(figures.classes(self._document.classes or {}, width=w) for w in (WIDE, NARROW))
        )

    def distribution(self, hit: ParentLoss) -> Markup:
        return _both(
            *(
                figures.distribution(hit.before, hit.after, parent=str(hit.name), width=w)
                for w in (WIDE, NARROW)
            )
        )

    @property
    def timeline(self) -> Markup:
        return _both(*(figures.timeline(self._document.moments, width=w) for w in (WIDE, NARROW)))


def _both(wide: Picture, narrow: Picture) -> Markup:
    return Markup('<div class="wide">{}</div><div class="narrow">{}</div>').format(
        _themed(wide), _themed(narrow)
    )


def _themed(picture: Picture) -> Markup:
    """The figure with its greys left to the page, which has two sets of them."""
    svg = picture.svg
    for colour, name in (
        (figures.INK, "ink"),
        (figures.QUIET, "quiet"),
        (figures.KEPT, "kept"),
        (figures.BACK, "paper"),
    ):
        svg = svg.replace(colour, f"var(--{name})")
    return Markup(svg)  # noqa: S704  (drawn by us; names in it are escaped by matplotlib)


def _listed(items: Sequence[Any]) -> str:
    words = [str(i) for i in items]
    return ", ".join(words[:-1]) + " and " + words[-1] if len(words) > 1 else "".join(words)


def _marked(text: str) -> Markup:
    """A sentence with what stands between backticks as code."""
    said = (
        Markup("<code>{}</code>").format(visible(part)) if is_code else escape(visible(part))
        for is_code, part in spans(text)
    )
    return Markup("").join(said)


def _lines(text: str) -> Markup:
    """Commands, a line each."""
    return Markup("\n").join(visible(line) for line in text.split("\n"))


def _when(text: str | None) -> str | None:
    return fact(datetime.fromisoformat(text)) if text else None


@lru_cache(1)
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("forensics.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # Whatever is shown passes here, and then through the escaping.
        finalize=lambda value: (
            value if isinstance(value, Markup) else "–" if value is None else visible(value)
        ),
    )
    environment.filters |= {
        "n": count,
        "share": percent,
        "plural": plural,
        "moment": moment,
        "listed": _listed,
        "marked": _marked,
        "lines": _lines,
        "shown": fact,
        "of": of,
        "examples": lambda rows: visible(examples(rows)),
        "when": _when,
        "one_line": one_line,
    }
    return environment
