"""Proven intact, and what only live has."""

from __future__ import annotations

from forensics.markup import bullets, code, table
from forensics.report.document import Document
from forensics.report.sections.section import Context, Section, where
from forensics.text import count, counted

_HEAD = ("table", "rows, all unchanged", "added since")


def html(d: Document) -> Context | None:
    """Tables that lost nothing, and new ones."""
    return where(d.intact or d.new)


def markdown(d: Document) -> list[str]:
    """Tables that lost nothing, and new ones."""
    parts = []
    rows = []
    for result in d.intact:
        rows.append((code(result.name), count(result.backup_rows), count(result.added)))
    if rows:
        parts += ["## Proven intact", table(_HEAD, rows)]
    new = []
    for result in d.new:
        new.append(f"{code(result.name)}: {counted(result.live_rows or 0, 'row')}")
    if new:
        parts += ["Tables that only live has:", bullets(new)]
    return parts


SECTION = Section("intact", "Proven intact", html, markdown)
