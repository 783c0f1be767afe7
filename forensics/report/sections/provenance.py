"""Provenance of both sides."""

from __future__ import annotations

from forensics.markup import table, text
from forensics.report.document import Document
from forensics.report.sections.section import Context, Section


def html(d: Document) -> Context:
    """What was compared."""
    return {}


def markdown(d: Document) -> list[str]:
    """What was compared."""
    rows = [(f.name, text(f.backup), text(f.live)) for f in d.facts]
    return ["## Provenance", table(("", "backup", "live"), rows, 3)]


SECTION = Section("provenance", "Provenance", html, markdown)
