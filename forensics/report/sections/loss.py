"""Loss by table."""

from __future__ import annotations

from forensics import figures
from forensics.markup import code, table
from forensics.report.document import Document
from forensics.report.pictures import in_both_widths
from forensics.report.sections.section import Context, Section
from forensics.text import count, percent

_HEAD = (
    "table",
    "state",
    "in backup",
    "missing",
    "changed",
    "added",
    "share missing",
)


def html(d: Document) -> Context | None:
    """A bar and a line for each table that lost or changed rows."""
    if not d.hit:
        return None
    return {"figure": in_both_widths(figures.loss, d.results)}


def markdown(d: Document) -> list[str]:
    """A line for each table that lost or changed rows."""
    if not d.hit:
        return []
    rows = []
    for result in d.hit:
        rows.append(
            (
                code(result.name),
                result.state,
                count(result.backup_rows),
                count(result.missing),
                count(result.changed),
                count(result.added),
                percent(result.missing, result.backup_rows),
            )
        )
    return ["## Loss by table", table(_HEAD, rows, 2)]


SECTION = Section("loss", "Loss by table", html, markdown)
