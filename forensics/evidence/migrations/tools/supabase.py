"""Supabase: plain files, known by their number; its table lies apart and keeps their statements."""

from __future__ import annotations

from forensics.evidence.migrations.entries import HistoryEntry, Row
from forensics.evidence.migrations.tool import HistoryTable, Tool


def entry(row: Row) -> HistoryEntry:
    return HistoryEntry(row.tool, row.table, row.text("version"))


TOOL = Tool(
    name="Supabase",
    history=HistoryTable(
        "schema_migrations",
        ("version", "statements"),
        entry,
        also=("name", "created_by", "idempotency_key", "rollback"),
        apart=True,
    ),
)
