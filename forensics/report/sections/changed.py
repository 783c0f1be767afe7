"""Changed rows: what they held before, and hold now."""

from __future__ import annotations

from forensics.markup import code, table, text
from forensics.report.changed import ROWS, TABLES, ChangedTable
from forensics.report.document import Document
from forensics.report.sections.section import Context, Section
from forensics.text import count, counted, cut, prose

_LONG = 160  # characters of a value
_HEAD = ("row", "column", "in backup", "in live")


def html(d: Document) -> Context | None:
    """Some changed rows of each table, before and after."""
    if not d.changed:
        return None
    shown = [entry.first(ROWS) for entry in d.changed[:TABLES]]
    return {"tables": shown, "rest": rest(d)}


def markdown(d: Document) -> list[str]:
    """Some changed rows of each table, before and after."""
    if not d.changed:
        return []
    parts = ["## Changed rows"]
    for entry in d.changed[:TABLES]:
        parts += _table(entry.first(ROWS))
    if rest(d):
        parts.append(prose(rest(d)))
    return parts


def rest(d: Document) -> str:
    """What is said of the tables that are not shown; nothing where all are."""
    left = d.changed[TABLES:]
    if not left:
        return ""
    rows = counted(sum(entry.rows for entry in left), "more changed row")
    return f"{rows} of {counted(len(left), 'more table')} are not shown here."


def _table(entry: ChangedTable) -> list[str]:
    rows = []
    for change in entry.changes:
        before, after = text(short(change.before)), text(short(change.after))
        rows.append((code(change.key), code(change.column), before, after))
    said = f"{code(entry.name)}: {counted(entry.rows, 'changed row')}"
    if entry.more:
        said += f"; {count(entry.more)} more than are here"
    if not rows:
        return [said]
    return [f"{said}.", table(_HEAD, rows, 4)]


def short(value: str | None) -> str:
    """A value for a table, cut where it is long."""
    if value is None:
        return "NULL"
    return cut(value, _LONG)


SECTION = Section("changed", "Changed rows", html, markdown)
