"""TypeORM: TypeScript files, known by the name of their class, which ends with their number."""

from __future__ import annotations

from dataclasses import replace

from forensics.evidence.migrations.entries import HistoryEntry, Row
from forensics.evidence.migrations.tool import HistoryTable, InCode, Tool


def entry(row: Row) -> HistoryEntry:
    return replace(row.named("name"), version=row["timestamp"])


TOOL = Tool(
    name="TypeORM",
    history=HistoryTable(
        "migrations", ("timestamp", "name"), entry, also=("id",), numbers=("timestamp",)
    ),
    in_code=InCode((".js", ".ts"), "the statements that the tool logs"),
)
