"""Tables that were not compared."""

from __future__ import annotations

from forensics.markup import code, table, text
from forensics.report.document import Document
from forensics.report.sections.section import Context, Section, where


def html(d: Document) -> Context | None:
    """Tables that could not be compared, and why."""
    return where(d.failed)


def markdown(d: Document) -> list[str]:
    """Tables that could not be compared, and why."""
    if not d.failed:
        return []
    rows = [(code(result.name), text(result.reason)) for result in d.failed]
    return ["## Not compared", table(("table", "why"), rows, 2)]


SECTION = Section("failed", "Not compared", html, markdown)
