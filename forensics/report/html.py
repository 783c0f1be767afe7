"""The report as one HTML file: styles and figures inside, no script, nothing loaded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from forensics.report.actions import good
from forensics.report.brief import statement
from forensics.report.document import Document, of
from forensics.report.sections import SECTIONS, Section
from forensics.report.sections.changed import short
from forensics.report.sections.story import took
from forensics.text import (
    count,
    examples,
    fact,
    listed,
    moment,
    one_line,
    percent,
    plural,
    spans,
    visible,
)

if TYPE_CHECKING:
    from jinja2 import Environment


def render(document: Document, wanted: Sequence[Section] = ()) -> str:
    """Return the report as an HTML document.

    Args:
        document: what it says.
        wanted: sections, where only some are asked for.
    """
    front: list[tuple[Section, Markup]] = []
    evidence: list[tuple[Section, Markup]] = []
    for section in wanted or SECTIONS:
        said = _rendered(section, document)
        if said:
            (evidence if section.folded else front).append((section, said))
    page = environment().get_template("page.html")
    return page.render(
        d=document,
        front=front,
        evidence=evidence,
        whole=not wanted,
        good=good(document),
    )


def _rendered(section: Section, document: Document) -> Markup:
    """A section; nothing where it has nothing to say."""
    context = section.html(document)
    if context is None:
        return Markup()
    template = environment().get_template(section.template)
    said = template.render(d=document, **context)
    return Markup(said)  # noqa: S704  (what the template shows has been escaped by it)


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The templates, with what they show things by; whatever they show is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("forensics.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters |= {
        "n": count,
        "share": percent,
        "plural": plural,
        "moment": moment,
        "listed": listed,
        "marked": _marked,
        "lines": _lines,
        "shown": fact,
        "of": of,
        "examples": _examples,
        "when": _when,
        "known": _known,
        "one_line": one_line,
        "statement": statement,
        "took": took,
        "short": short,
    }
    return environment


def _shown(value: Any) -> Any:
    """Whatever is shown passes here, and then through the escaping."""
    if isinstance(value, Markup):
        return value
    if value is None:
        return "–"
    return visible(value)


def _marked(text: str) -> Markup:
    """A sentence with what stands between backticks as code."""
    said = Markup()
    for is_code, part in spans(text):
        shown = escape(visible(part))
        if is_code:
            shown = Markup("<code>{}</code>").format(shown)
        said += shown
    return said


def _lines(text: str) -> Markup:
    """Commands, a line each."""
    return Markup("\n").join(visible(line) for line in text.split("\n"))


def _examples(rows: Sequence[Any]) -> str:
    return visible(examples(rows))


def _when(text: str | None) -> str | None:
    return fact(datetime.fromisoformat(text)) if text else None


def _known(value: bool | None) -> str:
    if value is None:
        return "not known"
    return "yes" if value else "no"
