"""The cause: which statements did it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forensics.report.document import Document, of
from forensics.report.markup import bullets, code, table, text
from forensics.report.sections.section import Context, Section, where
from forensics.text import count, one_line, prose

_HEAD = (
    "migration",
    "line",
    "statement",
    "hazard",
    "of",
    "missing",
    "changed",
)


def html(d: Document) -> Context | None:
    """The statements, what they leave unexplained, and the migrations."""
    return where(d.cause)


def markdown(d: Document) -> list[str]:
    """The statements, and what they leave unexplained."""
    if not d.cause:
        return []
    parts = ["## Cause"]
    rows = [_line(statement) for statement in d.struck]
    if rows:
        parts.append(table(_HEAD, rows, 5))
    rest = []
    for entry in d.cause["unexplained"]:
        if entry["rows"]:
            rest.append(f"{code(of(entry))}: {count(entry['rows'])}")
    if rest:
        parts += ["No statement accounts for these missing rows:", bullets(rest)]
    notes = [prose(note) for note in d.cause.get("notes") or ()]
    notes += [prose(sentence) for sentence in d.cause.get("unknown") or ()]
    if notes:
        parts.append(bullets(notes))
    return parts


def _line(statement: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        code(statement["migration"]),
        count(statement["line"]),
        text(one_line(statement["sql"])),
        text(statement["hazard"]),
        code(of(statement)),
        count(statement["rows"]),
        count(statement.get("changed")),
    )


SECTION = Section("cause", html, markdown)
