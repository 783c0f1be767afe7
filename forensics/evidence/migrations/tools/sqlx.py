"""sqlx: plain files or `NAME.up.sql`, known by their number and the SHA-384 of the file."""

from __future__ import annotations

import hashlib
from pathlib import Path

from forensics.evidence.migrations.entries import HistoryEntry, Row
from forensics.evidence.migrations.tool import HistoryTable, Tool


def checksum(text: bytes, path: Path) -> str:
    return hashlib.sha384(text).hexdigest()


def entry(row: Row) -> HistoryEntry:
    return HistoryEntry(
        row.tool,
        row.table,
        row.text("version"),
        row.text("checksum").removeprefix("\\x"),
        applied_at=row.time("installed_on"),
        failed=not row.true("success"),
    )


TOOL = Tool(
    name="sqlx",
    history=HistoryTable(
        "_sqlx_migrations", ("version", "installed_on", "success", "checksum"), entry
    ),
    checksum=checksum,
)
