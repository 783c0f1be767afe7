"""postgres-migrations: plain files, known by their number and the SHA-1 of their name and text."""

from __future__ import annotations

import hashlib
from pathlib import Path

from forensics.evidence.migrations.entries import HistoryEntry, Row
from forensics.evidence.migrations.tool import HistoryTable, Tool


def checksum(text: bytes, path: Path) -> str:
    return hashlib.sha1(path.name.encode("utf-8") + text, usedforsecurity=False).hexdigest()


def entry(row: Row) -> HistoryEntry | None:
    if row.text("id") == "0":
        return None  # its own first migration makes the table
    return HistoryEntry(
        row.tool,
        row.table,
        row.text("id"),
        row["hash"],
        applied_at=row.time("executed_at"),
    )


TOOL = Tool(
    name="postgres-migrations",
    history=HistoryTable("migrations", ("id", "name", "hash", "executed_at"), entry, also=()),
    checksum=checksum,
)
