"""What was noted of tables on the way."""

from __future__ import annotations

from forensics.markup import bullets, code
from forensics.report.document import Document
from forensics.report.sections.section import Context, Section, where
from forensics.text import counted, prose


def html(d: Document) -> Context | None:
    """Notes on tables, and on what could not be read of the schema."""
    return where(d.noted or d.unparsed)


def markdown(d: Document) -> list[str]:
    """Notes on tables, and on what could not be read of the schema."""
    said = [f"{code(name)}: {prose(note)}" for name, note in d.noted]
    if d.unparsed:
        statements = counted(d.unparsed, "statement")
        said.append(f"{statements} of the backup’s schema could not be read and passed over.")
    if not said:
        return []
    return ["## Notes", bullets(said)]


SECTION = Section("notes", "Notes on tables", html, markdown)
