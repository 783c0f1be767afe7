"""Schema drift."""

from __future__ import annotations

from forensics.markup import bullets, code, table, text
from forensics.report.document import Document
from forensics.report.sections.section import Context, Section, where
from forensics.text import count

_HEAD = ("column", "change", "in backup", "in live", "values missing")


def html(d: Document) -> Context | None:
    """Columns that are gone, defined otherwise, or new."""
    return where(d.changes)


def markdown(d: Document) -> list[str]:
    """Columns that are gone, defined otherwise, or new."""
    if not d.changes:
        return []
    parts = ["## Schema drift"]
    rows = []
    for change in d.drift:
        rows.append(
            (
                code(f"{change.name}.{change.column}"),
                change.change,
                text(change.before or "–"),
                text(change.after or "–"),
                count(change.values_missing),
            )
        )
    if rows:
        parts.append(table(_HEAD, rows, 4))
    added = []
    for name, changes in d.added_columns.items():
        columns = ", ".join(code(change.column) for change in changes)
        added.append(f"{code(name)}: {columns}")
    if added:
        parts += ["Columns that only live has:", bullets(added)]
    return parts


SECTION = Section("drift", "Schema drift", html, markdown)
