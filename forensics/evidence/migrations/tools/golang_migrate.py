"""golang-migrate: `1_name.up.sql`, and `1_name.down.sql` for the way back.

Its history is one row, the newest version; a version that failed is `dirty`. Where there are
several, somebody keeps the table otherwise, and each row stands for itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from forensics.evidence.migrations.entries import HistoryEntry, Row
from forensics.evidence.migrations.shapes import File, sql_files
from forensics.evidence.migrations.tool import Folder, HistoryTable, Tool

_UP = re.compile(r"(?P<name>.+)[._-]up\.sql\Z", re.I)


def files(folder: Path) -> Sequence[File] | None:
    found = {}
    for path in sql_files(folder):
        if match := _UP.match(path.name):
            found[match["name"]] = File(match["name"], path)
    return list(found.values()) or None


def entry(row: Row) -> HistoryEntry:
    return HistoryEntry(
        row.tool,
        row.table,
        row.text("version"),
        failed=row.true("dirty"),
        cumulative=True,
        replaced=True,
    )


def together(entries: list[HistoryEntry]) -> list[HistoryEntry]:
    if len(entries) < 2:
        return entries
    return [replace(entry, cumulative=False, replaced=False) for entry in entries]


TOOL = Tool(
    name="golang-migrate",
    folder=Folder("up files", files),
    history=HistoryTable(
        "schema_migrations", ("version", "dirty"), entry, also=(), together=together
    ),
)
