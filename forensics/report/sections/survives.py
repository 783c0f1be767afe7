"""What survives elsewhere."""

from __future__ import annotations

from forensics.markup import code, table
from forensics.report.document import Document
from forensics.report.sections.section import Context, Section, where
from forensics.text import count


def html(d: Document) -> Context | None:
    """Links that live holds in another place or under another key."""
    return where(d.classes and (d.classes["moved"] or d.classes["superseded"]))


def markdown(d: Document) -> list[str]:
    """Where moved links are now."""
    if not d.survivors:
        return []
    rows = []
    for junction, place, links in d.survivors:
        rows.append((code(junction.name), code(place), count(links)))
    return [
        "### What survives elsewhere",
        table(("from", "now in", "links"), rows, 2),
    ]


SECTION = Section("survives", "What survives elsewhere", html, markdown)
