"""Knex: JavaScript or TypeScript files, known by their names."""

from __future__ import annotations

from forensics.evidence.migrations.entries import HistoryEntry, Row
from forensics.evidence.migrations.tool import HistoryTable, InCode, Kept, Tool


def entry(row: Row) -> HistoryEntry:
    return row.named("name", "migration_time")


TOOL = Tool(
    name="Knex",
    history=HistoryTable("knex_migrations", ("name", "migration_time"), entry),
    in_code=InCode((".js", ".ts"), "the statements that the tool logs"),
    keeps=(Kept("knex_migrations_lock", ("index", "is_locked")),),
)
