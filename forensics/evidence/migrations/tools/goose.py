"""goose: both ways in one file, between marks. What it takes back has a row of its own."""

from __future__ import annotations

from forensics.evidence.migrations.entries import HistoryEntry, Row
from forensics.evidence.migrations.tool import HistoryTable, InCode, Marks, Tool


def entry(row: Row) -> HistoryEntry | None:
    if row["version_id"] == "0":
        return None  # it writes this row when it makes the table
    return HistoryEntry(
        row.tool,
        row.table,
        row.text("version_id"),
        applied_at=row.time("tstamp"),
        rolled_back=not row.true("is_applied"),
    )


TOOL = Tool(
    name="goose",
    marks=Marks("+goose Up", "+goose Down"),
    in_code=InCode((".go",), "the statements that it runs"),
    history=HistoryTable("goose_db_version", ("version_id", "is_applied", "tstamp"), entry),
)
