"""db-migrate: JavaScript files, and perhaps SQL in `sqls/NAME-up.sql`; its history has a slash
before each name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from forensics.evidence.migrations.entries import HistoryEntry, Row
from forensics.evidence.migrations.shapes import File, sql_files
from forensics.evidence.migrations.tool import Folder, HistoryTable, InCode, Tool


def files(folder: Path) -> Sequence[File] | None:
    below = folder / "sqls"
    found = []
    for path in sql_files(below):
        if path.stem.endswith("-up"):
            found.append(File(path.stem.removesuffix("-up"), path))
    return found or None


def entry(row: Row) -> HistoryEntry:
    said = row.named("name", "run_on")
    return replace(said, name=said.name.lstrip("/"))


TOOL = Tool(
    name="db-migrate",
    folder=Folder("up files", files),
    history=HistoryTable("migrations", ("name", "run_on"), entry, also=("id",)),
    in_code=InCode((".js",), "db-migrate up --dry-run"),
)
