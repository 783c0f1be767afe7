"""Atlas: plain files, known by their number; its table lies in a schema of its own.

A baseline stands for all versions up to its own.
"""

from __future__ import annotations

from forensics.evidence.migrations.entries import HistoryEntry, Row
from forensics.evidence.migrations.tool import HistoryTable, Tool

_BASELINE, _EXECUTED, _RESOLVED = 1, 2, 4  # bits of a revision's type


def entry(row: Row) -> HistoryEntry | None:
    version = row.text("version")
    if version.startswith("."):
        return None  # what it notes of itself
    kind = int(row["type"] or _EXECUTED)
    baseline = bool(kind & _BASELINE)
    short = int(row["applied"] or 0) < int(row["total"] or 0)
    return HistoryEntry(
        row.tool,
        row.table,
        version,
        applied_at=row.time("executed_at"),
        steps=0 if kind & (_BASELINE | _RESOLVED) and not kind & _EXECUTED else None,
        failed=short and not baseline,
        cumulative=baseline,
    )


TOOL = Tool(
    name="Atlas",
    history=HistoryTable(
        "atlas_schema_revisions",
        ("version", "type", "applied", "total", "executed_at"),
        entry,
        apart=True,
    ),
)
