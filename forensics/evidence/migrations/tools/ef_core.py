"""EF Core: C# files, known by their names.

`migrations script` writes several into one file; each ends by noting itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from forensics.evidence.migrations.entries import HistoryEntry, Row
from forensics.evidence.migrations.shapes import Part, parts_upto
from forensics.evidence.migrations.tool import HistoryTable, InCode, Tool

_NOTED = re.compile(
    rb"^INSERT\s+INTO\s+[^;(]*\"__EFMigrationsHistory\"[^;']*?VALUES\s*\(\s*'(?P<name>[^']+)'"
    rb"[^;]*;[^\n]*\n?",
    re.M | re.I,
)


def parts(text: bytes) -> Sequence[Part]:
    return parts_upto(text, _NOTED.finditer(text))


def entry(row: Row) -> HistoryEntry:
    return row.named("MigrationId")


TOOL = Tool(
    name="EF Core",
    history=HistoryTable("__EFMigrationsHistory", ("MigrationId", "ProductVersion"), entry),
    in_code=InCode((".cs",), "dotnet ef migrations script FROM TO"),
    parts=parts,
)
