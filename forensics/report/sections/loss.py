"""Loss by table."""

from __future__ import annotations

from forensics import figures
from forensics.markup import bullets, code, table
from forensics.report.document import Document
from forensics.report.pictures import in_both_widths
from forensics.report.sections.section import Context, Section
from forensics.text import count, marked, percent

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
    parts = ["## Loss by table", table(_HEAD, rows, 2)]
    said = [f"{code(name)}: {marked(sentence)}" for name, sentence in d.concentrated]
    if said:
        parts += ["Where it is concentrated:", bullets(said)]
    return parts


SECTION = Section("loss", "Loss by table", html, markdown)
