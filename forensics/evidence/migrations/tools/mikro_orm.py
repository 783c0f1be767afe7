"""MikroORM: TypeScript files, known by their names."""

from __future__ import annotations

from forensics.evidence.migrations.entries import HistoryEntry, Row
from forensics.evidence.migrations.tool import HistoryTable, InCode, Tool


def entry(row: Row) -> HistoryEntry:
    return row.named("name", "executed_at")


TOOL = Tool(
    name="MikroORM",
    history=HistoryTable("mikro_orm_migrations", ("name", "executed_at"), entry),
    in_code=InCode((".js", ".ts"), "mikro-orm migration:create --dump"),
)
