"""Laravel: PHP files, known by their names."""

from __future__ import annotations

from forensics.evidence.migrations.entries import HistoryEntry, Row
from forensics.evidence.migrations.tool import HistoryTable, InCode, Tool


def entry(row: Row) -> HistoryEntry:
    return row.named("migration")


TOOL = Tool(
    name="Laravel",
    history=HistoryTable("migrations", ("migration", "batch"), entry, also=("id",)),
    in_code=InCode((".php",), "php artisan migrate --pretend"),
)
