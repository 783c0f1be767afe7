"""Alembic: Python files. Its history is one row, the newest revision."""

from __future__ import annotations

from forensics.evidence.migrations.entries import HistoryEntry, Row
from forensics.evidence.migrations.tool import HistoryTable, InCode, Tool


def entry(row: Row) -> HistoryEntry:
    return HistoryEntry(row.tool, row.table, row.text("version_num"), cumulative=True)


TOOL = Tool(
    name="Alembic",
    history=HistoryTable("alembic_version", ("version_num",), entry),
    in_code=InCode((".py",), "alembic upgrade FROM:TO --sql"),
)
