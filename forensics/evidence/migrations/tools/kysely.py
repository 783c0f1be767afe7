"""Kysely: TypeScript files, known by their names."""

from __future__ import annotations

from forensics.evidence.migrations.entries import HistoryEntry, Row
from forensics.evidence.migrations.tool import HistoryTable, InCode, Kept, Tool


def entry(row: Row) -> HistoryEntry:
    return row.named("name", "timestamp")


TOOL = Tool(
    name="Kysely",
    history=HistoryTable("kysely_migration", ("name", "timestamp"), entry),
    in_code=InCode((".js", ".ts"), "the statements that the tool logs"),
    keeps=(Kept("kysely_migration_lock", ("id", "is_locked")),),
)
