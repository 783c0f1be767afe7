"""Liquibase: a file holds several changes, each known by its file, its id and its author."""

from __future__ import annotations

from forensics.evidence.migrations.entries import HistoryEntry, Row
from forensics.evidence.migrations.tool import HistoryTable, InCode, Tool


def entry(row: Row) -> HistoryEntry:
    return HistoryEntry(
        row.tool,
        row.table,
        f"{row['filename']}::{row['id']}::{row['author']}",
        applied_at=row.time("dateexecuted"),
        steps=0 if row["exectype"] == "MARK_RAN" else None,
        failed=row["exectype"] == "FAILED",
    )


TOOL = Tool(
    name="Liquibase",
    history=HistoryTable(
        "databasechangelog", ("id", "author", "filename", "dateexecuted", "exectype"), entry
    ),
    in_code=InCode((".xml", ".yaml", ".yml"), "liquibase update-sql"),
)
