"""sql-migrate: both ways in one file, between marks; its history knows a file by its name."""

from __future__ import annotations

from forensics.evidence.migrations.entries import HistoryEntry, Row
from forensics.evidence.migrations.tool import HistoryTable, Marks, Tool


def entry(row: Row) -> HistoryEntry:
    return row.named("id", "applied_at")


TOOL = Tool(
    name="sql-migrate",
    marks=Marks("+migrate Up", "+migrate Down"),
    history=HistoryTable("gorp_migrations", ("id", "applied_at"), entry),
)
