"""Sequelize: JavaScript or TypeScript files, known by their names."""

from __future__ import annotations

from forensics.evidence.migrations.entries import HistoryEntry, Row
from forensics.evidence.migrations.tool import HistoryTable, InCode, Tool


def entry(row: Row) -> HistoryEntry:
    return row.named("name")


TOOL = Tool(
    name="Sequelize",
    history=HistoryTable("SequelizeMeta", ("name",), entry),
    in_code=InCode((".js", ".ts"), "the statements that the tool logs"),
)
