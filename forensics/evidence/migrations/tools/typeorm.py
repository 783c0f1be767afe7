"""TypeORM: TypeScript files, known by the name of their class."""

from __future__ import annotations

from forensics.evidence.migrations.entries import HistoryEntry, Row
from forensics.evidence.migrations.tool import HistoryTable, InCode, Tool


def entry(row: Row) -> HistoryEntry:
    return row.named("name")


TOOL = Tool(
    name="TypeORM",
    history=HistoryTable("migrations", ("timestamp", "name"), entry, also=("id",)),
    in_code=InCode((".js", ".ts"), "the statements that the tool logs"),
)
