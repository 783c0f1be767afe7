"""node-pg-migrate: JavaScript, or both ways in one SQL file, between marks."""

from __future__ import annotations

from forensics.evidence.migrations.entries import HistoryEntry, Row
from forensics.evidence.migrations.tool import HistoryTable, InCode, Marks, Tool


def entry(row: Row) -> HistoryEntry:
    return row.named("name", "run_on")


TOOL = Tool(
    name="node-pg-migrate",
    marks=Marks("Up Migration", "Down Migration"),
    history=HistoryTable("pgmigrations", ("name", "run_on"), entry),
    in_code=InCode((".js", ".ts"), "the statements that the tool logs"),
)
