"""What it means for the people whose rows these are."""

from __future__ import annotations

from forensics.markup import bullets, code, text
from forensics.report.document import Document, Row
from forensics.report.impact import LINES, Hit, gone, hits, written_over
from forensics.report.sections.section import Context, Section
from forensics.text import count, marked, prose

_NAMED = 3


def html(d: Document) -> Context | None:
    """Whose rows are hit, the worst of them by name, and what else is gone."""
    found, others, written = hits(d), gone(d), written_over(d)
    if not found and not others and not written:
        return None
    return {
        "hits": found[:LINES],
        "more": found[LINES:],
        "gone": others,
        "written": written,
        "hint": to_show(d),
    }


def markdown(d: Document) -> list[str]:
    """The same."""
    found, others, written = hits(d), gone(d), written_over(d)
    if not found and not others and not written:
        return []
    said = [_line(hit) for hit in found]
    parts = ["## What it means"]
    if said:
        parts.append(bullets(said))
    if to_show(d):
        parts.append(marked(to_show(d)))
    if others:
        parts.append(f"Rows that are gone themselves, of {prose(others)}.")
    if written:
        parts.append(f"Written over: {marked(written)}.")
    return parts


def _line(hit: Hit) -> str:
    worst = "; ".join(_row(row) for row in hit.worst)
    behind = f" {prose(hit.behind)}" if hit.behind else ""
    return f"**{prose(hit.who)}** {marked(hit.lost)}.{behind} Worst hit: {worst}."


def _row(row: Row) -> str:
    name = code(row.key)
    if row.legible:
        name = f"{text(row.label)} ({name})"
    return f"{name}, {count(row.missing)} of {count(row.had)}"


def to_show(d: Document) -> str:
    """How to have the masked names of the worst shown, or nothing."""
    columns = []
    for hit in hits(d)[:_NAMED]:
        if hit.parent.label and not any(row.legible for row in hit.worst):
            columns.append(f"--show {hit.parent.name}.{hit.parent.label}")
    if not columns:
        return ""
    shown = " ".join(dict.fromkeys(columns))
    return f"Names are masked; `report {shown}` shows them."


SECTION = Section("impact", "What it means", html, markdown, folded=False)
