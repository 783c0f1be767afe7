"""The cause: which statements did it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forensics.markup import bullets, code, table, text
from forensics.report.document import Document, of
from forensics.report.sections.section import Context, Section
from forensics.text import count, one_line, prose

_HEAD = (
    "migration",
    "line",
    "statement",
    "hazard",
    "of",
    "missing",
    "overwritten",
    "filled",
)


def html(d: Document) -> Context | None:
    """The statements, what they leave unexplained, and the migrations."""
    if not d.cause:
        return None
    return {"unlaid": _unlaid(d)}


def markdown(d: Document) -> list[str]:
    """The statements, and what they leave unexplained."""
    if not d.cause:
        return []
    parts = ["## Cause"]
    rebuild = d.rebuild
    if rebuild:
        parts.append(prose(f"{rebuild['title']}. What says so:"))
        parts.append(bullets([prose(said) for said in rebuild["evidence"]]))
    rows = [_line(statement) for statement in d.struck]
    if rows:
        parts.append(table(_HEAD, rows, 5))
    parts += _unexplained(d)
    notes = [prose(note) for note in d.cause.get("notes") or ()]
    notes += [prose(sentence) for sentence in d.cause.get("unknown") or ()]
    if notes:
        parts.append(bullets(notes))
    return parts


def _unexplained(d: Document) -> list[str]:
    """The missing rows and the overwritten values that no statement accounts for."""
    parts = []
    rows = []
    for entry in (d.cause or {})["unexplained"]:
        if entry["rows"]:
            rows.append(f"{code(of(entry))}: {count(entry['rows'])}")
    if rows:
        parts += ["No statement accounts for these missing rows:", bullets(rows)]
    values = []
    for entry in _unlaid(d):
        number = "not known" if entry["values"] is None else count(entry["values"])
        values.append(f"{code(of(entry))}: {number}")
    if values:
        parts += ["No statement accounts for these overwritten values:", bullets(values)]
    return parts


def _unlaid(d: Document) -> list[Mapping[str, Any]]:
    """Columns with overwritten values that no statement accounts for, or nobody knows how many."""
    return list((d.cause or {}).get("unexplained_overwritten") or ())


def _sql(statement: str | None) -> str:
    if statement is None:
        return "the schema was rebuilt"
    return code(one_line(statement))


def _line(statement: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        code(statement["migration"]) if statement["migration"] else "–",
        count(statement["line"]),
        _sql(statement["sql"]),
        text(statement["hazard"]),
        code(of(statement)),
        count(statement["rows"]),
        count(statement.get("changed")),
        count(statement.get("blanked")),
    )


SECTION = Section("cause", "Cause", html, markdown)
