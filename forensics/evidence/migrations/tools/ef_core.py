"""EF Core: C# files, known by their names."""

from __future__ import annotations

from forensics.evidence.migrations.entries import HistoryEntry, Row
from forensics.evidence.migrations.tool import HistoryTable, InCode, Tool


def entry(row: Row) -> HistoryEntry:
    return row.named("MigrationId")


TOOL = Tool(
    name="EF Core",
    history=HistoryTable("__EFMigrationsHistory", ("MigrationId", "ProductVersion"), entry),
    in_code=InCode((".cs",), "dotnet ef migrations script FROM TO"),
)
