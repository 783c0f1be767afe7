"""aerich: Python files, known by their names."""

from __future__ import annotations

from forensics.evidence.migrations.entries import HistoryEntry, Row
from forensics.evidence.migrations.tool import HistoryTable, InCode, Tool


def entry(row: Row) -> HistoryEntry:
    return row.named("version")


TOOL = Tool(
    name="aerich",
    history=HistoryTable("aerich", ("version", "app", "content"), entry, also=("id",)),
    in_code=InCode((".py",), "the SQL that its upgrade returns"),
)
