"""postgrator: `001.do.name.sql`, and `001.undo.name.sql` for the way back."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from forensics.evidence.migrations.entries import HistoryEntry, Row
from forensics.evidence.migrations.shapes import File, only_files
from forensics.evidence.migrations.tool import Folder, HistoryTable, Tool

_DO = re.compile(r"(\d+)\.do(?:\..*)?\.sql\Z")


def files(folder: Path) -> Sequence[File] | None:
    found = []
    for path in only_files(folder.glob("*.sql")):
        if match := _DO.match(path.name):
            found.append((int(match[1]), path))
    return [File(path.stem, path) for _, path in sorted(found)] or None


def checksum(text: bytes, path: Path) -> str:
    return hashlib.md5(text, usedforsecurity=False).hexdigest()


def entry(row: Row) -> HistoryEntry | None:
    if row.text("version") == "0":
        return None  # it writes this row when it makes the table
    return HistoryEntry(
        row.tool,
        row.table,
        row.text("version"),
        row.text("md5") or None,
        applied_at=row.time("run_at"),
    )


TOOL = Tool(
    name="postgrator",
    folder=Folder("postgrator", files),
    history=HistoryTable(
        "schemaversion", ("version", "name", "md5"), entry, also=(), optional=("run_at",)
    ),
    checksum=checksum,
)
