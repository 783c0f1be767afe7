"""marv: plain files, known by their number and the MD5 of the file."""

from __future__ import annotations

from forensics.evidence.migrations.entries import HistoryEntry, Row
from forensics.evidence.migrations.tool import HistoryTable, Kept, Tool


def entry(row: Row) -> HistoryEntry:
    return HistoryEntry(
        row.tool,
        row.table,
        row.text("level"),
        row["checksum"],
        applied_at=row.time("timestamp"),
    )


# Its checksum is the one of postgrator.
TOOL = Tool(
    name="marv",
    history=HistoryTable(
        "migrations",
        ("level", "comment", "timestamp", "checksum"),
        entry,
        also=("namespace",),
    ),
    keeps=(Kept("migrations_lock", ("dummy_column",)),),
)
