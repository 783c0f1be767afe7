"""What cannot be put back as it is."""

from __future__ import annotations

from forensics.report.document import Document
from forensics.report.sections.section import Context, Section, nothing, where


def html(d: Document) -> Context | None:
    """Lost links whose rows are gone, or that collide with what live holds."""
    return where(d.classes and (d.classes["blocked"] or d.classes["conflicting"]))


# In Markdown the numbers stand in the table of links.
SECTION = Section("blocked", "What cannot be put back as it is", html, nothing)
