"""Rails: Ruby files, known by their number. dbmate keeps the same table for its SQL files."""

from __future__ import annotations

from forensics.evidence.migrations.entries import HistoryEntry, Row
from forensics.evidence.migrations.tool import HistoryTable, InCode, Kept, Tool


def entry(row: Row) -> HistoryEntry:
    return HistoryEntry(row.tool, row.table, row.text("version"))


TOOL = Tool(
    name="Rails or dbmate",
    history=HistoryTable(
        "schema_migrations",
        ("version",),
        entry,
        also=(),
    ),
    in_code=InCode((".rb",), "the statements that rails db:migrate logs"),
    keeps=(Kept("ar_internal_metadata", ("key", "value", "created_at", "updated_at")),),
)
